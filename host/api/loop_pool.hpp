#pragma once
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace varde::api {

/// Runs blocking work on threads of its own and brings the outcome back to the loop.
class LoopPool {
  public:
    /// What is to happen on the loop afterwards.
    using Then = std::function<void()>;

    LoopPool(boost::asio::io_context& loop, int threads);
    ~LoopPool();  ///< join()

    /// Calls `work` on a thread of the pool and what it returns on the loop. `work` must not throw.
    void run(std::function<Then()> work);
    /// Calls `then` on the loop, from any thread.
    void post(Then then);
    /// Waits for the work in progress; work that has not begun is dropped.
    void join();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::api
