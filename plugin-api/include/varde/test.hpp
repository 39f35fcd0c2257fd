/// Unit-test a rule without a host, a process or a framework:
///
///     varde::test::Rule rule(R"({"followup_minutes": 10})");
///     varde::test::Window window("2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z");
///     window.event("a", "2026-01-15T10:00:00Z", "door", R"({"state": "open", "door": "front"})");
///     const auto answer = rule.evaluate(window);
///     CHECK(answer.met());
///     CHECK(answer.findings.at(0).evidence == R"({"event_ids":["a"]})");
///
/// The rule is compiled into the test. Each window is judged three times: twice as declared, and once among rows that no read asked
/// for. What differs, and what breaks the contract of varde/rule.h, stands in Answer::violations.
#pragma once
#include <varde/rule.h>

#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <varde/testing/window_memory.hpp>

namespace varde::test {

/// A window of literal events. `now` is `until` unless given.
class Window {
  public:
    Window(std::string_view since, std::string_view until) : Window(since, until, until) {}
    Window(std::string_view since, std::string_view until, std::string_view now)
        : since_(time_from(since)), until_(time_from(until)), now_(time_from(now)) {}

    /// Events are stored in the order of these calls; their times can be in any order. `payload` is JSON.
    Window& event(std::string id, std::string time, std::string category, std::string payload = "{}") {
        return add(
            {.id = std::move(id), .time = std::move(time), .category = std::move(category), .payload = std::move(payload)});
    }
    Window& add(Event event) {
        events_.push_back(std::move(event));
        return *this;
    }
    /// What the rule kept before (varde.state/1).
    Window& kept(std::string state) {
        state_ = std::move(state);
        return *this;
    }
    [[nodiscard]] const std::vector<Event>& events() const { return events_; }

  private:
    friend class Rule;
    int64_t since_, until_, now_;
    std::vector<Event> events_;
    std::string state_;
};

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

/// An instance of the rule under test.
class Rule {
  public:
    /// `params` is a JSON object. Look at created() or refusal before evaluating.
    explicit Rule(std::string_view params = "{}", const varde_rule_entry& entry = varde_rule_v1) : entry_(&entry) {
        const Json root = JsonReader::read(params);
        append(root, "");
        varde_params raw{};
        raw.struct_size = sizeof raw;
        raw.n_nodes = static_cast<uint32_t>(nodes_.size());
        raw.nodes = nodes_.data();
        raw.text = text_.data();
        const varde_host host = make_host();
        creating_ = true;
        status = entry.create(&host, &raw, &rule_);
        creating_ = false;
        if (status != VARDE_OK) rule_ = nullptr;
        if (declared_.reads.empty()) declared_.reads.push_back({varde_read{}, {}});
        nodes_ = {};  // parameters are borrowed for create() only: a sanitizer sees who keeps them
        text_ = {};
    }
    ~Rule() {
        if (rule_) entry_->destroy(rule_);
    }
    Rule(const Rule&) = delete;
    Rule& operator=(const Rule&) = delete;

    [[nodiscard]] bool created() const { return status == VARDE_OK; }

    [[nodiscard]] Answer evaluate(const Window& window) {
        if (!created()) throw std::logic_error("the rule was refused: " + refused_param + ": " + refusal);
        Answer answer = judge(window, false);
        if (!(judge(window, false) == answer))
            answer.violations.emplace_back("the same window gave two answers: the rule keeps state");
        Answer among = judge(window, true);
        among.violations = answer.violations;
        if (!(among == answer)) answer.violations.emplace_back("rows that no read asked for changed the answer");
        return answer;
    }

    /// Runs varde.selftest/1, if the rule has it: what it says is wrong, empty if nothing is.
    [[nodiscard]] std::string selftest() {
        const void* offered = entry_->query == nullptr ? nullptr : entry_->query(rule_, VARDE_SELFTEST_1);
        std::string why;
        if (offered == nullptr) return why;
        const auto fail = [](void* ctx, const char* text, uint32_t length) -> int32_t {
            static_cast<std::string*>(ctx)->assign(text, length);
            return VARDE_OK;
        };
        const int32_t result = static_cast<const varde_selftest_1*>(offered)->run(rule_, &why, fail);
        return result < 0 && why.empty() ? "failed without a word" : why;
    }

    int32_t status = VARDE_OK;  ///< of create()
    std::string refused_param;  ///< path of the parameter at fault
    std::string refusal;        ///< why create() failed

    [[nodiscard]] const Declarations& declared() const { return declared_; }

  private:
    static Rule& self(void* ctx) { return *static_cast<Rule*>(ctx); }

