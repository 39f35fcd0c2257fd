#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"
#include "core/scope.hpp"
#include "ports/event_log.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace varde::api {

/// Events of one category within the last 24 hours, by event time; what is stamped in the future is not there yet.
struct CategoryCount {
    std::string category;
    core::Instant newest{};
    std::uint64_t events = 0;
    std::uint64_t without_room = 0;  ///< of `events`
};

/// What came in lately, counted per home and category for /health/detail. It follows the event log in the order of arrival, as far as
/// somebody looks: each look reads what was stored since the last one, so that nothing is counted twice, whoever stored it, and a restart
/// loses nothing (the first look reads the events of the last 24 hours again). Counts go by steps of 10 minutes.
///
/// Bounded: a look reads at most kLookReads events, and kMaxHomes homes with kMaxCategories each are counted. Blocking: call on a
/// database thread. Thread-safe. The log must outlive it.
class RecentEvents {
  public:
    static constexpr std::size_t kLookReads = 500'000;
    static constexpr std::size_t kMaxHomes = 10'000;
    static constexpr std::size_t kMaxCategories = 100;  ///< of one home; further ones are counted together as kMore
    static constexpr std::string_view kMore = "(more)";
    static constexpr std::size_t kMaxAhead = 10'000;  ///< events stamped in the future that are remembered until it is their time

    explicit RecentEvents(ports::EventLog& log, std::size_t look_reads = kLookReads) : log_{log}, look_reads_{look_reads} {}

    struct View {
        std::vector<CategoryCount> categories;  ///< the one with the newest event first
        bool complete = true;  ///< false: there is more to read, a later look knows; or kMaxHomes or kMaxAhead was met
    };
    /// Reads on and counts what `visible` admits.
    [[nodiscard]] core::Result<View> look(core::Instant now, const core::ScopeFilter& visible);

  private:
    struct Count {
        std::uint64_t events = 0;
        std::uint64_t without_room = 0;
    };
    struct Category {
        core::Instant newest{};
        std::map<std::int64_t, Count> steps;  // by event time / 10 minutes
    };
    using Home = std::map<std::string, Category, std::less<>>;
    struct Ahead {
        core::Instant time;
        core::Scope scope;
        std::string category;
        bool without_room;
    };

    core::Result<void> read_on(core::Instant now);
    void count(const Ahead& event);
    void count_due(core::Instant now);
    void forget_before(core::Instant since);

    ports::EventLog& log_;
    const std::size_t look_reads_;
    std::mutex mutex_;  // guards what follows
    std::map<core::Scope, Home> homes_;
    std::vector<Ahead> ahead_;
    std::int64_t last_ = 0;     // seq up to which was read
    core::Instant looked_{};    // the last time; what is a day older is not read any more
    bool caught_up_ = false;    // the last look read everything
    core::Instant left_out_{};  // when a bound was last met
};

}  // namespace varde::api
