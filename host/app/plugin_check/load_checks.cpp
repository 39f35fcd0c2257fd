#include "app/plugin_check/event_maker.hpp"
#include "app/plugin_check/trial.hpp"
#include "evaluate/rule_worker.hpp"
#include "evaluate/worker_launch.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::app::plugin_check {
namespace {

using core::Failed;
using core::FailureReason;
using nlohmann::ordered_json;

constexpr std::chrono::milliseconds kQuickStart{100};
constexpr int kFuzzRounds = 200;

bool is_load_failure(const Failed& failed) { return failed.phase == core::Phase::load || failed.phase == core::Phase::spawn; }

/// The entry of a job is only looked at: what it does is for its schedules to ask.
Answer check_load_of_job(const Subject& subject) {
    auto launch = evaluate::prepare_launch(subject.isolation, -1, *subject.log);
    if (!launch) return fail(launch.error().context);
    evaluate::WorkerNursery nursery{std::move(*launch), 0};
    const ports::Plugin* const library = &*subject.plugin;
    const evaluate::RuleWorker::Limits limits{subject.memory_bytes, subject.isolation.load_timeout};
    auto worker = evaluate::RuleWorker::start(nursery, {&library, 1}, limits, wire::SetupMode::job);
    if (const auto* failed = std::get_if<Failed>(&worker)) return fail(text_of(*failed));
    const auto loaded = std::get<evaluate::RuleWorker>(worker).finish_load();
    if (const auto* failed = std::get_if<Failed>(&loaded)) return fail(text_of(*failed));
    if (const auto& failed = std::get<0>(loaded).front()) return fail(text_of(*failed));
    return pass("loads in a sandboxed worker, and its entry says the same as its note");
}

Answer check_load(const Subject& subject) {
    if (subject.plugin->kind == ports::PluginKind::job) return check_load_of_job(subject);
    const Trial trial{subject};
    if (trial.failure() && is_load_failure(*trial.failure())) return fail(text_of(*trial.failure()));
    return pass("loads in a sandboxed worker, and its entry says the same as its note");
}

Answer check_load_time(const Subject& subject) {
    // The best of three: what the machine does besides is not the rule's fault.
    std::chrono::nanoseconds best = std::chrono::hours{1};
    for (int i = 0; i < 3; ++i) {
        const Trial trial{subject};
        if (trial.failure() && is_load_failure(*trial.failure())) return fail(text_of(*trial.failure()));
        best = std::min(best, trial.start_time());
    }
    const auto text =
        fmt::format("{:.1f} ms for process, load and create", std::chrono::duration<double, std::milli>(best).count());
    return best > kQuickStart ? warn(fmt::format("{}, more than {} ms", text, kQuickStart.count())) : pass(text);
}

Answer check_defaults(const Subject& subject) {
    const Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    return pass(fmt::format("created with {}", shortened(subject.params, 120)));
}

Answer check_selftest(const Subject& subject) {
    Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    if (const auto failed = trial.selftest()) return fail(text_of(*failed));
    return pass("it finds nothing wrong with itself, or offers no varde.selftest/1");
}

/// What became of one set of parameters that no sane person would write.
enum class Reaction { refused, answered, failed_later };

/// Parameters may be refused, or taken and judged with. Everything else is a defect, and `text` says which.
class Ordeal {
  public:
    explicit Ordeal(const Subject& subject) : subject_{subject}, trial_{subject}, dice_{subject.seed} {
        events_ = plain_events(vocabulary_of(manifest()), subject.window(), 50, dice_);
    }
    /// Why parameters cannot be blamed for anything: the rule breaks with its own already. Empty: it does not.
    [[nodiscard]] std::string own_failure() {
        const auto verdict = trial_.evaluate(events_);
        const auto* failed = std::get_if<Failed>(&verdict);
        return failed == nullptr ? std::string{} : fmt::format("it fails with its own parameters already: {}", text_of(*failed));
    }
    [[nodiscard]] const config::RuleManifest& manifest() const {
        static const config::RuleManifest none;
        return subject_.manifest ? *subject_.manifest : none;
    }
    [[nodiscard]] Dice& dice() { return dice_; }

