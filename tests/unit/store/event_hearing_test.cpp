// What schedules hear of stored events: ScheduleRepository's hear_events, and the events that fire_due gives to one-offs.
#include "schedule_fixture.hpp"

#include <thread>

#include <fmt/format.h>

using namespace varde;
using namespace varde::store::testing;
using ports::DueDecision;
using ports::DueSchedule;
using Names = std::vector<std::string>;
using Effect = ports::HeededEvent::Effect;

namespace {

/// Without a look into payloads: that is not the database's business.
Names everybody(std::span<const core::Event> events, std::span<const ports::EventListener> listeners) {
    Names ids;
    for (const auto& listener : listeners) {
        const bool meant = std::ranges::any_of(events, [&](const core::Event& event) {
            return event.seq > listener.since && event.category == listener.match.category &&
                   event.scope.org_id == listener.org_id;
        });
        if (meant && std::ranges::find(ids, listener.schedule_id) == ids.end()) ids.push_back(listener.schedule_id);
    }
    return ids;
}

Names ids_of(const DueSchedule& due) {
    Names ids;
    for (const auto* const event : due.events) ids.push_back(event->event_id);
    return ids;
}

DueDecision as_it_was(const DueSchedule& due) {
    return {due.schedule.next_at, due.schedule.last_nominal, false, false, {}, {}, {}};
}

DueDecision cancelled(const DueSchedule& due) {
    DueDecision decision;
    decision.completed = true;
    decision.runs.push_back(run_of(due.schedule, due.schedule.trigger.at, core::RunState::skipped));
    decision.runs[0].reason = core::SlotReason::event;
    decision.heeded.push_back({Effect::cancelled, "", "", due.events.at(0)->category, due.events[0]->event_id, {}, {}, ""});
    return decision;
}

DueDecision moved(const DueSchedule& due, core::Instant to) {
    auto decision = as_it_was(due);
    decision.next_at = decision.moved_to = to;
    decision.heeded.push_back({Effect::moved, "", "", due.events.at(0)->category, due.events[0]->event_id, {}, to, ""});
    return decision;
}

template <class On>
struct Hearing : Schedules<On> {
    void store(std::vector<core::Event> events) {
        if (!log_) log_ = this->open_log();
        value_of(log_->append(events));
    }
    void store(const std::string& id, const std::string& category, const std::string& org = "default") {
        core::Scope scope;
        scope.org_id = org;
        store({event_of(id, 1, category, scope)});
    }
    core::Schedule on_event(const std::string& id, const std::string& category, core::Microseconds debounce = {}) {
        auto schedule = schedule_of(id);
        schedule.trigger = {};
        schedule.trigger.kind = core::TriggerKind::event;
        schedule.trigger.event.category = category;
        schedule.trigger.debounce = debounce;
        schedule.next_at.reset();
        return schedule;
    }
    /// Due at second 60.
    core::Schedule one_off(const std::string& id, Names cancel_on) {
        auto schedule = schedule_of(id);
        schedule.trigger = {};
        schedule.trigger.kind = core::TriggerKind::once;
        schedule.trigger.at = at_second(60);
        for (auto& category : cancel_on) schedule.trigger.cancel_on.push_back({std::move(category), "{}"});
        return schedule;
    }
    ports::HeardEvents hear(std::int64_t second, const std::function<DueDecision(const DueSchedule&)>& decide = as_it_was) {
        return value_of(this->schedules().hear_events(at_second(second), everybody, decide));
    }

  private:
    std::unique_ptr<store::SqlEventLog> log_;
};

}  // namespace

