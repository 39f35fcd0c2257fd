#include "store/database.hpp"

#include "store/database_impl.hpp"

#include <fmt/format.h>

namespace varde::store {

std::string_view name_of(Engine engine) { return engine == Engine::sqlite ? "sqlite" : "postgresql"; }

Database::Database(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Database::~Database() = default;

core::Result<std::unique_ptr<Database>> Database::open(const DatabaseSettings& settings) {
    if (settings.sessions < 1 || settings.sessions > 64) {
        return core::fail(core::Errc::invalid_argument, "database sessions must be 1 to 64");
    }
    auto url = parse_database_url(settings.url);
    if (!url) return tl::unexpected{url.error()};
    std::unique_ptr<Database> database{new Database{std::make_unique<Impl>(std::move(*url), settings)}};
    if (auto answer = database->ping(); !answer) return tl::unexpected{answer.error()};
    return database;
}

Engine Database::engine() const { return impl_->engine(); }
const std::string& Database::description() const { return impl_->description(); }

core::Result<void> Database::ping() {
    return impl_->run("asking the database", [](Session& session) { session.exec("SELECT 1"); });
}

Database::Impl::Impl(DatabaseUrl url, DatabaseSettings settings) : url_{std::move(url)}, settings_{std::move(settings)} {}

std::unique_ptr<Session> Database::Impl::connect() const {
    return engine() == Engine::sqlite ? connect_sqlite(url_, settings_) : connect_postgres(url_, settings_);
}

Database::Impl::Lease Database::Impl::lease() {
    std::unique_ptr<Session> session;
    {
        std::unique_lock lock{mutex_};
        if (!returned_.wait_for(lock, settings_.busy_timeout, [&] { return leased_ < settings_.sessions; })) {
            throw SqlFailure{core::Error{
                core::Errc::database_unavailable,
                fmt::format("all {} database sessions were busy for {} ms", settings_.sessions, settings_.busy_timeout.count())}};
        }
        ++leased_;
        if (!idle_.empty()) {
            session = std::move(idle_.back());  // the last one used: its caches are warm
            idle_.pop_back();
        }
    }
    try {
        if (!session || !session->usable()) session = connect();
    } catch (...) {
        give_back(nullptr);
        throw;
    }
    return Lease{*this, std::move(session)};
}

void Database::Impl::give_back(std::unique_ptr<Session> session) noexcept {
    // usable() is asked again by the next lease; here it keeps dead sessions from holding a slot of the server.
    if (session && (session->in_transaction() || !session->usable())) session.reset();
    const std::lock_guard lock{mutex_};
    --leased_;
    if (session) idle_.push_back(std::move(session));
    returned_.notify_one();
}

FairLock::Guard Database::Impl::writers_turn() {
    if (engine() == Engine::postgresql) return {};
    if (!writers_.acquire(settings_.busy_timeout)) {
        throw SqlFailure{core::Error{
            core::Errc::database_unavailable,
            fmt::format("another writer of this process held the database for {} ms", settings_.busy_timeout.count())}};
    }
    return FairLock::Guard{writers_};
}

WriteTransaction::WriteTransaction(Database::Impl& database, Session& session, Begin begin)
    : session_{session}, turn_{database.writers_turn()} {
    if (begin == Begin::now) session_.exec(session_.engine() == Engine::sqlite ? "BEGIN IMMEDIATE" : "BEGIN");
}

WriteTransaction::~WriteTransaction() {
    try {
        if (session_.in_transaction()) session_.exec("ROLLBACK");
    } catch (const SqlFailure&) {
        // The session is then not usable and is thrown away, which rolls back too.
    }
}

}  // namespace varde::store
