#include "run_fixture.hpp"

using namespace varde;
using core::Errc;
using scripted::json_field;
using scripted::met;
using scripted::RunFixture;

namespace {

/// Deviations whose writes for one rule fail, as a row that breaks a constraint would.
class RefusingDeviations final : public ports::DeviationRepository {
  public:
    RefusingDeviations(fakes::DeviationRepository& rows, std::string rule_id, Errc code)
        : rows_{rows}, rule_id_{std::move(rule_id)}, code_{code} {}

    core::Result<std::unique_ptr<ports::DeviationTransaction>> begin() override {
        auto inner = rows_.begin();
        if (!inner) return tl::unexpected{inner.error()};
        return std::make_unique<Transaction>(std::move(*inner), *this);
    }
    core::Result<std::vector<core::RuleState>> rule_states() override { return rows_.rule_states(); }
    core::Result<std::vector<core::Deviation>> list(const ports::DeviationQuery& query) override { return rows_.list(query); }
    core::Result<std::optional<core::Deviation>> find(std::int64_t id) override { return rows_.find(id); }
    core::Result<std::map<std::string, std::int64_t>> count_by_rule() override { return rows_.count_by_rule(); }
    core::Result<void> update_if(const core::Deviation& row, core::DeviationStatus expected) override {
        return rows_.update_if(row, expected);
    }

  private:
    class Transaction final : public ports::DeviationTransaction {
      public:
        Transaction(std::unique_ptr<ports::DeviationTransaction> inner, const RefusingDeviations& owner)
            : inner_{std::move(inner)}, owner_{owner} {}
        core::Result<void> begin_savepoint() override { return inner_->begin_savepoint(); }
        core::Result<void> release_savepoint() override { return inner_->release_savepoint(); }
        core::Result<void> rollback_savepoint() override { return inner_->rollback_savepoint(); }
        core::Result<std::vector<core::Deviation>> active() override { return inner_->active(); }
        core::Result<std::int32_t> next_episode(const std::string& rule, const core::Scope& scope,
                                                const std::string& key) override {
            return inner_->next_episode(rule, scope, key);
        }
        core::Result<std::int64_t> insert(const core::Deviation& row) override {
            auto id = inner_->insert(row);
            if (row.rule_id == owner_.rule_id_) return core::fail(owner_.code_, "insert of a deviation of " + row.rule_id);
            return id;
        }
        core::Result<void> update(const core::Deviation& row) override {
            auto done = inner_->update(row);
            if (row.rule_id == owner_.rule_id_) return core::fail(owner_.code_, "update of a deviation of " + row.rule_id);
            return done;
        }
        core::Result<void> keep_state(const core::RuleState& state, core::Instant now) override {
            return inner_->keep_state(state, now);
        }
        core::Result<void> commit() override { return inner_->commit(); }

      private:
        std::unique_ptr<ports::DeviationTransaction> inner_;
        const RefusingDeviations& owner_;
    };
    fakes::DeviationRepository& rows_;
    std::string rule_id_;
    Errc code_;
};

}  // namespace

TEST_CASE("a failed rule is logged and counted once and the others go on") {
    RunFixture f{"R-001", "R-002", "R-003"};
    f.evaluator.says("R-001", met());
    auto crash = scripted::failed(core::FailureReason::segmentation_fault, "the rule read address 0");
    crash.signal = 11;
    crash.duration = std::chrono::milliseconds{7};
    f.evaluator.says("R-002", crash);
    f.evaluator.says("R-003", met());
    const auto summary = f.run();
    CHECK(summary.counts.rules_total == 3);
    CHECK(summary.counts.rules_ok == 2);
    CHECK(summary.counts.rules_failed == 1);
    CHECK(summary.counts.deviations_upserted == 2);
    CHECK(f.rule_log() == std::vector<std::string>{"rule_start R-001", "rule_result R-001", "rule_start R-002",
                                                   "rule_error R-002", "rule_start R-003", "rule_result R-003"});
    const auto entry = f.last_of("scheduler_rule_error");
    CHECK(entry.level == ports::LogLevel::error);
    CHECK(entry.run_id == "run-1");
    CHECK(entry.message == "rule evaluation failed");
    CHECK(std::get<std::string>(entry.fields.at("subject_key")) == "default");
    CHECK(std::get<std::int64_t>(entry.fields.at("duration_ms")) == 7);
    CHECK(json_field(entry, "scope") == nlohmann::json{{"org_id", "default"}, {"home_id", "default"}, {"subject_id", "default"}});
    CHECK(json_field(entry, "error") == nlohmann::json{{"type", "rule_failed"},
                                                       {"message", "the rule read address 0"},
                                                       {"reason", "segmentation_fault"},
                                                       {"phase", "evaluate"},
                                                       {"signal", 11}});
}