TEST_CASE_TEMPLATE("an event makes its schedules due after their debounce, once", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    fixture.store("past", "door");
    fixture.create(fixture.on_event("a", "door", std::chrono::seconds{3}));
    fixture.create(fixture.on_event("b", "door"));
    fixture.create(fixture.on_event("c", "motion"));
    auto paused = fixture.on_event("paused", "door");
    paused.state = core::ScheduleState::paused;
    fixture.create(paused);
    CHECK(value_of(fixture.schedules().event_categories()) == Names{"door", "motion"});
    CHECK(fixture.hear(1).armed == 0);  // what was stored before they were made
    fixture.store("e1", "door");
    fixture.store("e2", "water");
    CHECK(fixture.hear(1).armed == 2);
    CHECK(fixture.hear(2).armed == 0);
    fixture.store("e1", "door");  // the same event again is none
    CHECK(fixture.hear(2).armed == 0);
    CHECK(fixture.find("a").next_at == at_second(4));
    CHECK(fixture.find("b").next_at == at_second(1));
    CHECK_FALSE(fixture.find("c").next_at.has_value());
    CHECK_FALSE(fixture.find("paused").next_at.has_value());
}

TEST_CASE_TEMPLATE("what an event schedule heard while it was due, or rested, is not heard again", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(fixture.on_event("a", "door"));
    const auto paused = fixture.create(fixture.on_event("paused", "window"));
    const auto set = [&](const std::string& id, core::ScheduleState state) {
        value_of(fixture.schedules().edit(id, "", [&](const core::Schedule& current, const auto&) {
            ports::ScheduleRepository::Edited edited{current, {}, {}};
            edited.schedule.state = state;
            return core::Result<ports::ScheduleRepository::Edited>{edited};
        }));
    };
    set("paused", core::ScheduleState::paused);
    fixture.store("e1", "door");
    CHECK(fixture.hear(1).armed == 1);
    fixture.store("e2", "door");
    fixture.store("e3", "window");
    CHECK(fixture.hear(2).armed == 0);
    value_of(fixture.schedules().fire_due(at_second(3), 10, [](const DueSchedule&) { return DueDecision{}; }));
    set("paused", core::ScheduleState::active);
    CHECK(fixture.hear(4).armed == 0);
    CHECK_FALSE(fixture.find("a").next_at.has_value());
    CHECK_FALSE(fixture.find("paused").next_at.has_value());
}

TEST_CASE_TEMPLATE("an event is heard in its own organisation only", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    auto other = fixture.on_event("other", "door");
    other.org_id = "acme";
    fixture.create(other);
    fixture.create(fixture.on_event("own", "door"));
    auto one_off = fixture.one_off("once", {"door"});
    one_off.org_id = "acme";
    one_off.next_at = at_second(60);
    fixture.create(one_off);
    fixture.store("e1", "door");
    CHECK(fixture.hear(1, cancelled).armed == 1);
    CHECK_FALSE(fixture.find("other").next_at.has_value());
    const auto fired = value_of(fixture.schedules().fire_due(at_second(60), 10, [](const DueSchedule& due) {
        CHECK(due.events.empty());
        return as_it_was(due);
    }));
    CHECK(fired.schedules == 2);
}

TEST_CASE_TEMPLATE("a one-off that is called is decided about before its time", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    const auto created = fixture.create(fixture.one_off("once", {"off", "stop"}));
    fixture.create(fixture.one_off("untouched", {"other"}));
    auto paused = fixture.one_off("paused", {"stop"});
    paused.state = core::ScheduleState::paused;
    fixture.create(paused);
    fixture.store("e1", "door");
    fixture.store("e2", "stop");
    Names asked;
    const auto heard = fixture.hear(30, [&](const DueSchedule& due) {
        asked.push_back(due.schedule.schedule_id);
        CHECK(ids_of(due) == Names{"e2"});
        CHECK(due.events[0]->payload == R"({"value":"on"})");
        return cancelled(due);
    });
    CHECK(asked == Names{"once", "paused"});
    CHECK(heard.armed == 0);
    REQUIRE(heard.fired.heeded.size() == 2);
    CHECK(heard.fired.heeded[0].schedule_id == "once");
    CHECK(heard.fired.heeded[0].event_id == "e2");
    REQUIRE(heard.fired.rows.size() == 2);
    CHECK(fixture.run(heard.fired.rows[0].run_id).reason == core::SlotReason::event);
    const auto after = fixture.find("once");
    CHECK(after.state == core::ScheduleState::completed);
    CHECK_FALSE(after.next_at.has_value());
    CHECK(after.version == created.version);
    CHECK(value_of(fixture.schedules().event_categories()) == Names{"other"});  // who is completed listens no more
    fixture.store("e3", "stop");
    fixture.hear(31, [](const DueSchedule& due) {
        FAIL(due.schedule.schedule_id);
        return as_it_was(due);
    });
}

