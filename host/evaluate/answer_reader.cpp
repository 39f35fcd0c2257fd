#include "evaluate/answer_reader.hpp"

#include "evaluate/evidence_text.hpp"
#include "evaluate/worker_death.hpp"
#include "time/utc_text.hpp"
#include "wire/answer_rules.hpp"
#include "wire/message.hpp"

#include <bit>
#include <string>

#include <simdjson.h>

namespace varde::evaluate {
namespace {

using core::Instant;
using wire::RecordKind;

constexpr std::size_t max_records = wire::max_findings + wire::max_fields + wire::max_steps + 4;
// Years 1 .. 9999: what the time formats can say.
constexpr std::int64_t first_us = -62'135'596'800'000'000;
constexpr std::int64_t last_us = 253'402'300'799'999'999;

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text); }
bool is_sayable(std::int64_t us) { return us >= first_us && us <= last_us; }

/// Collects one answer. After the first breach the rest is read for its length only.
class AnswerBuilder {
  public:
    explicit AnswerBuilder(const Question& question) : question_{question} {}

    void outcome(wire::ByteReader& in) {
        const auto outcome = in.take<std::int32_t>();
        const auto valid_until = in.take<std::int64_t>();
        const std::string_view reason = in.take_text();
        if (has_outcome_) return breach("the outcome was given twice");
        if (outcome < VARDE_OUTCOME_UNKNOWN || outcome > VARDE_OUTCOME_NO_DATA)
            return breach("outcome is not one of VARDE_OUTCOME_*");
        if (reason.size() > wire::max_message_bytes || !is_utf8(reason))
            return breach("the reason is not UTF-8 of at most 4000 bytes");
        has_outcome_ = true;
        outcome_ = outcome;
        completed_.reason = reason;
        completed_.valid_until = valid_until == VARDE_NEVER ? Instant::max() : core::instant_from_us(valid_until);
    }

    void finding(wire::ByteReader& in) {
        end_finding();
        const auto severity = in.take<std::int32_t>();
        const auto since = in.take<std::int64_t>();
        const auto until = in.take<std::int64_t>();
        const auto timestamp = in.take<std::int64_t>();
        const std::string_view title = in.take_text();
        const std::string_view explanation = in.take_text();
        if (completed_.findings.size() == wire::max_findings) return breach("more than 64 findings");
        if (const char* problem = wire::problem_of_finding(severity, title.size(), explanation.size())) return breach(problem);
        if (!is_utf8(title)) return breach("a title is not UTF-8");
        if (!is_utf8(explanation)) return breach("an explanation is not UTF-8");
        core::Finding finding;
        finding.severity = static_cast<core::Severity>(severity);
        finding.title = title;
        finding.explanation = explanation;
        finding.window = {instant(since, question_.window.since), instant(until, question_.window.until)};
        finding.timestamp = instant(timestamp, question_.now);
        // May be empty or backwards: so may the window that was asked about, and a rule may look back by less than nothing.
        completed_.findings.push_back(std::move(finding));
        shape_ = {};
        open_ = true;
    }

    void field(wire::ByteReader& in) {
        const auto kind = in.take<std::uint32_t>();
        const std::string_view key = in.take_text();
        const std::string_view text = in.take_text();
        const auto integer = in.take<std::int64_t>();
        if (!in.ok() || !breach_.empty()) return;
        if (!open_) return breach("evidence before the first finding");
        if (++fields_ > wire::max_fields) return breach("more than 4096 evidence fields");
        const bool was_list = shape_.in_list();
        const auto real = std::bit_cast<double>(integer);
        if (const char* problem = shape_.accept(kind, key.size(), integer, real, question_.n_rows)) return breach(problem);
        if (!is_utf8(key) || !is_utf8(text)) return breach("evidence: a text is not UTF-8");
        if (kind == VARDE_TIME && !is_sayable(integer)) return breach("evidence: a time is outside the years 1 .. 9999");
        write_field(kind, key, text, integer, real, was_list);
    }

    void step(wire::ByteReader& in) {
        const auto kind = in.take<std::int32_t>();
        const std::string_view text = in.take_text();
        if (!in.ok() || kind < VARDE_STEP_FAILED || kind > VARDE_STEP_NOTE || text.size() > wire::max_step_bytes) return;
        static constexpr core::Step::Kind kinds[] = {core::Step::Kind::failed, core::Step::Kind::held, core::Step::Kind::note};
        completed_.steps.push_back({kinds[kind], is_utf8(text) ? std::string{text} : "(a step that is not UTF-8)"});
    }

