#pragma once
#include "core/instant.hpp"
#include "core/scope.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <variant>

#include <soci/soci.h>

namespace varde::store {

/// The WHERE of a query whose filters are optional, with its bound values. It must outlive the statement it is bound to.
class Conditions {
  public:
    /// `column` and `comparison` are literals of ours; the value is bound.
    Conditions& add(std::string_view column, std::string_view comparison, std::string bound);
    Conditions& add(std::string_view column, std::string_view comparison, long long bound);
    Conditions& add(std::string_view column, std::string_view comparison, core::Instant at) {
        return add(column, comparison, static_cast<long long>(core::to_us(at)));
    }
    /// Keyset paging: rows whose `columns`, "(a, b)", come before (at, bound) in the order of both.
    Conditions& before(std::string_view columns, core::Instant at, std::string bound);
    Conditions& equals(const core::Scope& scope);
    Conditions& admitted_by(const core::ScopeFilter& filter);
    template <class Range>
    Conditions& any_of(std::string_view column, const Range& values);

    /// " WHERE a = :v0 AND ...", or empty.
    [[nodiscard]] const std::string& where() const { return where_; }
    /// Prepares `statement` with `sql`, which holds where() and maybe more values of this.
    void execute(soci::statement& statement, const std::string& sql) const;
    /// Binds one more value; its placeholder for the rest of the query.
    [[nodiscard]] std::string value(std::variant<std::string, long long> bound);

  private:
    void conjunction();
    std::string where_;
    std::deque<std::variant<std::string, long long>> values_;
};

template <class Range>
Conditions& Conditions::any_of(std::string_view column, const Range& values) {
    if (values.empty()) return *this;
    std::string list;
    for (const std::string& one : values) list += (list.empty() ? "" : ", ") + value(one);
    conjunction();
    where_ += std::string{column} + " IN (" + list + ")";
    return *this;
}

}  // namespace varde::store
