#include "jobs/http_client.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <thread>

#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

using namespace varde;

namespace {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freed<SSL_free>>;

/// A server whose certificate nobody but itself has signed. Notes whether a client went on to send it anything.
class SelfSignedServer {
  public:
    SelfSignedServer() {
        const Key key{EVP_EC_gen("P-256")};
        const Certificate certificate{X509_new()};
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3'600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME* const name = X509_get_subject_name(certificate.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        X509_sign(certificate.get(), key.get(), EVP_sha256());
        REQUIRE(SSL_CTX_use_certificate(context_.get(), certificate.get()) == 1);
        REQUIRE(SSL_CTX_use_PrivateKey(context_.get(), key.get()) == 1);
        thread_ = std::thread{[this] { serve_one(); }};
    }
    ~SelfSignedServer() {
        if (thread_.joinable()) thread_.join();
    }
    SelfSignedServer(const SelfSignedServer&) = delete;
    SelfSignedServer& operator=(const SelfSignedServer&) = delete;

    [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(listener_.local_endpoint().port()); }
    [[nodiscard]] bool was_told_something() {
        thread_.join();
        return told_;
    }

  private:
    void serve_one() {
        boost::asio::ip::tcp::socket peer{loop_};
        listener_.accept(peer);
        const Connection connection{SSL_new(context_.get())};
        SSL_set_fd(connection.get(), peer.native_handle());
        char byte = 0;
        told_ = SSL_accept(connection.get()) == 1 && SSL_read(connection.get(), &byte, 1) == 1;
    }

    Context context_{SSL_CTX_new(TLS_server_method())};
    boost::asio::io_context loop_{1};
    boost::asio::ip::tcp::acceptor listener_{loop_, {boost::asio::ip::make_address_v4("127.0.0.1"), 0}};
    bool told_ = false;
    std::thread thread_;
};

}  // namespace

TEST_CASE("a server whose certificate cannot be verified is told nothing, and is not asked again") {
    SelfSignedServer server;
    jobs::HttpRequest request;
    request.url = server.url() + "/?key=secret";
    request.headers = {{"Authorization", "Bearer s3cret"}};
    const auto reply = jobs::http_call(request, {});
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().why == jobs::HttpFailure::Why::refused);
    CHECK_FALSE(reply.error().may_pass());
    CHECK(reply.error().text.starts_with(server.url() + ": SSL certificate problem: "));
    CHECK(reply.error().text.find("secret") == std::string::npos);
    CHECK_FALSE(server.was_told_something());
}
