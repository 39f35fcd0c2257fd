#include "store/dependency_rows.hpp"

#include "store/refusal.hpp"
#include "store/row_batch.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace varde::store {
namespace {

using Edges = std::map<std::string, std::set<std::string>>;

/// Every edge that can be walked from a schedule, in the direction of `texts`.
Edges edges_from(Session& session, const SqlTexts& texts, const std::string& schedule_id) {
    Edges edges;
    ask(session, texts, {schedule_id}, [&](const SqlRow& row) { edges[row.string(0)].insert(row.string(1)); });
    return edges;
}

constexpr SqlTexts edges_down{
    "WITH RECURSIVE reached (id) AS (SELECT CAST($1 AS TEXT) COLLATE \"C\" UNION SELECT e.depends_on FROM reached"
    " JOIN schedule_edges AS e ON e.schedule_id = reached.id)"
    " SELECT e.schedule_id, e.depends_on FROM reached JOIN schedule_edges AS e ON e.schedule_id = reached.id",
    "WITH RECURSIVE reached (id) AS (SELECT ?1 UNION SELECT e.depends_on FROM reached"
    " JOIN schedule_edges AS e ON e.schedule_id = reached.id)"
    " SELECT e.schedule_id, e.depends_on FROM reached JOIN schedule_edges AS e ON e.schedule_id = reached.id"};
constexpr SqlTexts edges_up{
    "WITH RECURSIVE reached (id) AS (SELECT CAST($1 AS TEXT) COLLATE \"C\" UNION SELECT e.schedule_id FROM reached"
    " JOIN schedule_edges AS e ON e.depends_on = reached.id)"
    " SELECT e.depends_on, e.schedule_id FROM reached JOIN schedule_edges AS e ON e.depends_on = reached.id",
    "WITH RECURSIVE reached (id) AS (SELECT ?1 UNION SELECT e.schedule_id FROM reached"
    " JOIN schedule_edges AS e ON e.depends_on = reached.id)"
    " SELECT e.depends_on, e.schedule_id FROM reached JOIN schedule_edges AS e ON e.depends_on = reached.id"};

/// What edges lead to, nearest first, each with the one before it on a shortest way. `start` is among them if there is a circle.
std::vector<std::pair<std::string, std::string>> walk(const Edges& edges, const std::string& start) {
    std::vector<std::pair<std::string, std::string>> order;
    std::set<std::string> seen;
    std::vector<std::string> ring{start};
    while (!ring.empty()) {
        std::map<std::string, std::string> next;  // by id, in its order
        for (const std::string& from : ring) {
            const auto found = edges.find(from);
            if (found == edges.end()) continue;
            for (const std::string& to : found->second) {
                if (!seen.contains(to)) next.emplace(to, from);
            }
        }
        ring.clear();
        for (auto& [to, from] : next) {
            seen.insert(to);
            ring.push_back(to);
            order.emplace_back(to, from);
        }
    }
    return order;
}

void refuse_circle(Session& session, const std::string& schedule_id) {
    const auto reached = walk(edges_from(session, edges_down, schedule_id), schedule_id);
    const auto before = std::map<std::string, std::string>(reached.begin(), reached.end());
    if (!before.contains(schedule_id)) return;
    std::vector<std::string> path{schedule_id};
    do path.push_back(before.at(path.back()));
    while (path.back() != schedule_id);
    std::ranges::reverse(path);
    refuse(core::Errc::conflict, fmt::format("cycle: {}", fmt::join(path, " -> ")));
}

void refuse_unknown(Session& session, const core::Schedule& schedule) {
    static constexpr SqlTexts known{"SELECT schedule_id FROM schedules WHERE schedule_id = ANY ($1::text[]) AND org_id = $2",
                                    "SELECT schedule_id FROM schedules WHERE schedule_id = ?1 AND org_id = ?2"};
    RowBatch batch{"t"};
    for (const std::string& id : schedule.policy.depends_on) batch.add({id});
    std::set<std::string> found;
    batch.execute(session, known, {schedule.org_id}, [&](const SqlRow& row) { found.insert(row.string(0)); });
    for (const std::string& id : schedule.policy.depends_on) {
        if (!found.contains(id)) refuse(core::Errc::not_found, fmt::format("depends_on: there is no schedule {}", id));
    }
}

}  // namespace

