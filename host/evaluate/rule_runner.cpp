#include "evaluate/rule_runner.hpp"

#include "evaluate/params_tree.hpp"
#include "evaluate/worker_death.hpp"
#include "time/zone.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace varde::evaluate {
namespace {

using core::Failed;
using core::FailureReason;
using core::Phase;

constexpr std::size_t max_other_instances = 16;  // of one rule, with params that are neither its own nor those of a home
constexpr int max_deaths_of_one_run = 3;
constexpr std::uint64_t runs_between_looks = 16;  // at the worker's memory
constexpr std::chrono::seconds between_two_complaints{60};

Failed failed(FailureReason reason, Phase phase, std::string message) {
    return Failed{reason, phase, std::move(message), 0, 0, {}};
}

}  // namespace

std::vector<std::string> unknown_required_zones(const wire::Declarations& declarations) {
    std::vector<std::string> unknown;
    for (const wire::ZoneDeclaration& zone : declarations.zones)
        if ((zone.flags & VARDE_ZONE_REQUIRED) != 0 && !time::Zone::find(zone.name)) unknown.push_back(zone.name);
    return unknown;
}

RuleRunner::RuleRunner(WorkerNursery& nursery, const RunnerLimits& limits, std::vector<ports::RuleSpec> members,
                       ports::LogSink& log)
    : nursery_{nursery}, limits_{limits}, members_{std::move(members)}, log_{log} {}

bool RuleRunner::adopt(const std::vector<ports::RuleSpec>& others) {
    const bool same = std::ranges::equal(members_, others, [](const ports::RuleSpec& a, const ports::RuleSpec& b) {
        return a.plugin.rule_id == b.plugin.rule_id && a.plugin.sha256 == b.plugin.sha256 && a.memory_bytes == b.memory_bytes;
    });
    if (same) members_ = others;
    return same;
}

std::optional<Failed> RuleRunner::begin_worker() {
    std::vector<const ports::Plugin*> plugins;
    RuleWorker::Limits limits{0, limits_.load_timeout};
    for (const ports::RuleSpec& member : members_) {
        if (!member.plugin.bytes) return failed(FailureReason::not_loaded, Phase::load, "there is no plugin for the rule");
        plugins.push_back(&member.plugin);
        limits.memory_bytes += member.memory_bytes;
    }
    auto started = RuleWorker::start(nursery_, plugins, limits);
    if (auto* why = std::get_if<Failed>(&started)) return std::move(*why);
    worker_.emplace(std::move(std::get<RuleWorker>(started)));
    loading_ = true;
    return std::nullopt;
}

void RuleRunner::prepare() {
    if (worker_ && worker_->alive()) return;
    worker_.reset();
    if (begin_worker()) worker_.reset();  // tried again, and reported, when it is needed
}

std::optional<Failed> RuleRunner::ensure_worker() {
    if (worker_ && worker_->alive() && !loading_) return std::nullopt;
    if (!loading_) {
        worker_.reset();
        if (auto why = begin_worker()) return why;
    }
    loading_ = false;
    ++incarnation_;
    resident_at_first_ = 0;
    log_bytes_before_ = 0;
    auto loaded = worker_->finish_load();
    if (auto* why = std::get_if<Failed>(&loaded)) return std::move(*why);
    unusable_ = std::move(std::get<std::vector<std::optional<Failed>>>(loaded));
    return std::nullopt;
}

// The rule may require a zone; only the host has the zone database. So it is made once believing that every zone exists, and if one
// does not, again knowing that: then the rule gets to say which of its parameters named it.
std::optional<Failed> RuleRunner::make(Instance& instance) {
    if (unusable_[instance.member]) return unusable_[instance.member];
    for (std::size_t tries = 0; tries <= wire::max_zones; ++tries) {
        auto made = worker_->create(instance.member, instance.slot, instance.tree, instance.unknown_zones);
        if (auto* why = std::get_if<Failed>(&made)) return std::move(*why);
        instance.declarations = std::move(std::get<wire::Declarations>(made));
        instance.incarnation = incarnation_;
        auto unknown = unknown_required_zones(instance.declarations);
        if (unknown.empty()) return std::nullopt;
        instance.unknown_zones.insert(instance.unknown_zones.end(), unknown.begin(), unknown.end());
        if (auto why = worker_->destroy(instance.slot)) return why;
    }
    return failed(FailureReason::create_failed, Phase::create, "requires zones that do not exist");
}

std::optional<Failed> RuleRunner::make_again(Instance& instance) {
    if (instance.incarnation == incarnation_) return std::nullopt;
    const wire::Declarations before = instance.declarations;
    if (auto why = make(instance)) return why;
    if (instance.declarations == before) return std::nullopt;
    instance.declarations = before;
    instance.incarnation = 0;
    return failed(FailureReason::bad_result, Phase::create, "create declared something else the second time");
}