    varde_text keep(std::string_view text) {
        text_ += text;
        return {static_cast<uint32_t>(text_.size() - text.size()), static_cast<uint32_t>(text.size())};
    }

    void append(const Json& json, std::string_view key) {
        const std::size_t index = nodes_.size();
        varde_node node{};
        node.kind = json.kind;
        node.key = keep(key);
        if (json.kind == VARDE_TEXT || json.kind == VARDE_BIG_INTEGER) node.text = keep(json.text);
        node.integer = json.kind == VARDE_INTEGER ? json.integer : static_cast<int64_t>(json.members.size());
        node.real = json.real;
        nodes_.push_back(node);
        for (const auto& [name, value] : json.members) append(value, name);
        nodes_[index].end = static_cast<uint32_t>(nodes_.size());
    }

    template <class T, class Same>
    static int32_t handle_of(std::vector<T>& list, T item, std::size_t limit, Same same) {
        for (std::size_t i = 0; i < list.size(); ++i)
            if (same(list[i])) return static_cast<int32_t>(i);
        if (list.size() >= limit) return VARDE_E_LIMIT;
        list.push_back(std::move(item));
        return static_cast<int32_t>(list.size() - 1);
    }

    int32_t text_handle(std::vector<std::string>& list, std::string text, std::size_t limit) const {
        if (!creating_) return VARDE_E_PHASE;
        return handle_of(list, text, limit, [&](const std::string& other) { return other == text; });
    }

    int32_t zone_handle(std::string name, uint32_t flags) {
        if (!creating_) return VARDE_E_PHASE;
        const bool known = zone_exists(name);
        if (!known && flags & VARDE_ZONE_REQUIRED) return VARDE_E_PARAM;
        return handle_of(declared_.zones, {name, known}, 8,
                         [&](const Declarations::ZoneName& other) { return other.name == name; });
    }

    int32_t read_handle(const varde_read& read) {
        if (!creating_) return VARDE_E_PHASE;
        if (read.kind > VARDE_READ_LATEST_BEFORE) return VARDE_E_ARGUMENT;
        if (read.kind == VARDE_READ_LOCAL_DAY && (read.zone < 0 || static_cast<std::size_t>(read.zone) >= declared_.zones.size()))
            return VARDE_E_ARGUMENT;
        if (declared_.reads.size() >= 16) return VARDE_E_LIMIT;
        std::vector<uint32_t> categories;
        if (read.n_categories) categories.assign(read.categories, read.categories + read.n_categories);
        for (const uint32_t category : categories)
            if (category >= declared_.literals.size()) return VARDE_E_ARGUMENT;
        declared_.reads.push_back({read, std::move(categories)});
        declared_.reads.back().read.categories = nullptr;
        return static_cast<int32_t>(declared_.reads.size() - 1);
    }

    varde_host make_host() {
        varde_host host{};
        host.struct_size = sizeof host;
        host.abi_major = VARDE_ABI_MAJOR;
        host.abi_minor = VARDE_ABI_MINOR;
        host.ctx = this;
        host.declare_key = [](void* ctx, const char* key, uint32_t n) {
            return self(ctx).text_handle(self(ctx).declared_.keys, {key, n}, 64);
        };
        host.declare_literal = [](void* ctx, const char* text, uint32_t n) {
            return self(ctx).text_handle(self(ctx).declared_.literals, {text, n}, 1024);
        };
        host.declare_zone = [](void* ctx, const char* name, uint32_t n, uint32_t flags) {
            return self(ctx).zone_handle({name, n}, flags);
        };
        host.declare_read = [](void* ctx, const varde_read* read) { return self(ctx).read_handle(*read); };
        host.declare_wants = [](void* ctx, uint32_t wants) -> int32_t { return self(ctx).declared_.wants |= wants, VARDE_OK; };
        host.fail = [](void* ctx, const char* param, uint32_t n, const char* text, uint32_t length) {
            self(ctx).refused_param.assign(param, n);
            self(ctx).refusal.assign(text, length);
            return VARDE_OK;
        };
        host.log = [](void*, int32_t, const char*, uint32_t) {};
        host.query = [](void*, const char*) -> const void* { return nullptr; };
        return host;
    }

    Answer judge(const Window& window, bool all_rows) {
        const WindowMemory memory(declared_, window.events_, window.since_, window.until_, window.now_, all_rows);
        Recorder recorder(memory, window.now_, window.state_);
        const int32_t result = entry_->evaluate(rule_, &memory.window(), &recorder.sink);
        return recorder.finish(result);
    }

    const varde_rule_entry* entry_;
    varde_rule* rule_ = nullptr;
    bool creating_ = false;
    Declarations declared_;
    std::vector<varde_node> nodes_;
    std::string text_;
};

}  // namespace varde::test
