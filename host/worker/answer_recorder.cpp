#include "worker/answer_recorder.hpp"

#include "worker/caught.hpp"
#include "worker/rule_log.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <ctime>
#include <optional>

namespace varde::worker {

using wire::RecordKind;

std::uint64_t monotonic_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

AnswerRecorder::AnswerRecorder(wire::ByteWriter& out) : out_{out} {
    sink_.struct_size = sizeof sink_;
    sink_.ctx = this;
    sink_.outcome = [](void* ctx, std::int32_t outcome, const char* reason, std::uint32_t length, std::int64_t valid_until) {
        return self(ctx).outcome(outcome, reason, length, valid_until);
    };
    sink_.finding = [](void* ctx, const varde_finding* finding) { return self(ctx).finding(finding); };
    sink_.field = [](void* ctx, const varde_field* field) { return self(ctx).field(field); };
    sink_.fail = [](void* ctx, const char* text, std::uint32_t length) -> std::int32_t {
        if (text == nullptr) return VARDE_E_ARGUMENT;
        self(ctx).failure_.assign(text, std::min<std::size_t>(length, wire::max_message_bytes));
        return VARDE_OK;
    };
    sink_.log = [](void*, std::int32_t level, const char* text, std::uint32_t length) { write_log_line(level, text, length); };
    sink_.should_stop = [](void* ctx) -> std::uint32_t {
        return monotonic_ns() - self(ctx).started_ns_ > self(ctx).timeout_ns_ / 2;
    };
    sink_.query = [](void* ctx, const char* id) { return id == nullptr ? nullptr : self(ctx).extension(id); };
}

const void* AnswerRecorder::extension(std::string_view id) const {
    static constexpr varde_state_1 state{
        sizeof(varde_state_1),
        0,
        [](void* ctx, std::uint32_t* length) -> const void* {
            const std::string_view kept = self(ctx).extras_.state;
            if (length != nullptr) *length = static_cast<std::uint32_t>(kept.size());
            return kept.empty() ? nullptr : kept.data();
        },
        [](void* ctx, const void* data, std::uint32_t length) { return self(ctx).put_state(data, length); },
        {}};
    static constexpr varde_explain_1 explain{
        sizeof(varde_explain_1),
        0,
        [](void* ctx, std::int32_t kind, const char* text, std::uint32_t length) { return self(ctx).step(kind, text, length); },
        {}};
    if (id == VARDE_STATE_1) return &state;
    return id == VARDE_EXPLAIN_1 && extras_.explain ? &explain : nullptr;
}

std::int32_t AnswerRecorder::put_state(const void* data, std::uint32_t length) {
    if (length > wire::max_state_bytes) return misuse(VARDE_E_LIMIT, "the state is larger than 64 KiB");
    if (data == nullptr && length > 0) return misuse(VARDE_E_ARGUMENT, "state: data is NULL");
    kept_.emplace(static_cast<const char*>(data), length);
    return VARDE_OK;
}

// A step that is refused is no misuse, and its bytes count for nothing: an explanation must not change what it explains.
std::int32_t AnswerRecorder::step(std::int32_t kind, const char* text, std::uint32_t length) {
    if (kind < VARDE_STEP_FAILED || kind > VARDE_STEP_NOTE || text == nullptr || length < 1) return VARDE_E_ARGUMENT;
    if (steps_ == wire::max_steps || length > wire::max_step_bytes) return VARDE_E_LIMIT;
    ++steps_;
    const std::size_t before = out_.size();
    out_.put(RecordKind::step);
    out_.put(kind);
    out_.put_text({text, length});
    step_bytes_ += out_.size() - before;
    return VARDE_OK;
}

std::int32_t AnswerRecorder::misuse(std::int32_t code, const char* text) {
    if (misuse_ == nullptr) misuse_ = text;
    return code;
}

std::int32_t AnswerRecorder::outcome(std::int32_t outcome, const char* reason, std::uint32_t length,
                                     std::int64_t valid_until_us) {
    if (has_outcome_) return misuse(VARDE_E_ARGUMENT, "the outcome was given twice");
    if (outcome < VARDE_OUTCOME_UNKNOWN || outcome > VARDE_OUTCOME_NO_DATA)
        return misuse(VARDE_E_ARGUMENT, "outcome is not one of VARDE_OUTCOME_*");
    has_outcome_ = true;
    outcome_ = outcome;
    out_.put(RecordKind::outcome);
    out_.put(outcome);
    out_.put(valid_until_us);
    out_.put_text(reason == nullptr ? std::string_view{}
                                    : std::string_view{reason, std::min<std::size_t>(length, wire::max_message_bytes)});
    return VARDE_OK;
}

std::int32_t AnswerRecorder::finding(const varde_finding* given) {
    if (given == nullptr || given->struct_size < offsetof(varde_finding, reserved))
        return misuse(VARDE_E_ARGUMENT, "finding: struct_size");
    if (findings_ == wire::max_findings) return misuse(VARDE_E_LIMIT, "more than 64 findings");
    if (!shape_.closed()) return misuse(VARDE_E_ARGUMENT, "evidence: a list or object was not closed");
    if (const char* problem = wire::problem_of_finding(given->severity, given->title_length, given->explanation_length))
        return misuse(VARDE_E_ARGUMENT, problem);
    if (given->title == nullptr || (given->explanation == nullptr && given->explanation_length > 0))
        return misuse(VARDE_E_ARGUMENT, "finding: a text is NULL");
    ++findings_;
    shape_ = {};
    out_.put(RecordKind::finding);
    out_.put(given->severity);
    out_.put(given->since_us);
    out_.put(given->until_us);
    out_.put(given->timestamp_us);
    out_.put_text({given->title, given->title_length});
    out_.put_text({given->explanation, given->explanation_length});
    return over_limit() ? misuse(VARDE_E_LIMIT, "the findings of one evaluation are larger than 1 MiB") : VARDE_OK;
}

std::int32_t AnswerRecorder::field(const varde_field* given) {
    if (given == nullptr || given->struct_size < offsetof(varde_field, reserved))
        return misuse(VARDE_E_ARGUMENT, "field: struct_size");
    if (findings_ == 0) return misuse(VARDE_E_ARGUMENT, "evidence before the first finding");
    if (fields_ == wire::max_fields) return misuse(VARDE_E_LIMIT, "more than 4096 evidence fields");
    const bool wants_key = !shape_.in_list() && given->kind != VARDE_END;
    if (const char* problem = shape_.accept(given->kind, wants_key ? given->key_length : 0, given->integer, given->real, n_rows_))
        return misuse(VARDE_E_ARGUMENT, problem);
    const bool has_text = given->kind == VARDE_TEXT;
    if ((wants_key && given->key == nullptr) || (has_text && given->text == nullptr && given->text_length > 0))
        return misuse(VARDE_E_ARGUMENT, "evidence: a text is NULL");
    if (has_text && given->text_length > wire::max_answer_bytes)
        return misuse(VARDE_E_LIMIT, "evidence: a text is larger than 1 MiB");
    ++fields_;
    out_.put(RecordKind::field);
    out_.put(given->kind);
    out_.put_text(wants_key ? std::string_view{given->key, given->key_length} : std::string_view{});
    out_.put_text(has_text ? std::string_view{given->text, given->text_length} : std::string_view{});
    out_.put(given->kind == VARDE_REAL ? std::bit_cast<std::int64_t>(given->real) : given->integer);
    return over_limit() ? misuse(VARDE_E_LIMIT, "the findings of one evaluation are larger than 1 MiB") : VARDE_OK;
}

std::optional<wire::Fault> AnswerRecorder::judge(std::int32_t status) {
    using enum wire::FaultReason;
    if (status < 0) {
        if (failure_.empty() && misuse_ != nullptr) return wire::Fault{bad_result, {}, misuse_};
        if (failure_.empty()) failure_ = "evaluate returned " + std::to_string(status) + " without saying why";
        // rule.hpp catches what a rule throws and says its type and text; running out of memory is a reason of its own.
        if (failure_.starts_with("std::bad_alloc")) return wire::Fault{out_of_memory, {}, {}};
        return wire::Fault{rule_error, {}, failure_};
    }
    if (misuse_ != nullptr) return wire::Fault{bad_result, {}, misuse_};
    if (!shape_.closed()) return wire::Fault{bad_result, {}, "evidence: a list or object was not closed"};
    if (has_outcome_)
        if (const char* problem = wire::problem_of_outcome(outcome_, findings_)) return wire::Fault{bad_result, {}, problem};
    return std::nullopt;
}

void AnswerRecorder::evaluate(const varde_rule_entry& entry, varde_rule* rule, const varde_window& window,
                              std::uint64_t timeout_ns, const Extras& extras) {
    extras_ = extras;
    begin_ = out_.size();
    n_rows_ = window.n_rows;
    timeout_ns_ = timeout_ns;
    started_ns_ = monotonic_ns();
    std::optional<wire::Fault> fault;
    try {
        const std::int32_t status = entry.evaluate(rule, &window, &sink_);
        fault = judge(status);
    } catch (...) {
        fault = fault_of_current_exception("evaluate");
    }
    const std::uint64_t duration = monotonic_ns() - started_ns_;
    if (fault) {
        out_.rewind(begin_);
        out_.put(RecordKind::fault);
        wire::put(out_, *fault);
    } else if (kept_) {
        out_.put(RecordKind::state);
        out_.put_text(*kept_);
    }
    out_.put(RecordKind::end);
    out_.put(duration);
}

}  // namespace varde::worker
