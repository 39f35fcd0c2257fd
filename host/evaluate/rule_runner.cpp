#include "evaluate/rule_runner.hpp"

#include "evaluate/params_tree.hpp"
#include "evaluate/worker_death.hpp"
#include "time/zone.hpp"

#include <algorithm>

namespace varde::evaluate {
namespace {

using core::Failed;
using core::FailureReason;
using core::Phase;

constexpr std::size_t max_instances = 16;
constexpr int max_deaths_of_one_run = 3;

}  // namespace

std::vector<std::string> unknown_required_zones(const wire::Declarations& declarations) {
    std::vector<std::string> unknown;
    for (const wire::ZoneDeclaration& zone : declarations.zones)
        if ((zone.flags & VARDE_ZONE_REQUIRED) != 0 && !time::Zone::find(zone.name)) unknown.push_back(zone.name);
    return unknown;
}

RuleRunner::RuleRunner(const WorkerHouse& house, ports::RuleSpec spec, ports::LogSink& log)
    : house_{house}, spec_{std::move(spec)}, log_{log} {}

bool RuleRunner::adopt(const ports::RuleSpec& other) {
    const bool same = spec_.plugin.rule_id == other.plugin.rule_id && spec_.plugin.sha256 == other.plugin.sha256 &&
                      spec_.timeout == other.timeout && spec_.memory_bytes == other.memory_bytes;
    if (same) spec_ = other;
    return same;
}

std::optional<Failed> RuleRunner::ensure_worker() {
    if (worker_ && worker_->alive()) return std::nullopt;
    worker_.reset();
    if (!spec_.plugin.bytes) return Failed{FailureReason::not_loaded, Phase::load, "there is no plugin for the rule", 0, 0, {}};
    auto started = RuleWorker::start(house_, spec_.plugin, {spec_.timeout, spec_.memory_bytes});
    if (auto* failed = std::get_if<Failed>(&started)) return std::move(*failed);
    worker_.emplace(std::move(std::get<RuleWorker>(started)));
    ++incarnation_;
    return std::nullopt;
}

// The rule may require a zone; only the host has the zone database. So it is made once believing that every zone exists, and if one
// does not, again knowing that: then the rule gets to say which of its parameters named it.
std::optional<Failed> RuleRunner::make(Instance& instance) {
    for (std::size_t tries = 0; tries <= wire::max_zones; ++tries) {
        auto made = worker_->create(instance.slot, instance.tree, instance.unknown_zones);
        if (auto* failed = std::get_if<Failed>(&made)) return std::move(*failed);
        instance.declarations = std::move(std::get<wire::Declarations>(made));
        instance.incarnation = incarnation_;
        auto unknown = unknown_required_zones(instance.declarations);
        if (unknown.empty()) return std::nullopt;
        instance.unknown_zones.insert(instance.unknown_zones.end(), unknown.begin(), unknown.end());
        if (auto failed = worker_->destroy(instance.slot)) return failed;
    }
    return Failed{FailureReason::create_failed, Phase::create, "requires zones that do not exist", 0, 0, {}};
}

std::optional<Failed> RuleRunner::make_again(Instance& instance) {
    const wire::Declarations before = instance.declarations;
    if (auto failed = make(instance)) return failed;
    if (instance.declarations == before) return std::nullopt;
    instance.declarations = before;
    instance.incarnation = 0;
    return Failed{FailureReason::bad_result, Phase::create, "create declared something else the second time", 0, 0, {}};
}

std::optional<Failed> RuleRunner::free_a_slot() {
    if (instances_.size() < max_instances) return std::nullopt;
    auto oldest =
        std::find_if(instances_.begin(), instances_.end(), [&](const auto& kept) { return kept->params != spec_.params; });
    const bool lives = (*oldest)->incarnation == incarnation_ && worker_->alive();
    auto failed = lives ? worker_->destroy((*oldest)->slot) : std::nullopt;
    instances_.erase(oldest);
    return failed;
}

std::variant<RuleRunner::Instance*, Failed> RuleRunner::instance(const std::string& params) {
    if (auto failed = ensure_worker()) return std::move(*failed);
    const auto known =
        std::find_if(instances_.begin(), instances_.end(), [&](const auto& kept) { return kept->params == params; });
    if (known != instances_.end()) {
        if ((*known)->incarnation == incarnation_) return known->get();
        if (auto failed = make_again(**known)) return std::move(*failed);
        return known->get();
    }
    auto tree = params_tree(params);
    if (!tree) return Failed{FailureReason::create_failed, Phase::create, tree.error().context, 0, 0, {}};
    if (auto failed = free_a_slot()) return std::move(*failed);
    auto made = std::make_unique<Instance>();
    const auto is_taken = [&](std::uint32_t slot) {
        return std::any_of(instances_.begin(), instances_.end(), [&](const auto& kept) { return kept->slot == slot; });
    };
    while (is_taken(made->slot)) ++made->slot;
    made->params = params;
    made->tree = std::move(*tree);
    auto failed = make(*made);
    log_what_it_wrote();
    if (failed) return std::move(*failed);
    instances_.push_back(std::move(made));
    return instances_.back().get();
}

void RuleRunner::run(Instance& instance, const wire::Binding& binding, std::span<const wire::Item> items, const ReadVerdict& read,
                     const TakeVerdict& take) {
    std::size_t at = 0;
    int deaths = 0;
    const auto fail_all = [&](const Failed& failed) {
        for (; at < items.size(); ++at) take(at, failed);
    };
    while (at < items.size()) {
        if (auto failed = ensure_worker()) return fail_all(*failed);
        if (instance.incarnation != incarnation_)
            if (auto failed = make_again(instance)) return fail_all(*failed);
        RuleWorker::Answers answers = worker_->ask(instance.slot, binding, items.subspan(at));
        wire::ByteReader in{answers.records};
        for (std::size_t i = 0; i < answers.completed; ++i) {
            auto verdict = read(at, in);
            if (!verdict) {
                const Failed failed = worker_->convict("an answer cannot be read");
                if (!answers.failure) answers.failure = failed;
                break;
            }
            take(at++, std::move(*verdict));
        }
        if (worker_->alive()) log_what_it_wrote();
        if (!answers.failure) continue;
        take(at++, *answers.failure);
        if (++deaths < max_deaths_of_one_run) continue;
        Failed rest = *answers.failure;
        rest.message =
            clean_message("not asked, its worker died " + std::to_string(deaths) + " times in this run: " + rest.message);
        return fail_all(rest);
    }
}

void RuleRunner::log_what_it_wrote() {
    if (!worker_) return;
    const std::string text = worker_->take_log();
    if (text.empty() || !log_.wants(ports::LogLevel::debug)) return;
    log_.log(ports::LogLevel::debug, "evaluate", "rule_log", text, {{"rule_id", spec_.plugin.rule_id}});
}

}  // namespace varde::evaluate
