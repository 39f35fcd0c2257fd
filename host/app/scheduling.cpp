#include "app/scheduling.hpp"

namespace varde::app {
namespace {

core::SchedulePolicy defaults_of(const config::HostConfig::Jobs& jobs) {
    core::SchedulePolicy policy;
    policy.misfire_grace = jobs.defaults.misfire_grace;
    policy.coalesce = jobs.defaults.coalesce;
    policy.max_instances = jobs.defaults.max_instances;
    return policy;
}

}  // namespace

Scheduling::Scheduling(Parts parts)
    : time_{parts.storage.runs(), parts.clock, parts.log},
      desk_{{parts.storage.schedules(), parts.storage.runs(), kinds_, time_, parts.log, &parts.storage.calendars(),
             defaults_of(parts.settings.jobs)},
            [this] {
                if (changed_) changed_();
            }},
      calendars_{parts.storage.calendars(), time_, parts.log,
                 [this] {
                     if (changed_) changed_();
                 }},
      retention_{{parts.storage.events(), parts.storage.deviations(), parts.storage.decisions(), parts.storage.runs(), time_,
                  std::move(parts.rules_need)}},
      rule_evaluation_{parts.rules, parts.storage.is_single_host() ? nullptr : &parts.storage.runs()},
      rule_schedules_{{desk_, parts.storage.schedules(), parts.storage.runs(), time_, parts.log}},
      api_sync_{desk_, parts.storage.schedules()},
      plugin_{parts.libraries} {
    for (ports::JobKind* kind : std::initializer_list<ports::JobKind*>{&noop_, &http_, &retention_, &rule_evaluation_, &api_sync_,
                                                                       &plugin_, &publish_, &remote_}) {
        kinds_.add(*kind);
    }
    // A database that does not answer now is told of by whoever asks it next; the time is this machine's until then.
    (void)time_.sample();
}

}  // namespace varde::app
