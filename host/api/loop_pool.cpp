#include "api/loop_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace varde::api {

namespace asio = boost::asio;

struct LoopPool::Impl {
    asio::io_context& loop;
    asio::thread_pool threads;
};

LoopPool::LoopPool(asio::io_context& loop, int threads)
    : impl_{std::make_unique<Impl>(loop, static_cast<std::size_t>(threads))} {}

LoopPool::~LoopPool() { join(); }

void LoopPool::run(std::function<Then()> work) {
    asio::post(impl_->threads, [impl = impl_.get(), work = std::move(work)] { asio::post(impl->loop, work()); });
}

void LoopPool::post(Then then) { asio::post(impl_->loop, std::move(then)); }

void LoopPool::join() {
    impl_->threads.stop();
    impl_->threads.join();
}

}  // namespace varde::api