void lock_dependencies(Session& session) {
    // 0x7661726465000002: "varde", 2; 1 is the append lock. SQLite has one writer anyway.
    if (session.engine() == Engine::postgresql) session.exec("SELECT pg_advisory_xact_lock(8530224944733224962)");
}

void write_dependencies(Session& session, const core::Schedule& schedule) {
    static constexpr SqlTexts erase{"DELETE FROM schedule_edges WHERE schedule_id = $1",
                                    "DELETE FROM schedule_edges WHERE schedule_id = ?1"};
    static constexpr SqlTexts insert{
        "INSERT INTO schedule_edges (schedule_id, depends_on) SELECT * FROM unnest($1::text[], $2::text[])"
        " ON CONFLICT DO NOTHING",
        "INSERT INTO schedule_edges (schedule_id, depends_on) VALUES (?1, ?2) ON CONFLICT DO NOTHING"};
    lock_dependencies(session);
    refuse_unknown(session, schedule);
    ask(session, erase, {schedule.schedule_id});
    RowBatch batch{"tt"};
    for (const std::string& id : schedule.policy.depends_on) batch.add({schedule.schedule_id, id});
    batch.execute(session, insert);
    refuse_circle(session, schedule.schedule_id);
}

void erase_dependencies(Session& session, const std::string& schedule_id) {
    static constexpr SqlTexts erase{"DELETE FROM schedule_edges WHERE schedule_id = $1 OR depends_on = $1",
                                    "DELETE FROM schedule_edges WHERE schedule_id = ?1 OR depends_on = ?1"};
    ask(session, erase, {schedule_id});
}

std::vector<std::string> dependents_of(Session& session, const std::string& schedule_id, bool transitive) {
    Edges edges = edges_from(session, edges_up, schedule_id);
    if (!transitive) std::erase_if(edges, [&](const auto& edge) { return edge.first != schedule_id; });
    std::vector<std::string> ids;
    for (auto& [id, before] : walk(edges, schedule_id)) ids.push_back(id);
    return ids;
}

std::vector<ports::DependencyFacts> dependency_facts(Session& session, const std::vector<const core::Schedule*>& schedules) {
    static constexpr SqlTexts theirs{
        "SELECT e.schedule_id, e.depends_on, (SELECT max(r.finished_at) FROM runs AS r WHERE r.schedule_id = e.depends_on AND"
        " r.state = 'success') FROM schedule_edges AS e WHERE e.schedule_id = ANY ($1::text[])",
        "SELECT e.schedule_id, e.depends_on, (SELECT max(r.finished_at) FROM runs AS r WHERE r.schedule_id = e.depends_on AND"
        " r.state = 'success') FROM schedule_edges AS e WHERE e.schedule_id = ?1"};
    static constexpr SqlTexts own{
        "SELECT w.id, (SELECT r.started_at FROM runs AS r WHERE r.schedule_id = w.id AND r.state = 'success'"
        " ORDER BY r.finished_at DESC LIMIT 1) FROM unnest($1::text[]) AS w (id)",
        "SELECT ?1, (SELECT r.started_at FROM runs AS r WHERE r.schedule_id = ?1 AND r.state = 'success'"
        " ORDER BY r.finished_at DESC LIMIT 1)"};
    RowBatch batch{"t"};
    std::map<std::string, ports::DependencyFacts, std::less<>> found;
    for (const core::Schedule* schedule : schedules) {
        if (schedule->policy.depends_on.empty()) continue;
        if (!found.contains(schedule->schedule_id)) batch.add({schedule->schedule_id});
        // Also those that were deleted: nobody will ever say that they succeeded.
        for (const std::string& id : schedule->policy.depends_on) found[schedule->schedule_id].succeeded_at[id];
    }
    batch.execute(session, theirs, {},
                  [&](const SqlRow& row) { found.find(row.text(0))->second.succeeded_at[row.string(1)] = row.maybe_instant(2); });
    batch.execute(session, own, {},
                  [&](const SqlRow& row) { found.find(row.text(0))->second.own_success_started_at = row.maybe_instant(1); });
    std::vector<ports::DependencyFacts> in_order;
    for (const core::Schedule* schedule : schedules) in_order.push_back(found[schedule->schedule_id]);
    return in_order;
}

}  // namespace varde::store
