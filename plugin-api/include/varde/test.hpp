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

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <varde/testing/params_memory.hpp>
#include <varde/testing/recorder.hpp>
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

/// An instance of the rule under test.
class Rule {
  public:
    /// `params` is a JSON object. Look at created() or refusal before evaluating.
    explicit Rule(std::string_view params = "{}", const varde_rule_entry& entry = varde_rule_v1) : entry_(&entry) {
        // Gone after create(), for which parameters are borrowed: a sanitizer sees who keeps them.
        const ParamsMemory given(params);
        const varde_host host = make_host();
        creating_ = true;
        status = entry.create(&host, &given.params(), &rule_);
        creating_ = false;
        if (status != VARDE_OK) rule_ = nullptr;
        if (declared_.reads.empty()) declared_.reads.push_back({varde_read{}, {}});
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
};

}  // namespace varde::test
