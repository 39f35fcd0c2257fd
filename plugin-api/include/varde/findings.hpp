/// What a rule answers: findings with evidence, how sure it is, and until when the answer holds.
#pragma once
#include <varde/rule.h>

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <varde/window.hpp>

namespace varde {

enum class Severity : int32_t { low = VARDE_LOW, medium = VARDE_MEDIUM, high = VARDE_HIGH, critical = VARDE_CRITICAL };

/// "LOW" .. "CRITICAL"
[[nodiscard]] inline std::string_view name_of(Severity severity) {
    constexpr std::string_view kNames[] = {"", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
    return kNames[static_cast<int32_t>(severity)];
}

/// What is found. Title and explanation are shown to people; the texts are copied at once.
struct Finding {
    Severity severity = Severity::medium;
    std::string_view title;                 ///< 1 .. 200 bytes
    std::string_view explanation = {};      ///< at most 4000 bytes
    std::optional<Span> window = {};        ///< what it is about, if not the window of the evaluation
    std::optional<Instant> timestamp = {};  ///< when it holds, if not now
};

/// The host refused part of an answer because a limit is reached or it breaks the contract.
struct AnswerRefused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The evidence of one finding: an object, filled in order. Inside a list use item(), inside an object field().
/// Values: bool, integers, double, texts, nullptr, Instant (written as UTC text), Row (written as the event's id), vectors and
/// optionals of these (an empty optional is null).
class Evidence {
  public:
    explicit Evidence(const varde_sink& sink) : sink_(&sink) {}

    template <class T>
    Evidence& field(std::string_view key, const T& value) {
        return write(key, value), *this;
    }
    template <class T>
    Evidence& item(const T& value) {
        return write({}, value), *this;
    }

    Evidence& begin_object(std::string_view key = {}) { return put(key, VARDE_OBJECT), *this; }
    Evidence& begin_list(std::string_view key = {}) { return put(key, VARDE_LIST), *this; }
    Evidence& end() { return put({}, VARDE_END), *this; }

  private:
    void write(std::string_view key, std::nullptr_t) { put(key, VARDE_NULL); }
    void write(std::string_view key, const char* text) { put(key, VARDE_TEXT, 0, 0, text); }
    void write(std::string_view key, std::string_view text) { put(key, VARDE_TEXT, 0, 0, text); }
    void write(std::string_view key, const std::string& text) { put(key, VARDE_TEXT, 0, 0, text); }
    void write(std::string_view key, Instant at) { put(key, VARDE_TIME, us(at)); }
    void write(std::string_view key, Row row) { put(key, VARDE_EVENT, row.index()); }
    void write(std::string_view key, std::integral auto value) {
        if constexpr (std::same_as<decltype(value), bool>)
            put(key, value ? VARDE_TRUE : VARDE_FALSE);
        else
            put(key, VARDE_INTEGER, static_cast<int64_t>(value));
    }
    void write(std::string_view key, std::floating_point auto value) { put(key, VARDE_REAL, 0, value); }
    template <class T>
    void write(std::string_view key, const std::optional<T>& value) {
        if (value.has_value())
            write(key, *value);
        else
            put(key, VARDE_NULL);
    }
    template <class T>
    void write(std::string_view key, const std::vector<T>& values) {
        put(key, VARDE_LIST);
        for (const T& value : values) write({}, value);
        put({}, VARDE_END);
    }

    void put(std::string_view key, uint32_t kind, int64_t integer = 0, double real = 0, std::string_view text = {}) {
        varde_field field{};
        field.struct_size = sizeof field;
        field.kind = kind;
        field.key = key.data();
        field.key_length = static_cast<uint32_t>(key.size());
        field.text = text.data();
        field.text_length = static_cast<uint32_t>(text.size());
        field.integer = integer;
        field.real = real;
        if (sink_->field(sink_->ctx, &field) < 0) throw AnswerRefused("the host refused evidence '" + std::string(key) + "'");
    }

    const varde_sink* sink_;
};

/// Where evaluate() puts its answer. Without a finding and without a word about it the answer is "not met".
class Findings {
  public:
    explicit Findings(const varde_sink& sink) : sink_(&sink) {}
    Findings(const Findings&) = delete;
    Findings& operator=(const Findings&) = delete;

    /// Begins a finding; its evidence is complete before the next one begins. At most 64.
    Evidence finding(const Finding& finding) {
        varde_finding raw{};
        raw.struct_size = sizeof raw;
        raw.severity = static_cast<int32_t>(finding.severity);
        raw.title = finding.title.data();
        raw.title_length = static_cast<uint32_t>(finding.title.size());
        raw.explanation = finding.explanation.data();
        raw.explanation_length = static_cast<uint32_t>(finding.explanation.size());
        raw.since_us = finding.window ? us(finding.window->since) : VARDE_TIME_UNSET;
        raw.until_us = finding.window ? us(finding.window->until) : VARDE_TIME_UNSET;
        raw.timestamp_us = finding.timestamp ? us(*finding.timestamp) : VARDE_TIME_UNSET;
        if (sink_->finding(sink_->ctx, &raw) < 0)
            throw AnswerRefused("the host refused finding '" + std::string(finding.title) + "'");
        any_ = true;
        return Evidence(*sink_);
    }

    /// The earliest instant at which the answer could change if no new event comes. Said twice, the earlier one counts.
    void valid_until(Instant at) {
        valid_until_us_ = valid_until_us_ == VARDE_ASK_ALWAYS ? us(at) : std::min(valid_until_us_, us(at));
    }
    /// Only a new event can change the answer.
    void valid_until_new_event() { valid_until_us_ = VARDE_NEVER; }

    void no_data(std::string reason) { say(VARDE_OUTCOME_NO_DATA, std::move(reason)); }  ///< nothing to judge from
    void unknown(std::string reason) { say(VARDE_OUTCOME_UNKNOWN, std::move(reason)); }  ///< could not decide
    void reason(std::string text) { reason_ = std::move(text); }                         ///< why it is met or not, one line

    /// What the rule kept for this scope when it was last asked; empty at first. See VARDE_STATE_1.
    [[nodiscard]] std::string_view state() const {
        uint32_t length = 0;
        const auto* kept = extension<varde_state_1>(VARDE_STATE_1);
        const void* bytes = kept == nullptr ? nullptr : kept->get(sink_->ctx, &length);
        return bytes == nullptr ? std::string_view{} : std::string_view{static_cast<const char*>(bytes), length};
    }
    /// Keeps `bytes` instead, at most VARDE_MAX_STATE_BYTES; an empty text forgets. On a host that keeps nothing nothing happens.
    void keep(std::string_view bytes) {
        const auto* kept = extension<varde_state_1>(VARDE_STATE_1);
        if (kept != nullptr && kept->put(sink_->ctx, bytes.data(), static_cast<uint32_t>(bytes.size())) < 0)
            throw AnswerRefused("the host refused a state of " + std::to_string(bytes.size()) + " bytes");
    }

    /// Whether somebody asked why: the steps are wanted. Texts that cost something are better not built otherwise.
    [[nodiscard]] bool explains() const { return extension<varde_explain_1>(VARDE_EXPLAIN_1) != nullptr; }
    /// One condition on the way to the answer, and whether it held. Nothing happens unless somebody asked.
    void step(bool held, std::string_view text) { tell(held ? VARDE_STEP_HELD : VARDE_STEP_FAILED, text); }
    void note(std::string_view text) { tell(VARDE_STEP_NOTE, text); }  ///< a fact on the way

    [[nodiscard]] bool should_stop() const { return sink_->should_stop(sink_->ctx) != 0; }  ///< half of the time is used up
    void log(int32_t level, std::string_view text) {
        sink_->log(sink_->ctx, level, text.data(), static_cast<uint32_t>(text.size()));
    }

    /// Hands the outcome to the host. Called once, after evaluate().
    void close() {
        const int32_t outcome = any_ ? VARDE_OUTCOME_MET : outcome_;
        if (sink_->outcome(sink_->ctx, outcome, reason_.data(), static_cast<uint32_t>(reason_.size()), valid_until_us_) < 0)
            throw AnswerRefused("the host refused the outcome");
    }

  private:
    template <class T>
    [[nodiscard]] const T* extension(const char* id) const {
        return static_cast<const T*>(sink_->query(sink_->ctx, id));
    }
    void tell(int32_t kind, std::string_view text) {
        if (const auto* explain = extension<varde_explain_1>(VARDE_EXPLAIN_1))
            explain->step(sink_->ctx, kind, text.data(), static_cast<uint32_t>(text.size()));  // over the limit: enough was said
    }
    void say(int32_t outcome, std::string reason) {
        outcome_ = outcome;
        reason_ = std::move(reason);
    }

    const varde_sink* sink_;
    int32_t outcome_ = VARDE_OUTCOME_NOT_MET;
    bool any_ = false;
    std::string reason_;
    int64_t valid_until_us_ = VARDE_ASK_ALWAYS;
};

}  // namespace varde