    void state(wire::ByteReader& in) {
        const std::string_view bytes = in.take_text();
        if (completed_.state) return breach("the state was given twice");
        if (bytes.size() > wire::max_state_bytes) return breach("the state is larger than 64 KiB");
        completed_.state.emplace(bytes);
    }

    void fault(const wire::Fault& fault) { fault_ = failure_of(fault, core::Phase::evaluate, question_.memory_bytes); }

    core::Verdict finish(std::uint64_t duration_ns) {
        const std::chrono::nanoseconds duration{
            static_cast<std::int64_t>(std::min<std::uint64_t>(duration_ns, 86'400'000'000'000u))};
        end_finding();
        if (!has_outcome_) outcome_ = completed_.findings.empty() ? VARDE_OUTCOME_NOT_MET : VARDE_OUTCOME_MET;
        if (const char* problem = wire::problem_of_outcome(outcome_, completed_.findings.size())) breach(problem);
        if (!fault_ && !breach_.empty())
            fault_ = core::Failed{core::FailureReason::bad_result, core::Phase::evaluate, breach_, 0, 0, {}};
        if (fault_) {
            fault_->duration = duration;
            return std::move(*fault_);
        }
        static constexpr core::Outcome outcomes[] = {core::Outcome::unknown, core::Outcome::met, core::Outcome::not_met,
                                                     core::Outcome::no_data};
        completed_.outcome = outcomes[outcome_];
        completed_.duration = duration;
        return std::move(completed_);
    }

  private:
    void breach(std::string what) {
        if (breach_.empty()) breach_ = std::move(what);
    }
    Instant instant(std::int64_t us, Instant otherwise) {
        if (us == VARDE_TIME_UNSET) return otherwise;
        if (!is_sayable(us)) breach("a finding's time is outside the years 1 .. 9999");
        return core::instant_from_us(us);
    }
    void end_finding() {
        if (!open_) return;
        open_ = false;
        if (!shape_.closed()) breach("evidence: a list or object was not closed");
        completed_.findings.back().evidence = evidence_.finish();
    }
    void write_field(std::uint32_t kind, std::string_view key, std::string_view text, std::int64_t integer, double real,
                     bool was_list) {
        switch (kind) {
            case VARDE_NULL: return evidence_.null(key);
            case VARDE_FALSE: return evidence_.boolean(key, false);
            case VARDE_TRUE: return evidence_.boolean(key, true);
            case VARDE_INTEGER: return evidence_.integer(key, integer);
            case VARDE_REAL: return evidence_.real(key, real);
            case VARDE_TEXT: return evidence_.text(key, text);
            case VARDE_LIST: return evidence_.open(key, true);
            case VARDE_OBJECT: return evidence_.open(key, false);
            case VARDE_TIME: return evidence_.text(key, time::format_utc_offset(core::instant_from_us(integer)));
            case VARDE_EVENT: return evidence_.text(key, question_.event_id(static_cast<std::uint32_t>(integer)));
            default: return evidence_.close(was_list);
        }
    }

    const Question& question_;
    core::Completed completed_;
    std::optional<core::Failed> fault_;
    std::string breach_;
    bool has_outcome_ = false;
    std::int32_t outcome_ = 0;
    bool open_ = false;
    std::size_t fields_ = 0;
    wire::EvidenceShape shape_;
    EvidenceText evidence_;
};

}  // namespace

std::optional<core::Verdict> read_answer(wire::ByteReader& in, const Question& question) {
    AnswerBuilder answer{question};
    for (std::size_t records = 0; records < max_records && in.ok(); ++records) {
        switch (in.take<RecordKind>()) {
            case RecordKind::outcome: answer.outcome(in); break;
            case RecordKind::finding: answer.finding(in); break;
            case RecordKind::field: answer.field(in); break;
            case RecordKind::step: answer.step(in); break;
            case RecordKind::state: answer.state(in); break;
            case RecordKind::fault: {
                wire::Fault fault;
                wire::take(in, fault);
                if (in.ok()) answer.fault(fault);
                break;
            }
            case RecordKind::end: {
                const auto duration_ns = in.take<std::uint64_t>();
                if (!in.ok()) return std::nullopt;
                return answer.finish(duration_ns);
            }
            default: return std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace varde::evaluate
