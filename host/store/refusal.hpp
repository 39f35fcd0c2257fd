#pragma once
#include "store/database_impl.hpp"

namespace varde::store {

/// Thrown inside a transaction by what is not allowed: undoes it, and is the caller's error as it stands.
struct Refusal {
    core::Error error;
};

[[noreturn]] inline void refuse(core::Errc code, std::string context,
                                std::source_location where = std::source_location::current()) {
    throw Refusal{core::Error{code, std::move(context), where}};
}

/// Database::Impl::write() with refusals.
template <class Work>
auto write_unless_refused(Database& database, std::string_view doing, Work&& work)
    -> core::Result<std::invoke_result_t<Work&, Session&>> {
    try {
        return database.impl().write(doing, std::forward<Work>(work));
    } catch (Refusal& refusal) {
        return tl::unexpected{std::move(refusal.error)};
    }
}

/// The same, again if PostgreSQL ended it because two transactions waited for each other: then nothing was stored.
template <class Work>
auto write_in_the_end(Database& database, std::string_view doing, Work&& work)
    -> core::Result<std::invoke_result_t<Work&, Session&>> {
    static constexpr int most = 5;
    for (int attempt = 1;; ++attempt) {
        auto result = write_unless_refused(database, doing, work);
        const bool deadlock = !result && result.error().context.find("SQLSTATE 40P01") != std::string::npos;
        if (!deadlock || attempt == most) return result;
    }
}

}  // namespace varde::store
