/// What a rule under test answers: the sink of its evaluate().
#pragma once
#include <varde/rule.h>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <varde/testing/window_memory.hpp>

namespace varde::test {

struct Finding {
    std::string severity;  ///< "LOW" .. "CRITICAL"
    std::string title;
    std::string explanation;
    std::string evidence;  ///< JSON without blanks
    std::string since;     ///< 2026-01-15T12:00:00Z
    std::string until;
    std::string timestamp;
    friend bool operator==(const Finding&, const Finding&) = default;
};

struct Answer {
    int32_t status = VARDE_OK;
    int32_t outcome = VARDE_OUTCOME_NOT_MET;
    std::string reason;
    std::string valid_until;  ///< a time, "never" or "ask always"
    std::string error;        ///< text of fail()
    std::vector<Finding> findings;
    std::optional<std::string> state;     ///< what it keeps from now on; empty: as it was
    std::vector<std::string> steps;       ///< of its explanation: "held: ...", "failed: ...", "note: ..."
    std::vector<std::string> violations;  ///< of the contract; empty for a good rule

    [[nodiscard]] bool met() const { return status == VARDE_OK && outcome == VARDE_OUTCOME_MET && violations.empty(); }
    [[nodiscard]] bool not_met() const { return status == VARDE_OK && outcome == VARDE_OUTCOME_NOT_MET && violations.empty(); }
    friend bool operator==(const Answer&, const Answer&) = default;
};

/// Receives what one evaluation answers, and checks it as a host does.
class Recorder {
  public:
    Recorder(const WindowMemory& memory, int64_t now, std::string_view state) : memory_(&memory), now_(now), state_(state) {
        sink.struct_size = sizeof sink;
        sink.ctx = this;
        sink.outcome = [](void* ctx, int32_t outcome, const char* reason, uint32_t length, int64_t valid_until) {
            return self(ctx).set_outcome(outcome, {reason, length}, valid_until);
        };
        sink.finding = [](void* ctx, const varde_finding* finding) { return self(ctx).begin(*finding); };
        sink.field = [](void* ctx, const varde_field* field) { return self(ctx).add(*field); };
        sink.fail = [](void* ctx, const char* text, uint32_t length) {
            return self(ctx).answer.error.assign(text, length), VARDE_OK;
        };
        sink.log = [](void*, int32_t, const char*, uint32_t) {};
        sink.should_stop = [](void*) { return 0u; };
        sink.query = [](void*, const char* id) { return extension(id); };
    }
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    Answer finish(int32_t status) {
        close_evidence();
        answer.status = status;
        if (!said_) answer.valid_until = "ask always";
        if (!said_ && !answer.findings.empty()) answer.outcome = VARDE_OUTCOME_MET;
        if ((answer.outcome == VARDE_OUTCOME_MET) != !answer.findings.empty()) violate("the outcome and the findings disagree");
        if (status != VARDE_OK && status != VARDE_E_RULE) violate("evaluate returned " + std::to_string(status));
        if (status == VARDE_E_RULE && answer.error.empty()) violate("an error without a text");
        return std::move(answer);
    }

    varde_sink sink{};
    Answer answer;

  private:
    static Recorder& self(void* ctx) { return *static_cast<Recorder*>(ctx); }

    static const void* extension(std::string_view id) {
        static constexpr varde_state_1 kState{
            sizeof(varde_state_1),
            0,
            [](void* ctx, uint32_t* length) -> const void* {
                const std::string_view state = self(ctx).state_;
                *length = static_cast<uint32_t>(state.size());
                return state.empty() ? nullptr : state.data();
            },
            [](void* ctx, const void* data, uint32_t length) { return self(ctx).keep(data, length); },
            {}};
        static constexpr varde_explain_1 kExplain{sizeof(varde_explain_1),
                                                  0,
                                                  [](void* ctx, int32_t kind, const char* text, uint32_t length) {
                                                      return self(ctx).add_step(kind, {text, length});
                                                  },
                                                  {}};
        if (id == VARDE_STATE_1) return &kState;
        return id == VARDE_EXPLAIN_1 ? &kExplain : nullptr;
    }
    int32_t keep(const void* data, uint32_t length) {
        if (length > VARDE_MAX_STATE_BYTES) return violate("a state of more than 64 KiB"), VARDE_E_LIMIT;
        answer.state.emplace(static_cast<const char*>(data), length);
        return VARDE_OK;
    }
    int32_t add_step(int32_t kind, std::string_view text) {
        constexpr const char* kKinds[] = {"failed: ", "held: ", "note: "};
        if (kind < VARDE_STEP_FAILED || kind > VARDE_STEP_NOTE || text.empty()) return violate("an impossible step");
        if (text.size() > 1000 || answer.steps.size() == 256) return VARDE_E_LIMIT;
        answer.steps.push_back(kKinds[kind] + std::string(text));
        return VARDE_OK;
    }
    int32_t violate(const std::string& what) {
        answer.violations.push_back(what);
        return VARDE_E_ARGUMENT;
    }

