#include "jobs/api_sync_job.hpp"

#include "config/schedule_definition.hpp"
#include "jobs/http_client.hpp"
#include "jobs/stored_schedules.hpp"
#include "jobs/sync_items.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::jobs {
namespace {

using core::Errc;
using core::Result;
using core::Schedule;
using nlohmann::json;

constexpr std::size_t kMostAnswer = std::size_t{16} << 20;
constexpr std::size_t kMostResult = 65'536;  ///< what a run keeps
constexpr std::size_t kMostReasons = 100;
constexpr int kPage = 1'000;

enum class Missing { keep, disable, remove };
std::optional<Missing> missing_from(std::string_view name) {
    constexpr std::array<std::string_view, 3> kNames{"keep", "disable", "delete"};
    const auto* const found = std::ranges::find(kNames, name);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<Missing>(found - kNames.begin());
}

struct Params {
    HttpParams http{.url = {}, .headers = {}, .timeout = std::chrono::seconds{10}};
    SyncTarget target;
    Missing missing = Missing::keep;
};

void read_target(config::JsonSection& section, SyncTarget& target) {
    section.text("target_kind", 1, 100, target.kind);
    if (section.any("target_kind") == nullptr) section.problem("target_kind", "is missing: the job kind of the schedules");
    if (target.kind == "api_sync") section.problem("target_kind", "must be another kind: a sync does not make syncs");
    section.text("item_key", 1, 100, target.item_key);
    section.object("target_params", [&](const json& value, const std::string&) { target.params = value; });
    if (!target.params.is_object()) section.problem("target_params", "must be an object");
    section.object("target_policy", [&](const json& value, const std::string&) { target.policy = value; });
    if (const auto policy = config::read_policy(target.policy); !policy) section.problem("target_policy", policy.error().context);
    section.text("timezone", 1, 100, target.timezone);
    const auto at_noon = config::read_trigger({{"cron", "0 12 * * *"}, {"timezone", target.timezone}});
    if (!at_noon) section.problem("timezone", at_noon.error().context);
}

Result<Params> read(const std::string& text) {
    Params params;
    std::vector<std::string> problems;
    const auto value = json_of(text).value_or(json{});
    config::JsonSection section{value, "params", problems};
    read_http_params(section, params.http);
    read_target(section, params.target);
    section.choice("missing", "keep, disable, delete", missing_from, params.missing);
    section.finish();
    if (!problems.empty()) return core::fail(Errc::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
    return params;
}

/// What was committed.
struct Tally {
    int created = 0, updated = 0, unchanged = 0, removed = 0;
    std::vector<SkippedItem> skipped;

    [[nodiscard]] std::string text() const {
        nlohmann::ordered_json out{{"created", created},     {"updated", updated},
                                   {"unchanged", unchanged}, {"skipped", skipped.size()},
                                   {"removed", removed},     {"reasons", nlohmann::ordered_json::array()}};
        for (const auto& [id, reason] : skipped) {
            if (out["reasons"].size() == kMostReasons) break;
            out["reasons"].push_back({{"id", id}, {"reason", reason}});
        }
        const auto dumped = [&] { return out.dump(-1, ' ', false, json::error_handler_t::replace); };
        while (dumped().size() > kMostResult) out["reasons"].erase(out["reasons"].size() - 1);
        return dumped();
    }
};

/// The schedule is at fault and not the database: the others can be written.
bool is_about_one(const core::Error& error) {
    return error.code == Errc::invalid_argument || error.code == Errc::conflict || error.code == Errc::not_found ||
           error.code == Errc::too_large;
}

/// Brings the schedules of one source in line with a list.
class Alignment {
  public:
    Alignment(ports::ScheduleControl& control, const SyncTarget& target, const std::stop_token& stop)
        : control_{control}, org_id_{target.org_id}, source_{sync_source(target.sync_id)}, stop_{stop} {}

    Result<void> align(SyncItems items, std::map<std::string, Schedule> stored, Missing missing) {
        tally.skipped = std::move(items.skipped);
        for (const auto& wanted : items.schedules) {
            const auto found = stored.find(wanted.schedule_id);
            if (auto done = write(found == stored.end() ? nullptr : &found->second, wanted); !done) return done;
        }
        if (missing == Missing::keep) return {};
        std::erase_if(stored, [&](const auto& entry) { return items.present.contains(entry.first); });
        if (!items.complete && !stored.empty()) {
            tally.skipped.push_back({"", "nothing was removed: an item without domain_config_id may be the one that is missing"});
            return {};
        }
        for (const auto& [id, schedule] : stored) {
            if (auto done = take_away(schedule, missing); !done) return done;
        }
        return {};
    }

    Tally tally;

  private:
    Result<void> write(const Schedule* stored, const Schedule& wanted) {
        if (stored == nullptr) return count(control_.create(wanted, source_), tally.created, wanted.schedule_id);
        if (is_unchanged(*stored, wanted)) {
            ++tally.unchanged;
            return {};
        }
        const auto change = [&](const Schedule& current) -> Result<Schedule> {
            if (current.source != source_) return core::fail(Errc::conflict, "the schedule belongs to " + current.source);
            return updated(current, wanted);
        };
        return count(control_.edit(wanted.schedule_id, org_id_, change, source_), tally.updated, wanted.schedule_id);
    }

    Result<void> take_away(const Schedule& stored, Missing missing) {
        if (missing == Missing::remove) {
            return count(control_.remove(stored.schedule_id, org_id_, false, false, source_), tally.removed, stored.schedule_id);
        }
        if (stored.state == core::ScheduleState::disabled) return {};
        const auto change = [](const Schedule& current) -> Result<Schedule> { return set_aside(current); };
        return count(control_.edit(stored.schedule_id, org_id_, change, source_), tally.removed, stored.schedule_id);
    }

    template <class T>
    Result<void> count(const Result<T>& done, int& counter, const std::string& schedule_id) {
        if (done) {
            ++counter;
        } else if (is_about_one(done.error())) {
            tally.skipped.push_back({schedule_id, cut(done.error().context, 300)});
        } else {
            return tl::unexpected{done.error()};
        }
        if (stop_.stop_requested()) return core::fail(Errc::stopping, "stopped before every schedule was written");
        return {};
    }

    ports::ScheduleControl& control_;
    std::string org_id_;
    std::string source_;
    const std::stop_token& stop_;
};

ports::JobAnswer failed(std::string error, bool retry) { return {false, std::move(error), {}, retry}; }

}  // namespace

ApiSyncJob::ApiSyncJob(ports::ScheduleControl& control, ports::ScheduleRepository& schedules, Environment environment)
    : control_{control}, schedules_{schedules}, environment_{std::move(environment)} {}

Result<void> ApiSyncJob::check(const std::string& params) const {
    const auto sound = read(params);
    if (!sound) return tl::unexpected{sound.error()};
    const auto kinds = control_.job_kinds();
    const bool known = std::ranges::any_of(kinds, [&](const auto& kind) { return kind.first == sound->target.kind; });
    if (!known) {
        return core::fail(Errc::invalid_argument,
                          fmt::format("params.target_kind: there is no job kind '{}'", sound->target.kind));
    }
    return {};
}

ports::JobAnswer ApiSyncJob::run(const ports::JobCall& call) {
    auto params = read(call.params);
    if (!params) return failed(params.error().context, false);
    params->target.sync_id = call.schedule.schedule_id;
    params->target.org_id = call.schedule.org_id;
    params->target.defaults = control_.defaults();
    auto headers = headers_of(params->http, call, environment_);
    if (!headers) return failed(headers.error().context, false);

    HttpRequest request;
    request.url = params->http.url;
    request.headers = std::move(*headers);
    request.timeout = timeout_of(params->http, call);
    request.most_bytes = kMostAnswer;
    const auto reply = http_call(request, call.stop);
    if (!reply) return failed(reply.error().text, reply.error().may_pass());
    if (reply->status < 200 || reply->status > 299) {
        return failed(status_error(request.url, reply->status), status_may_pass(reply->status));
    }
    const auto document = json_of(reply->body);
    if (!document) return failed(server_of(request.url) + " answered no JSON", true);
    auto items = read_sync_items(*document, params->target);
    if (!items) return failed(server_of(request.url) + ": " + items.error().context, true);
    const bool none_usable = items->schedules.empty();

    // From here on schedules are written; before, nothing was.
    auto stored = stored_schedules(schedules_, params->target.org_id, sync_source(params->target.sync_id));
    if (!stored) return failed(stored.error().context, true);
    Alignment alignment{control_, params->target, call.stop};
    const auto done = alignment.align(std::move(*items), std::move(*stored), params->missing);
    ports::JobAnswer answer;
    answer.result = alignment.tally.text();
    answer.ok = done.has_value() && !none_usable;
    if (!done) {
        answer.error = done.error().context;
    } else if (none_usable) {
        answer.error = fmt::format("none of the {} items can be used: {}", alignment.tally.skipped.size(),
                                   alignment.tally.skipped.front().reason);
    }
    return answer;
}

}  // namespace varde::jobs
