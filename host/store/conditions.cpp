#include "store/conditions.hpp"

namespace varde::store {

std::string Conditions::value(std::variant<std::string, long long> bound) {
    values_.push_back(std::move(bound));
    return ":v" + std::to_string(values_.size() - 1);
}

void Conditions::conjunction() { where_ += where_.empty() ? " WHERE " : " AND "; }

Conditions& Conditions::add(std::string_view column, std::string_view comparison, std::string bound) {
    conjunction();
    where_ += std::string{column} + " " + std::string{comparison} + " " + value(std::move(bound));
    return *this;
}

Conditions& Conditions::add(std::string_view column, std::string_view comparison, long long bound) {
    conjunction();
    where_ += std::string{column} + " " + std::string{comparison} + " " + value(bound);
    return *this;
}

Conditions& Conditions::before(std::string_view columns, core::Instant at, std::string bound) {
    conjunction();
    const std::string first = value(static_cast<long long>(core::to_us(at)));
    where_ += std::string{columns} + " < (" + first + ", " + value(std::move(bound)) + ")";
    return *this;
}

Conditions& Conditions::equals(const core::Scope& scope) {
    return add("org_id", "=", scope.org_id).add("home_id", "=", scope.home_id).add("subject_id", "=", scope.subject_id);
}

Conditions& Conditions::admitted_by(const core::ScopeFilter& filter) {
    if (!filter.org_id.empty()) add("org_id", "=", filter.org_id);
    if (!filter.home_id.empty()) add("home_id", "=", filter.home_id);
    if (!filter.subject_id.empty()) add("subject_id", "=", filter.subject_id);
    return *this;
}

void Conditions::execute(soci::statement& statement, const std::string& sql) const {
    int number = 0;
    for (const auto& bound : values_) {
        const std::string name = "v" + std::to_string(number++);
        std::visit([&](const auto& one) { statement.exchange(soci::use(one, name)); }, bound);
    }
    statement.alloc();
    statement.prepare(sql, soci::details::st_one_time_query);  // on PostgreSQL one round trip instead of three
    statement.define_and_bind();
    statement.execute();
}

}  // namespace varde::store