bool RuleRunner::has_slot(std::uint32_t slot) const {
    return std::any_of(instances_.begin(), instances_.end(), [&](const auto& kept) { return kept->slot == slot; });
}

std::optional<Failed> RuleRunner::free_a_slot(std::size_t member) {
    const ports::RuleSpec& spec = members_[member];
    const auto is_other = [&](const auto& kept) {
        return kept->member == member && kept->params != spec.params &&
               std::ranges::find(spec.variants, kept->params) == spec.variants.end();
    };
    const bool is_full = std::ranges::count_if(instances_, [&](const auto& kept) { return kept->member == member; }) ==
                         std::ptrdiff_t{wire::max_instances};
    if (!is_full && std::ranges::count_if(instances_, is_other) < static_cast<std::ptrdiff_t>(max_other_instances))
        return std::nullopt;
    const auto oldest = std::ranges::find_if(instances_, is_other);
    if (oldest == instances_.end()) return failed(FailureReason::create_failed, Phase::create, "has too many different params");
    const bool lives = (*oldest)->incarnation == incarnation_ && worker_->alive();
    auto why = lives ? worker_->destroy((*oldest)->slot) : std::nullopt;
    instances_.erase(oldest);
    if (!why) return std::nullopt;
    // An instance that nobody wants any more died badly. That is no failure of the one that is about to be made.
    log_.log(ports::LogLevel::warning, "evaluate", "rule_destroy_failed", why->message,
             {{"rule_id", members_[member].plugin.rule_id}, {"reason", std::string{core::name_of(why->reason)}}});
    return ensure_worker();
}

std::variant<RuleRunner::Instance*, Failed> RuleRunner::instance(std::size_t member, const std::string& params) {
    if (auto why = ensure_worker()) return with_facts(std::move(*why), member);
    const auto known =
        std::ranges::find_if(instances_, [&](const auto& kept) { return kept->member == member && kept->params == params; });
    if (known != instances_.end()) {
        if (auto why = make_again(**known)) return with_facts(std::move(*why), member);
        return known->get();
    }
    auto tree = params_tree(params);
    if (!tree) return failed(FailureReason::create_failed, Phase::create, tree.error().context);
    if (auto why = free_a_slot(member)) return with_facts(std::move(*why), member);
    auto made = std::make_unique<Instance>();
    made->member = static_cast<std::uint32_t>(member);
    made->slot = made->member * wire::max_instances;
    while (has_slot(made->slot)) ++made->slot;
    made->params = params;
    made->tree = std::move(*tree);
    auto why = make(*made);
    log_what_it_wrote();
    if (why) return with_facts(std::move(*why), member);
    instances_.push_back(std::move(made));
    return instances_.back().get();
}

std::optional<Failed> RuleRunner::selftest(const Instance& instance) {
    auto why = worker_->selftest(instance.slot);
    log_what_it_wrote();
    if (why) return with_facts(std::move(*why), instance.member);
    return std::nullopt;
}

std::optional<Failed> RuleRunner::make_all(std::span<const Work> work) {
    for (const Work& one : work)
        if (auto why = make_again(*one.instance)) return why;
    return std::nullopt;
}

std::optional<RuleRunner::Split> RuleRunner::run(std::span<const Work> work, const std::shared_ptr<WindowMemory>& memory,
                                                 const ReadVerdict& read, const TakeVerdict& take) {
    Place at;
    int deaths = 0;
    const auto skip_empty = [&] {
        while (at.work < work.size() && at.item == work[at.work].items.size()) at = {at.work + 1, 0};
    };
    const auto give = [&](core::Verdict verdict) {
        const std::size_t member = work[at.work].instance->member;
        if (auto* why = std::get_if<Failed>(&verdict)) verdict = with_facts(std::move(*why), member);
        note_slowness(verdict, member);
        take(at, std::move(verdict));
        ++at.item;
        skip_empty();
    };
    const auto fail_all = [&](const Failed& why) {
        while (at.work < work.size()) give(why);
        return std::nullopt;
    };
    std::vector<RuleWorker::Section> sections;
    for (skip_empty(); at.work < work.size();) {
        if (auto why = ensure_worker()) return fail_all(*why);
        if (auto why = make_all(work.subspan(at.work))) return fail_all(*why);
        if (auto why = worker_->attach(memory)) return fail_all(*why);
        sections.clear();
        for (std::size_t i = at.work; i < work.size(); ++i) {
            const auto items = i == at.work ? work[i].items.subspan(at.item) : work[i].items;
            sections.push_back({work[i].instance->slot, members_[work[i].instance->member].timeout, work[i].binding, items});
        }
        RuleWorker::Answers answers = worker_->ask(sections);
        if (auto flood = check_log()) {
            // Whose it was nobody can say: none of these answers counts, the first item fails, the others are asked again.
            answers.failure = std::move(flood);
            answers.completed = 0;
        }
        wire::ByteReader in{answers.records};
        for (std::size_t i = 0; i < answers.completed; ++i) {
            auto verdict = read(at, in);
            if (!verdict) {
                const Failed why = worker_->convict(FailureReason::protocol, "an answer cannot be read");
                if (!answers.failure) answers.failure = why;
                break;
            }
            give(std::move(*verdict));
        }
        if (worker_->alive()) log_what_it_wrote();
        if (!answers.failure) continue;
        const std::size_t guilty = work[at.work].instance->member;
        give(*answers.failure);
        if (members_.size() > 1) return Split{guilty};
        if (++deaths < max_deaths_of_one_run) continue;
        Failed rest = *answers.failure;
        rest.message =
            clean_message("not asked, its worker died " + std::to_string(deaths) + " times in this run: " + rest.message);
        return fail_all(rest);
    }
    retire_if_due();
    return std::nullopt;
}

