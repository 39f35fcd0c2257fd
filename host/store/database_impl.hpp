#pragma once
#include "store/database.hpp"
#include "store/fair_lock.hpp"
#include "store/session.hpp"

#include <condition_variable>
#include <mutex>
#include <type_traits>
#include <vector>

namespace varde::store {

/// The session pool and the writers' queue of a Database. Thread-safe.
class Database::Impl {
  public:
    Impl(DatabaseUrl url, DatabaseSettings settings);

    /// A session of its own for as long as it lives.
    class Lease {
      public:
        Lease(Impl& owner, std::unique_ptr<Session> session) : owner_{&owner}, session_{std::move(session)} {}
        ~Lease() {
            if (session_) owner_->give_back(std::move(session_));
        }
        Lease(Lease&&) noexcept = default;
        Lease& operator=(Lease&&) = delete;
        Session& operator*() const { return *session_; }
        Session* operator->() const { return session_.get(); }

      private:
        Impl* owner_;
        std::unique_ptr<Session> session_;
    };

    /// Waits up to busy_timeout for a free session; connects if it must. Throws SqlFailure.
    [[nodiscard]] Lease lease();
    /// SQLite: this writer's turn, in the order of asking. PostgreSQL: nothing to wait for. Throws SqlFailure after busy_timeout.
    [[nodiscard]] FairLock::Guard writers_turn();
    [[nodiscard]] Engine engine() const { return url_.engine; }
    [[nodiscard]] const std::string& description() const { return url_.description; }
    [[nodiscard]] const std::filesystem::path& file() const { return url_.file; }  ///< SQLite
    [[nodiscard]] const DatabaseSettings& settings() const { return settings_; }

    /// Calls work(Session&) and turns what it throws into an Error that starts with `doing`. An open transaction is rolled back.
    template <class Work>
    auto run(std::string_view doing, Work&& work) -> core::Result<std::invoke_result_t<Work&, Session&>>;
    /// The same inside one write transaction: committed if work returns.
    template <class Work>
    auto write(std::string_view doing, Work&& work) -> core::Result<std::invoke_result_t<Work&, Session&>>;
    /// Calls work() on a session that the caller has leased; only the translation of errors.
    template <class Work>
    static auto translate(std::string_view doing, Session& session, Work&& work) -> core::Result<std::invoke_result_t<Work&>>;

  private:
    friend class Lease;
    void give_back(std::unique_ptr<Session> session) noexcept;
    [[nodiscard]] std::unique_ptr<Session> connect() const;

    const DatabaseUrl url_;
    const DatabaseSettings settings_;
    FairLock writers_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Session>> idle_;
    int leased_ = 0;
};

/// A write transaction of one session: BEGIN IMMEDIATE on SQLite, so that it cannot fail half-way for want of the lock. Rolled back at
/// its end unless committed.
class WriteTransaction {
  public:
    enum class Begin { now, by_caller };
    /// by_caller: takes the writer's turn only; the caller's own statements begin and commit.
    WriteTransaction(Database::Impl& database, Session& session, Begin begin = Begin::now);
    ~WriteTransaction();
    WriteTransaction(const WriteTransaction&) = delete;
    WriteTransaction& operator=(const WriteTransaction&) = delete;
    void commit() { session_.exec("COMMIT"); }

  private:
    Session& session_;
    FairLock::Guard turn_;  // let go after the transaction's end
};

template <class Work>
auto Database::Impl::translate(std::string_view doing, Session& session, Work&& work)
    -> core::Result<std::invoke_result_t<Work&>> {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Work&>>) {
            work();
            return {};
        } else {
            return work();
        }
    } catch (SqlFailure& failure) {
        failure.error.context.insert(0, std::string{doing} + ": ");
        return tl::unexpected{std::move(failure.error)};
    } catch (const soci::soci_error& failure) {
        return tl::unexpected{session.explain(failure, doing)};
    }
}

template <class Work>
auto Database::Impl::run(std::string_view doing, Work&& work) -> core::Result<std::invoke_result_t<Work&, Session&>> {
    try {
        const Lease session = lease();
        return translate(doing, *session, [&] { return work(*session); });
    } catch (SqlFailure& failure) {
        failure.error.context.insert(0, std::string{doing} + ": ");
        return tl::unexpected{std::move(failure.error)};
    }
}

template <class Work>
auto Database::Impl::write(std::string_view doing, Work&& work) -> core::Result<std::invoke_result_t<Work&, Session&>> {
    return run(doing, [&](Session& session) {
        WriteTransaction transaction{*this, session};
        if constexpr (std::is_void_v<std::invoke_result_t<Work&, Session&>>) {
            work(session);
            transaction.commit();
        } else {
            auto result = work(session);
            transaction.commit();
            return result;
        }
    });
}

}  // namespace varde::store