    int32_t set_outcome(int32_t outcome, std::string_view reason, int64_t valid_until) {
        if (said_) return violate("outcome given twice");
        if (outcome < VARDE_OUTCOME_UNKNOWN || outcome > VARDE_OUTCOME_NO_DATA) return violate("unknown outcome");
        said_ = true;
        answer.outcome = outcome;
        answer.reason = reason;
        answer.valid_until = valid_until == VARDE_NEVER        ? "never"
                             : valid_until == VARDE_ASK_ALWAYS ? "ask always"
                                                               : time_text(valid_until, "Z");
        return VARDE_OK;
    }

    int32_t begin(const varde_finding& finding) {
        constexpr const char* kNames[] = {"", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
        close_evidence();
        if (answer.findings.size() >= 64) return VARDE_E_LIMIT;
        if (finding.severity < VARDE_LOW || finding.severity > VARDE_CRITICAL) return violate("unknown severity");
        if (finding.title_length < 1 || finding.title_length > 200 || finding.explanation_length > 4000)
            return violate("a text is too long or empty");
        const varde_window& window = memory_->window();
        const auto or_else = [](int64_t time, int64_t other) { return time_text(time == VARDE_TIME_UNSET ? other : time, "Z"); };
        answer.findings.push_back({kNames[finding.severity],
                                   {finding.title, finding.title_length},
                                   {finding.explanation, finding.explanation_length},
                                   "",
                                   or_else(finding.since_us, window.since_us),
                                   or_else(finding.until_us, window.until_us),
                                   or_else(finding.timestamp_us, now_)});
        open_ = "}";
        json_ = "{";
        return VARDE_OK;
    }

    int32_t add(const varde_field& field) {
        if (open_.empty()) return violate("evidence before a finding");
        if (++fields_ > 4096) return VARDE_E_LIMIT;
        if (field.kind == VARDE_END) {
            if (open_.size() < 2) return violate("END without a list or object");
            json_ += open_.back();
            open_.pop_back();
            return VARDE_OK;
        }
        const char last = json_.back();
        if (last != '{' && last != '[') json_ += ',';
        if (open_.back() == '}') {
            if (field.key_length < 1 || field.key_length > 200) return violate("a member needs a name of 1 .. 200 bytes");
            json_ += json_quoted({field.key, field.key_length}) + ':';
        }
        return value(field);
    }

    int32_t value(const varde_field& field) {
        switch (field.kind) {
            case VARDE_NULL: json_ += "null"; break;
            case VARDE_FALSE: json_ += "false"; break;
            case VARDE_TRUE: json_ += "true"; break;
            case VARDE_INTEGER: json_ += std::to_string(field.integer); break;
            case VARDE_REAL:
                if (!std::isfinite(field.real)) return violate("evidence is not finite");
                json_ += repr(field.real);
                break;
            case VARDE_TEXT: json_ += json_quoted({field.text, field.text_length}); break;
            case VARDE_TIME: json_ += json_quoted(time_text(field.integer, "+00:00")); break;
            case VARDE_EVENT:
                if (field.integer < 0 || field.integer >= memory_->window().n_rows) return violate("no such row");
                json_ += json_quoted(memory_->event_id(static_cast<uint32_t>(field.integer)));
                break;
            case VARDE_LIST:
            case VARDE_OBJECT:
                if (open_.size() > 8) return violate("evidence is nested too deep");
                json_ += field.kind == VARDE_LIST ? '[' : '{';
                open_ += field.kind == VARDE_LIST ? ']' : '}';
                break;
            default: return violate("unknown kind of evidence");
        }
        return VARDE_OK;
    }

    void close_evidence() {
        if (open_.empty()) return;
        if (open_.size() > 1) violate("a list or object is not closed");
        answer.findings.back().evidence = json_ + "}";
        open_.clear();
    }

    const WindowMemory* memory_;
    int64_t now_;
    std::string_view state_;
    bool said_ = false;
    std::string json_, open_;  // open_: the closing brackets still to come
    int fields_ = 0;
};

}  // namespace varde::test