TEST_CASE("a write that fails is undone for its rule alone and counts as that rule's failure") {
    RunFixture f{"R-001", "R-002", "R-003"};
    for (const auto* id : {"R-001", "R-002", "R-003"}) f.evaluator.says(id, met());
    RefusingDeviations refusing{f.deviations, "R-002", Errc::database_failed};
    schedule::RuleRun rule_run{{f.evaluator, refusing, f.rules, f.baselines, f.modes, f.clock, f.log}};
    const auto summary = rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}});
    CHECK(summary.error.empty());
    CHECK(summary.counts.rules_ok == 2);
    CHECK(summary.counts.rules_failed == 1);
    CHECK(summary.counts.deviations_upserted == 2);
    REQUIRE(f.deviations.rows().size() == 2);
    CHECK(f.deviations.rows()[0].rule_id == "R-001");
    CHECK(f.deviations.rows()[1].rule_id == "R-003");
    CHECK(json_field(f.last_of("scheduler_rule_error"), "error").at("reason") == "database_failed");
}

TEST_CASE("a stale close that fails is undone alone; the others are closed") {
    RunFixture f{"R-001", "R-002"};
    f.put("R-001", "2026-01-15T00:00:00Z");
    f.put("R-002", "2026-01-15T00:00:00Z");
    RefusingDeviations refusing{f.deviations, "R-001", Errc::database_failed};
    schedule::RuleRun rule_run{{f.evaluator, refusing, f.rules, f.baselines, f.modes, f.clock, f.log}};
    const auto summary = rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}});
    CHECK(summary.counts.deviations_closed == 1);
    CHECK(f.deviations.rows()[0].status == core::DeviationStatus::open);
    CHECK(f.deviations.rows()[1].status == core::DeviationStatus::closed);
    CHECK(f.log.count("scheduler_rule_error") == 1);
}

TEST_CASE("a database that goes away in the middle loses the run, not half of it") {
    RunFixture f{"R-001", "R-002"};
    f.evaluator.says("R-001", met());
    f.evaluator.says("R-002", met());
    RefusingDeviations refusing{f.deviations, "R-002", Errc::database_unavailable};
    schedule::RuleRun rule_run{{f.evaluator, refusing, f.rules, f.baselines, f.modes, f.clock, f.log}};
    const auto summary = rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}});
    CHECK(summary.error == "insert of a deviation of R-002");
    CHECK(summary.counts.deviations_upserted == 0);
    CHECK(f.deviations.rows().empty());
}

TEST_CASE("an unreachable database ends the run with an error event, and the next run works again") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", met());
    f.deviations.fail_with(Errc::database_unavailable);
    CHECK(f.run().error == "fake deviations: rule_states");
    const auto entry = f.last_of("scheduler_run_end");
    CHECK(entry.level == ports::LogLevel::error);
    CHECK(entry.message == "scheduler run failed");
    CHECK(json_field(entry, "error") == nlohmann::json{{"type", "database_unavailable"},
                                                       {"message", "fake deviations: rule_states"},
                                                       {"reason", "database_unavailable"}});
    CHECK(entry.fields.count("counts") == 0);
    f.deviations.fail_with(std::nullopt);
    CHECK(f.run().error.empty());
    CHECK(f.deviations.rows().size() == 1);
}

TEST_CASE("events or rule rows that cannot be read end the run before anything is judged") {
    RunFixture f{"R-001"};
    f.evaluator.cannot_read(Errc::database_unavailable);
    CHECK(f.run().error == "scripted: catch_up");
    f.evaluator.cannot_read(std::nullopt);
    f.rules.fail_with(Errc::database_failed);
    CHECK(f.run().error == "fake rules: list");
    CHECK(f.evaluator.asked().empty());
}

TEST_CASE("a clock that was never set ends the run with an error instead of closing everything") {
    RunFixture f{"R-001"};
    f.put("R-001", "2026-01-15T11:00:00Z");
    const auto summary = f.run_at("1970-01-01T00:05:00Z");
    CHECK(summary.error.find("set the clock") != std::string::npos);
    CHECK(json_field(f.last_of("scheduler_run_end"), "error").at("type") == "invalid_argument");
    CHECK(f.deviations.rows().front().status == core::DeviationStatus::open);
}

TEST_CASE("an abandoned run writes nothing, whenever it notices") {
    for (int asked_before = 0; asked_before < 3; ++asked_before) {
        RunFixture f{"R-001"};
        f.evaluator.says("R-001", met());
        int asked = 0;
        const auto summary = f.run([&] { return asked++ >= asked_before; });
        CHECK(summary.error == "the run was abandoned: the host is going down");
        CHECK(f.deviations.rows().empty());
        CHECK(json_field(f.last_of("scheduler_run_end"), "error").at("type") == "stopping");
    }
}
