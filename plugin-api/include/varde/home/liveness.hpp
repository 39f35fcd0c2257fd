/// Whether a home still sends events: one definition for R-009, which says so, and for the rules that can only judge a home that does.
#pragma once
#include <varde/home/minutes.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace varde::home {

/// What is asked of a home.
struct LivenessTerms {
    int64_t max_age_minutes = 15;           ///< the newest event may be this old; 15:59.999999 is 15
    std::vector<std::string> categories{};  ///< events that count; not empty
    std::string stream{};                   ///< only events of this stream; empty: of any
    bool ignore_future = false;  ///< judge at the end of the window; what lies beyond it plus the tolerance does not count
    int64_t future_tolerance_minutes = 5;
    int64_t max_quiet_minutes = 0;          ///< > 0: allowed instead in a home that sends no heartbeats
    std::vector<std::string> heartbeats{};  ///< categories that are sent also when nobody moves

    /// The parameters of R-009, and of every rule that shares its definition: max_age_minutes, liveness_categories, stream_id,
    /// ignore_future_events, future_tolerance_minutes, max_quiet_minutes, heartbeat_categories.
    [[nodiscard]] static LivenessTerms of(const Value& params) {
        LivenessTerms terms;
        terms.max_age_minutes = get_minutes(params, "max_age_minutes", 15);
        terms.categories = categories_of(params);
        if (const Value stream = params["stream_id"]; stream.truthy()) terms.stream = trim(stream.str());
        terms.ignore_future = params.flag("ignore_future_events", false);
        terms.future_tolerance_minutes = strict_minutes(params, "future_tolerance_minutes", 5);
        terms.max_quiet_minutes = strict_minutes(params, "max_quiet_minutes", 0);
        if (terms.max_quiet_minutes != 0 && terms.max_quiet_minutes < terms.max_age_minutes)
            params["max_quiet_minutes"].refuse(std::to_string(terms.max_quiet_minutes) + " is shorter than max_age_minutes, " +
                                               std::to_string(terms.max_age_minutes));
        terms.heartbeats = params.words("heartbeat_categories", {"heartbeat"});
        return terms;
    }

    /// What the gates of the reference ask, whatever R-009 is told: liveness_max_age_minutes and liveness_categories.
    [[nodiscard]] static LivenessTerms of_reference_gate(const Value& params) {
        LivenessTerms terms;
        terms.max_age_minutes = get_minutes(params, "liveness_max_age_minutes", 15);
        terms.categories = categories_of(params);
        return terms;
    }

  private:
    static std::vector<std::string> categories_of(const Value& params) {
        return params.words("liveness_categories", {"presence", "motion", "door", "heartbeat"});
    }
};

/// Judges a home by its terms. Kept in the rule; made once in its constructor, where it declares one or two reads.
class Liveness {
  public:
    struct Answer {
        bool alive = false;
        std::optional<Instant> last;         ///< time of the newest event that counts
        std::optional<int64_t> lag_minutes;  ///< its age, rounded down; negative for one in the future
        int64_t allowed_minutes = 0;
        std::string reason;                       ///< one line with these numbers
        std::optional<Instant> changes = {};      ///< for valid_until: when `alive` changes if no event comes; nothing: never
        std::optional<Instant> lag_changes = {};  ///< for valid_until: when lag_minutes does; nothing: there is none
    };

    Liveness() = default;
    Liveness(Setup& setup, LivenessTerms terms) : terms_(std::move(terms)) {
        std::optional<Literal> stream;
        if (!terms_.stream.empty()) stream = setup.literal(terms_.stream);
        newest_ = latest(setup, terms_.categories, stream);
        if (terms_.max_quiet_minutes > 0) heartbeat_ = latest(setup, terms_.heartbeats, stream);
    }

    [[nodiscard]] const LivenessTerms& terms() const { return terms_; }

    [[nodiscard]] Answer judge(const Window& window) const {
        const Instant at = terms_.ignore_future ? std::min(window.until(), window.now()) : window.now();
        Answer answer;
        answer.allowed_minutes = terms_.max_age_minutes;
        std::optional<Instant> forgotten;  // when the home no longer counts as one with heartbeats
        if (terms_.max_quiet_minutes > 0) {
            const auto beat = window.rows(heartbeat_).back();
            if (beat && at - beat->time() < kHeartbeatMemory)
                forgotten = beat->time() + kHeartbeatMemory;
            else
                answer.allowed_minutes = terms_.max_quiet_minutes;
        }
        if (const auto last = window.rows(newest_).back()) weigh(answer, last->time(), at, forgotten);
        // Where `now` is ahead of the window's end it stays so: a change comes that much earlier for windows that move on.
        const microseconds ahead = std::max(at - window.until(), microseconds(0));
        if (answer.changes) *answer.changes -= ahead;
        if (answer.lag_changes) *answer.lag_changes -= ahead;
        answer.reason = reason(answer);
        return answer;
    }

  private:
    static constexpr microseconds kHeartbeatMemory = hours(7 * 24);

    Read latest(Setup& setup, const std::vector<std::string>& categories, std::optional<Literal> stream) const {
        if (!terms_.ignore_future) return setup.latest(setup.literals(categories), stream);
        return setup.latest_before(at_until + minutes(terms_.future_tolerance_minutes), setup.literals(categories), stream);
    }

    void weigh(Answer& answer, Instant last, Instant at, std::optional<Instant> forgotten) const {
        answer.last = last;
        answer.lag_minutes = floor_minutes(at - last);
        answer.lag_changes = last + minutes(*answer.lag_minutes + 1);
        answer.alive = *answer.lag_minutes <= answer.allowed_minutes;
        if (answer.alive)
            answer.changes = last + minutes(answer.allowed_minutes + 1);
        else if (forgotten && last + minutes(terms_.max_quiet_minutes + 1) > *forgotten)
            answer.changes = forgotten;
    }

    [[nodiscard]] std::string reason(const Answer& answer) const {
        std::string names;
        for (const std::string& category : terms_.categories) names += (names.empty() ? "" : ", ") + category;
        const std::string where = terms_.stream.empty() ? "" : " in stream " + terms_.stream;
        if (!answer.last) return "no event of " + names + where + " ever came";
        return "the newest event of " + names + where + " is " + std::to_string(*answer.lag_minutes) + " minutes old, " +
               std::to_string(answer.allowed_minutes) + " are allowed";
    }

    LivenessTerms terms_;
    Read newest_, heartbeat_;
};

}  // namespace varde::home