    /// False once a set of parameters broke the rule, or the check has taken long enough.
    bool survives(const ordered_json& params) {
        if (trial_.out_of_time()) return false;
        const auto text = params.dump();
        ++tried_;
        const auto verdict = trial_.evaluate(events_, text, subject_.window());
        const auto* failed = std::get_if<Failed>(&verdict);
        if (failed == nullptr) return true;
        if (failed->reason == FailureReason::create_failed) return ++refused_, true;
        if (failed->reason == FailureReason::rule_error) {
            if (failed->phase == core::Phase::create) return ++refused_, true;
            if (late_.empty()) late_ = fmt::format("{} with params {}", text_of(*failed), shortened(text));
            return true;
        }
        broken_ = fmt::format("{} with params {}", text_of(*failed), shortened(text, 600));
        return false;
    }

    [[nodiscard]] Answer result() {
        if (!broken_.empty()) return fail(broken_);
        if (!trial_.destroy_failure().empty())
            return fail(fmt::format("destroy failed, when other parameters took its place: {}", trial_.destroy_failure()));
        // The worker that has seen all of it still works.
        const auto verdict = trial_.evaluate(events_, subject_.params, subject_.window());
        if (const auto* failed = std::get_if<Failed>(&verdict))
            return fail(fmt::format("afterwards, with its own parameters: {}", text_of(*failed)));
        if (!late_.empty()) return warn(fmt::format("taken at create, refused at evaluate: {}", late_));
        return pass(fmt::format("{} of {} sets of parameters refused, the others judged with", refused_, tried_));
    }

  private:
    const Subject& subject_;
    Trial trial_;
    Dice dice_;
    std::vector<core::Event> events_;
    int tried_ = 0;
    int refused_ = 0;
    std::string late_;
    std::string broken_;
};

/// Each parameter, or member of one, with a value of every kind in its place.
bool try_every_kind(Ordeal& ordeal, const ordered_json& defaults, const std::vector<config::ParamSpec>& params,
                    const ordered_json::json_pointer& at) {
    for (const auto& spec : params) {
        for (const auto& value : odd_values()) {
            auto changed = defaults;
            changed[at / spec.name] = ordered_json::parse(value);
            if (!ordeal.survives(changed)) return false;
        }
        if (!try_every_kind(ordeal, defaults, spec.members, at / spec.name)) return false;
    }
    return true;
}

Answer check_kinds(const Subject& subject) {
    Ordeal ordeal{subject};
    if (ordeal.manifest().params.empty()) return skip("no rule.yaml beside the file names parameters");
    if (auto why = ordeal.own_failure(); !why.empty()) return skip(std::move(why));
    try_every_kind(ordeal, ordered_json::parse(subject.params), ordeal.manifest().params, ordered_json::json_pointer{});
    return ordeal.result();
}

ordered_json random_value(Dice& dice, int depth) {
    if (depth == 0 || dice.below(3) != 0) return ordered_json::parse(dice.one_of(odd_values()));
    auto value = dice.below(2) == 0 ? ordered_json::array() : ordered_json::object();
    for (auto n = dice.below(5); n > 0; --n) {
        if (value.is_array())
            value.push_back(random_value(dice, depth - 1));
        else
            value[fmt::format("key{}", dice.below(4))] = random_value(dice, depth - 1);
    }
    return value;
}

Answer check_fuzz(const Subject& subject) {
    Ordeal ordeal{subject};
    if (auto why = ordeal.own_failure(); !why.empty()) return skip(std::move(why));
    const auto defaults = ordered_json::parse(subject.params);
    const auto& known = ordeal.manifest().params;
    auto& dice = ordeal.dice();
    for (int round = 0; round < kFuzzRounds; ++round) {
        auto params = dice.below(4) == 0 ? ordered_json::object() : defaults;
        for (auto n = 1 + dice.below(3); n > 0; --n) {
            const bool unknown = known.empty() || dice.below(5) == 0;
            params[unknown ? fmt::format("unknown_{}", dice.below(100)) : known[dice.below(known.size())].name] =
                random_value(dice, 3);
        }
        if (!ordeal.survives(params)) break;
    }
    return ordeal.result();
}

}  // namespace

std::vector<Check> load_checks() {
    return {
        {"load.starts", "a sandboxed worker can load it, and its entry says the same as its note", true, true, check_load, true},
        {"load.time", "a worker is ready within 100 ms", false, true, check_load_time},
        {"params.defaults", "it can be created with the defaults of its rule.yaml", true, true, check_defaults},
        {"load.selftest", "the rule's own self-test finds nothing", false, true, check_selftest},
        {"params.kinds", "every parameter refuses or survives a value of every kind", false, true, check_kinds},
        {"params.fuzz", "random and unknown parameters are refused or survived", false, true, check_fuzz},
    };
}

}  // namespace varde::app::plugin_check
