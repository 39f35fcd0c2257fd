#include "jobs/stored_schedules.hpp"

namespace varde::jobs {

core::Result<std::map<std::string, core::Schedule>> stored_schedules(ports::ScheduleRepository& repository,
                                                                     const std::string& org_id, const std::string& source) {
    constexpr int kPage = 1'000;
    std::map<std::string, core::Schedule> found;
    ports::ScheduleQuery query;
    query.org_id = org_id;
    query.source = source;
    query.limit = kPage;
    for (;;) {
        auto page = repository.list(query);
        if (!page) return tl::unexpected{page.error()};
        for (auto& schedule : *page) found.emplace(schedule.schedule_id, schedule);
        if (std::ssize(*page) < kPage) return found;
        query.after = ports::ScheduleQuery::Place{page->back().created_at, page->back().schedule_id};
    }
}

}  // namespace varde::jobs