std::optional<std::size_t> RuleRunner::blamed() const {
    if (!worker_ || worker_->alive()) return std::nullopt;
    return std::min<std::size_t>(worker_->blamed(), members_.size() - 1);
}

std::optional<Failed> RuleRunner::check_log() {
    if (!worker_->alive() || worker_->log_bytes() - log_bytes_before_ <= limits_.max_log_bytes) return std::nullopt;
    return worker_->convict(
        FailureReason::log_flood,
        fmt::format("wrote more than isolation.max_log_bytes ({}) to its log in one run", limits_.max_log_bytes));
}

void RuleRunner::note_slowness(const core::Verdict& verdict, std::size_t member) {
    const auto* done = std::get_if<core::Completed>(&verdict);
    const auto timeout = members_[member].timeout;
    if (done == nullptr || done->duration <= timeout / 2) return;
    const auto now = std::chrono::steady_clock::now();
    slow_said_.resize(members_.size());
    if (slow_said_[member] != decltype(now){} && now - slow_said_[member] < between_two_complaints) return;
    slow_said_[member] = now;
    log_.log(ports::LogLevel::warning, "evaluate", "rule_slow", "a rule used more than half of its timeout",
             {{"rule_id", members_[member].plugin.rule_id},
              {"duration_ms", std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(done->duration).count()}},
              {"timeout_ms", std::int64_t{timeout.count()}}});
}

void RuleRunner::retire_if_due() {
    if (!worker_ || !worker_->alive()) return;
    log_bytes_before_ = worker_->log_bytes();
    std::string why;
    if (worker_->evaluations() >= limits_.max_evaluations)
        why = fmt::format("max_evaluations: {}", worker_->evaluations());
    else if (worker_->age() >= limits_.max_age)
        why = fmt::format("max_age_seconds: {}", limits_.max_age.count());
    if (++runs_ % runs_between_looks == 0 || resident_at_first_ == 0) {
        const std::uint64_t resident = worker_->resident_bytes();
        if (resident_at_first_ == 0) resident_at_first_ = resident;
        if (resident > resident_at_first_ + limits_.max_growth_bytes)
            why = fmt::format("max_growth_mb: grew from {} to {} MiB", resident_at_first_ >> 20, resident >> 20);
    }
    if (why.empty()) return;
    log_.log(ports::LogLevel::warning, "evaluate", "worker_recycled", "a worker is replaced by a fresh one",
             {{"rule_id", members_.front().plugin.rule_id}, {"reason", why}, {"pid", std::int64_t{worker_->pid()}}});
    worker_.reset();
    prepare();
}

void RuleRunner::log_what_it_wrote() {
    if (!worker_) return;
    const std::string text = worker_->take_log();
    if (text.empty() || !log_.wants(ports::LogLevel::debug)) return;
    log_.log(ports::LogLevel::debug, "evaluate", "rule_log", text, {{"rule_id", members_.front().plugin.rule_id}});
}

Failed RuleRunner::with_facts(Failed failed, std::size_t member) const {
    auto evidence = failed.evidence ? std::make_shared<core::Evidence>(*failed.evidence) : std::make_shared<core::Evidence>();
    const ports::Plugin& plugin = members_[member].plugin;
    evidence->path = plugin.path;
    evidence->version = plugin.version;
    evidence->sdk = plugin.sdk;
    evidence->sha256 = plugin.sha256;
    evidence->build_id = plugin.build_id;
    evidence->incarnation = incarnation_;
    failed.evidence = std::move(evidence);
    return failed;
}

}  // namespace varde::evaluate