TEST_CASE_TEMPLATE("a one-off that is due comes with what was stored since it was made, heard by others or not", On,
                   ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    fixture.store("past", "stop");
    fixture.create(fixture.one_off("once", {"stop", "off"}));
    fixture.create(fixture.one_off("deaf", {}));
    fixture.store({event_of("e1", 1, "stop"), event_of("e2", 2, "door"), event_of("e3", 3, "off")});
    std::vector<Names> asked;
    const auto look = [&](const DueSchedule& due) {
        asked.push_back(ids_of(due));
        CHECK_FALSE(due.more_events);
        return as_it_was(due);
    };
    value_of(fixture.schedules().fire_due(at_second(60), 10, look));
    CHECK(asked == std::vector<Names>{{}, {"e1", "e3"}});
    asked.clear();
    fixture.hear(60);  // it did not heed them then, and need not be asked again
    fixture.store("e4", "stop");
    value_of(fixture.schedules().fire_due(at_second(60), 10, look));
    CHECK(asked == std::vector<Names>{{}, {"e4"}});
}

TEST_CASE_TEMPLATE("a due one-off that is cancelled completes", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(fixture.one_off("once", {"stop"}));
    fixture.store("e1", "stop");
    const auto fired = value_of(fixture.schedules().fire_due(at_second(60), 10, cancelled));
    REQUIRE(fired.heeded.size() == 1);
    CHECK(fired.heeded[0].schedule_id == "once");
    CHECK(fixture.find("once").state == core::ScheduleState::completed);
    CHECK_FALSE(fixture.hear(61).more);
}

TEST_CASE_TEMPLATE("a moved one-off has a new trigger, and is not asked about the event again", On, ON_EACH_ENGINE) {
    for (const bool due_already : {false, true}) {
        CAPTURE(due_already);
        Hearing<On> fixture;
        if (!fixture.ready()) return;
        auto schedule = fixture.one_off("once", {"stop"});
        schedule.trigger.move_on = {{{"later", R"({"user":"42"})"}, "run_at"}};
        const auto created = fixture.create(schedule);
        fixture.store("e1", "later");
        const auto decide = [](const DueSchedule& due) { return moved(due, at_second(90)); };
        const auto heeded = due_already ? value_of(fixture.schedules().fire_due(at_second(60), 10, decide)).heeded
                                        : fixture.hear(30, decide).fired.heeded;
        REQUIRE(heeded.size() == 1);
        CHECK(heeded[0].to == at_second(90));
        auto expected = created;
        expected.trigger.at = at_second(90);
        expected.next_at = at_second(90);
        expected.updated_at = at_second(due_already ? 60 : 30);
        ++expected.version;
        ++expected.generation;
        CHECK(fixture.find("once") == expected);
        const auto never = [](const DueSchedule& due) {
            FAIL(ids_of(due).at(0));
            return as_it_was(due);
        };
        fixture.hear(61, never);
        value_of(fixture.schedules().fire_due(at_second(90), 10, [](const DueSchedule& due) {
            CHECK(due.events.empty());
            return as_it_was(due);
        }));
    }
}

