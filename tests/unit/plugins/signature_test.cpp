#include "plugins/signature.hpp"

#include "plugins/plugin_file.hpp"
#include "signing.hpp"

using namespace varde;
using core::FailureReason;
using rule_file::Folder;
using signing::KeyPair;

namespace {

plugins::Trust trust_in(const Folder& folder, const KeyPair& keys) {
    auto key = plugins::SignatureKey::load(folder.write("key.pem", signing::bytes_of(keys.public_pem())));
    if (!key) FAIL(key.error().context);
    return {{}, *key};
}

void check_refused(const Folder& folder, const plugins::Trust& trust, const std::string& says) {
    const auto plugin = plugins::inspect(folder.path / "a.so", trust);
    REQUIRE_FALSE(plugin.has_value());
    INFO(plugin.error().message);
    CHECK(plugin.error().reason == FailureReason::untrusted_file);
    CHECK(plugin.error().rule_id == "R-1");
    CHECK(plugin.error().message.find(says) != std::string::npos);
}

}  // namespace

TEST_CASE("a file with a signature of its very bytes is used") {
    const Folder folder;
    const KeyPair keys{1};
    const auto trust = trust_in(folder, keys);
    const auto image = rule_file::rule("R-1");
    folder.write("a.so", image);
    folder.write("a.so.sig", keys.sign(image));
    const auto plugin = plugins::inspect(folder.path / "a.so", trust);
    REQUIRE(plugin.has_value());
    CHECK(plugin->rule_id == "R-1");
}

TEST_CASE("a missing signature is refused with the command that makes one") {
    const Folder folder;
    const auto trust = trust_in(folder, KeyPair{1});
    folder.write("a.so", rule_file::rule("R-1"));
    check_refused(folder, trust, "openssl pkeyutl -sign -rawin");
}

TEST_CASE("a signature of other bytes, of another key, cut, long or empty is refused") {
    const Folder folder;
    const KeyPair keys{1};
    const auto trust = trust_in(folder, keys);
    const auto image = rule_file::rule("R-1");
    folder.write("a.so", image);
    folder.write("a.so.sig", keys.sign(rule_file::rule("R-2")));
    check_refused(folder, trust, "not made for these bytes");
    folder.write("a.so.sig", KeyPair{2}.sign(image));
    check_refused(folder, trust, "not made for these bytes");
    folder.write("a.so.sig", rule_file::Bytes(64));
    check_refused(folder, trust, "not made for these bytes");
    for (const std::size_t size : {0u, 63u, 65u, 4096u}) {
        folder.write("a.so.sig", rule_file::Bytes(size));
        check_refused(folder, trust, "not 64 bytes long");
    }
}

TEST_CASE("a fifo or a link in place of the signature is refused and never waited for") {
    const Folder folder;
    const KeyPair keys{1};
    const auto trust = trust_in(folder, keys);
    const auto image = rule_file::rule("R-1");
    folder.write("a.so", image);
    REQUIRE(::mkfifo((folder.path / "a.so.sig").c_str(), 0600) == 0);
    check_refused(folder, trust, "not 64 bytes long");
    std::filesystem::remove(folder.path / "a.so.sig");
    std::filesystem::create_symlink(folder.write("elsewhere", keys.sign(image)), folder.path / "a.so.sig");
    check_refused(folder, trust, "no readable signature");
}

TEST_CASE("every flipped bit of a signature breaks it") {
    const Folder folder;
    const KeyPair keys{1};
    const auto trust = trust_in(folder, keys);
    const auto image = rule_file::rule("R-1");
    const auto right = keys.sign(image);
    REQUIRE(trust.signature_key->signed_by(image, right));
    for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
        auto wrong = right;
        wrong[bit / 8] ^= std::byte{1} << (bit % 8);
        CAPTURE(bit);
        CHECK_FALSE(trust.signature_key->signed_by(image, wrong));
    }
}

TEST_CASE("what is no ed25519 public key, or could be changed by others, is refused when it is read") {
    const Folder folder;
    const auto problem = [&](const std::filesystem::path& file) {
        const auto key = plugins::SignatureKey::load(file);
        REQUIRE_FALSE(key.has_value());
        CHECK(key.error().context.find("plugins.signature_key") != std::string::npos);
        return key.error().context;
    };
    CHECK(problem(folder.path / "absent.pem").find("No such file") != std::string::npos);
    CHECK(problem(folder.write("text.pem", signing::bytes_of("no key"))).find("openssl pkey") != std::string::npos);
    CHECK(problem(folder.path).find("not a regular file") != std::string::npos);
    const auto file = folder.write("open.pem", signing::bytes_of(KeyPair{1}.public_pem()));
    REQUIRE(::chmod(file.c_str(), 0666) == 0);
    CHECK(problem(file).find("chmod go-w") != std::string::npos);
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> other{EVP_EC_gen("P-256"), EVP_PKEY_free};
    const std::unique_ptr<BIO, int (*)(BIO*)> out{BIO_new_file((folder.path / "ec.pem").c_str(), "w"), BIO_free};
    REQUIRE(PEM_write_bio_PUBKEY(out.get(), other.get()) == 1);
    REQUIRE(BIO_flush(out.get()) == 1);
    CHECK(problem(folder.path / "ec.pem").find("not an ed25519") != std::string::npos);
}