TEST_CASE_TEMPLATE("a changed trigger hears what is stored from then on; another change leaves it as it is", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(fixture.one_off("a", {"stop"}));
    fixture.create(fixture.one_off("b", {"stop"}));
    fixture.create(fixture.one_off("gone", {"stop"}));
    fixture.store("e1", "stop");
    const auto edit = [&](const std::string& id, const std::function<void(core::Schedule&)>& change) {
        value_of(fixture.schedules().edit(id, "", [&](const core::Schedule& current, const auto&) {
            ports::ScheduleRepository::Edited edited{current, {}, {}};
            change(edited.schedule);
            return core::Result<ports::ScheduleRepository::Edited>{edited};
        }));
    };
    edit("a", [](core::Schedule& schedule) { schedule.name = "another name"; });
    edit("b", [](core::Schedule& schedule) { schedule.trigger.cancel_on[0].where = R"({"a":1})"; });
    value_of(fixture.schedules().remove("gone", "", false, false, at_second(2)));
    Names asked;
    fixture.hear(30, [&](const DueSchedule& due) {
        asked.push_back(due.schedule.schedule_id);
        return as_it_was(due);
    });
    CHECK(asked == Names{"a"});
    fixture.store("e2", "stop");
    asked.clear();
    fixture.hear(31, [&](const DueSchedule& due) {
        asked.push_back(due.schedule.schedule_id);
        CHECK(ids_of(due) == Names{"e2"});
        return as_it_was(due);
    });
    CHECK(asked == Names{"a", "b"});
}

TEST_CASE_TEMPLATE("a long log is heard in parts, and until then nothing that listens is decided", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(fixture.one_off("once", {"stop"}));
    std::vector<core::Event> events;
    for (int i = 0; i < 1'500; ++i) events.push_back(event_of(fmt::format("e{}", i), i, "stop"));
    fixture.store(events);
    std::size_t shown = 0;
    value_of(fixture.schedules().fire_due(at_second(60), 10, [&](const DueSchedule& due) {
        shown = due.events.size();
        CHECK(due.more_events);
        return as_it_was(due);
    }));
    CHECK(shown == 1'000);
    CHECK(fixture.hear(61).more);
    CHECK_FALSE(fixture.hear(61).more);
    value_of(fixture.schedules().fire_due(at_second(62), 10, [&](const DueSchedule& due) {
        CHECK(due.events.empty());
        CHECK_FALSE(due.more_events);
        return as_it_was(due);
    }));
}

TEST_CASE_TEMPLATE("two hosts that hear at the same time hear each event once", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(fixture.on_event("a", "door"));
    constexpr int rounds = 30;
    int armed[2]{};
    const auto work = [&](int& count, ports::ScheduleRepository& schedules) {
        for (int i = 0; i < rounds; ++i) {
            count += value_of(schedules.hear_events(at_second(1), everybody, as_it_was)).armed;
            value_of(schedules.fire_due(at_second(2), 10, [](const DueSchedule&) { return DueDecision{}; }));
        }
    };
    fixture.store("e1", "door");
    const auto own = fixture.connect();
    store::SqlScheduleRepository other{*own};
    std::thread thread{work, std::ref(armed[0]), std::ref(other)};
    work(armed[1], fixture.schedules());
    thread.join();
    CHECK(armed[0] + armed[1] == 1);
}

TEST_CASE_TEMPLATE("event schedules of an older database listen as before, to what is stored from then on", On, ON_EACH_ENGINE) {
    Hearing<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(fixture.on_event("a", "door"));
    fixture.create(fixture.one_off("once", {}));
    fixture.store("e1", "door");
    value_of(fixture.database().impl().write("as it was before migration 13", [](store::Session& session) {
        session.exec("DROP TABLE schedule_listens");
        session.exec("DROP TABLE schedule_hearing");
        session.exec("CREATE INDEX schedules_of_events ON schedules (event_category)");
        session.exec("DELETE FROM schema_migrations WHERE version >= 13");
    }));
    value_of(store::migrate(fixture.database(), migrations_dir));
    CHECK(value_of(fixture.schedules().event_categories()) == Names{"door"});
    CHECK(fixture.hear(1).armed == 0);
    fixture.store("e2", "door");
    CHECK(fixture.hear(2).armed == 1);
}
