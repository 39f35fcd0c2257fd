// The C++ layer and the test kit: what is thrown stays inside, values are read as the reference reads them, reads are resolved.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <functional>

#include <varde/rule.hpp>
#include <varde/test.hpp>

namespace {

using namespace std::chrono_literals;
using varde::Findings;
using varde::Setup;

/// A rule whose two functions are given by the test case.
struct Scripted {
    static inline std::function<void(Setup&)> on_create;
    static inline std::function<void(const varde::Window&, Findings&)> on_evaluate;
    explicit Scripted(Setup& setup) { on_create(setup); }
    void evaluate(const varde::Window& window, Findings& out) const { on_evaluate(window, out); }
};
constexpr varde_rule_entry kScripted = varde::detail::make_entry<Scripted>("T-001", "1.0.0", VARDE_SDK);

struct Script {
    Script(std::function<void(Setup&)> create, std::function<void(const varde::Window&, Findings&)> evaluate) {
        Scripted::on_create = std::move(create);
        Scripted::on_evaluate = std::move(evaluate);
    }
    varde::test::Answer run(const varde::test::Window& window, std::string_view params = "{}") {
        varde::test::Rule rule(params, kScripted);
        REQUIRE_MESSAGE(rule.created(), rule.refusal);
        return rule.evaluate(window);
    }
};

void nothing(Setup&) {}
varde::test::Window noon() { return {"2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z"}; }

/// Reads one parameter document with `look` while a rule is made.
void with_params(std::string_view params, std::function<void(const varde::Value&)> look) {
    Scripted::on_create = [&](Setup& setup) { look(setup.params()); };
    const varde::test::Rule rule(params, kScripted);
    CHECK_MESSAGE(rule.created(), rule.refusal);
}

}  // namespace

TEST_CASE("what evaluate throws becomes an error with its type and text") {
    Script script(nothing, [](const varde::Window&, Findings&) { throw std::runtime_error("no luck"); });
    const auto answer = script.run(noon());
    CHECK(answer.status == VARDE_E_RULE);
    CHECK(answer.error == "std::runtime_error: no luck");
    Script other(nothing, [](const varde::Window&, Findings&) { throw 7; });
    CHECK(other.run(noon()).error == "int");
}

TEST_CASE("what a constructor throws refuses the rule") {
    Scripted::on_create = [](Setup& setup) { setup.params()["night"]["end"].refuse("is late"); };
    const varde::test::Rule param(R"({"night": {"end": 1}})", kScripted);
    CHECK(param.status == VARDE_E_PARAM);
    CHECK(param.refused_param == "night.end");
    CHECK(param.refusal == "is late");
    Scripted::on_create = [](Setup&) { throw std::out_of_range("lost"); };
    const varde::test::Rule other("{}", kScripted);
    CHECK(other.status == VARDE_E_RULE);
    CHECK(other.refusal == "std::out_of_range: lost");
}

TEST_CASE("real numbers are written as Python writes them") {
    for (const auto& [value, text] : {std::pair{1.0, "1.0"},
                                      {7.5, "7.5"},
                                      {1e22, "1e+22"},
                                      {1e16, "1e+16"},
                                      {1e15, "1000000000000000.0"},
                                      {0.1, "0.1"},
                                      {1e-4, "0.0001"},
                                      {1e-5, "1e-05"},
                                      {-0.0, "-0.0"},
                                      {123456.789, "123456.789"},
                                      {5e-324, "5e-324"}})
        CHECK(varde::repr(value) == text);
    CHECK(varde::json_to_python(R"(["a", 1.0, {"it's": true}, null, 1e22, "\u00f8"])") ==
          R"(['a', 1.0, {"it's": True}, None, 1e+22, 'ø'])");
}

TEST_CASE("blanks are those of Python, also the wide ones") {
    CHECK(varde::trim(" \t\n a b \xc2\xa0\xe3\x80\x80") == "a b");
    CHECK(varde::trim("\xe2\x80\x83").empty());
    CHECK(varde::trim("\xc3\xa6\xc3\xb8\xc3\xa5") == "\xc3\xa6\xc3\xb8\xc3\xa5");
}

TEST_CASE("integers are read as int() reads them") {
    CHECK(varde::read_int(" 7 ") == 7);
    CHECK(varde::read_int("+1_000") == 1000);
    CHECK(varde::read_int("-3") == -3);
    CHECK(varde::read_int("99999999999999999999") == INT64_MAX);
    for (const char* text : {"", " ", "5.0", "x", "1__0", "_1", "1_", "--1", "0x10"}) CHECK_FALSE(varde::read_int(text));
}

TEST_CASE("times of day are read as time.fromisoformat() reads them") {
    CHECK(varde::read_local_time("06") == 6h);
    CHECK(varde::read_local_time("06:05") == 6h + 5min);
    CHECK(varde::read_local_time("060507") == 6h + 5min + 7s);
    CHECK(varde::read_local_time("T23:59:59.9999999") == 24h - 1us);
    for (const char* text :
         {"", "6", "24:00", "12:60", "12:", "12:3", "12:30:", "12:30:00.", "12:3000", "1230:00", "12:30Z", "12:30:00+01:00"})
        CHECK_FALSE(varde::read_local_time(text));
}

TEST_CASE("parameters are read leniently or strictly, as their rule asks") {
    with_params(R"({"i": 5, "r": 5.9, "b": true, "t": " 7 ", "x": "x", "n": null, "l": ["a", 1, null, [1.0]], "e": [], "s": "",)"
                R"("blank": "  ", "word": " w ", "o": {"k": 1}, "big": 99999999999999999999})",
                [](const varde::Value& p) {
                    CHECK(p.get_int("i", 1) == 5);
                    CHECK(p.get_int("r", 1) == 5);
                    CHECK(p.get_int("b", 9) == 1);
                    CHECK(p.get_int("t", 1) == 7);
                    CHECK(p.get_int("x", 1) == 1);
                    CHECK(p.get_int("n", 1) == 1);
                    CHECK(p.get_int("missing", 1) == 1);
                    CHECK(p.get_str("i", "d") == "5");
                    CHECK(p.get_str("b", "d") == "True");
                    CHECK(p.get_str("s", "d") == "d");
                    CHECK(p.get_str("l", "d") == "d");
                    CHECK(p.str_of("n", "d") == "None");
                    CHECK(p.str_of("big", "d") == "99999999999999999999");
                    CHECK(p.str_of("o", "d") == "{'k': 1}");
                    CHECK(p.word("blank", "d") == "d");
                    CHECK(p.word("word", "d") == "w");
                    CHECK(p.words("l", {}) == std::vector<std::string>{"a", "1", "None", "[1.0]"});
                    CHECK(p.words("e", {"d"}) == std::vector<std::string>{"d"});
                    CHECK(p["l"].children().at(3).path() == "l[3]");
                    CHECK(p["o"]["missing"].path() == "o.missing");
                    CHECK_THROWS_AS((void)p.strict_int("n", 1, 0, 9), varde::ParamError);
                    CHECK_THROWS_AS((void)p.strict_int("big", 1, 0, 9), varde::ParamError);
                    CHECK_THROWS_AS((void)p.get_int("i", 1, 6, 9), varde::ParamError);
                    CHECK_THROWS_AS((void)p.flag("i", false), varde::ParamError);
                    CHECK(p.nested().path().empty());
                });
}

TEST_CASE("values are compared as texts without becoming texts") {
    varde::Key key;
    std::vector<varde::Word> words;
    std::vector<std::string> found;
    Script script(
        [&](Setup& setup) {
            key = setup.key("v");
            words = setup.words({"1", "1.0", "True", "None", "[]", "['a']", "text", ""});
            words.push_back(setup.word_any_case("on"));
            words.push_back(setup.word_any_case("true"));
            (void)setup.window();
        },
        [&](const varde::Window& window, Findings&) {
            found.clear();
            for (uint32_t i = 0; i < window.raw().n_rows; ++i) {
                std::string matches;
                for (const auto& word : words)
                    if (varde::Row(window.raw(), i)[key].is(word)) matches += word.text() + "|";
                found.push_back(matches);
            }
        });
    auto window = noon();
    for (const char* value :
         {"1", "1.0", "true", "null", "[]", "[\"a\"]", "\"text\"", "\"\"", "\"ON\"", "\"True\"", "\"1\"", "2"})
        window.event("e", "2026-01-15T09:00:00Z", "c", std::string(R"({"v": )") + value + "}");
    window.event("e", "2026-01-15T09:00:00Z", "c", "{}").event("e", "2026-01-15T09:00:00Z", "c", "[1]");
    script.run(window);
    CHECK(found == std::vector<std::string>{"1|", "1.0|", "True|true|", "None|", "[]|", "['a']|", "text|", "|", "on|",
                                            "True|true|", "1|", "", "", ""});
}

TEST_CASE("falsy values fall through to the next key") {
    varde::Keys keys;
    std::vector<std::string> texts;
    Script script(
        [&](Setup& setup) {
            keys = setup.keys({"a", "b"});
        },
        [&](const varde::Window& window, Findings&) {
            texts.clear();
            for (uint32_t i = 0; i < window.raw().n_rows; ++i)
                texts.push_back(varde::Row(window.raw(), i).first_truthy(keys).str());
        });
    auto window = noon();
    for (const char* a : {"0", "0.0", "-0.0", "\"\"", "false", "null", "[]", "{}", "7", "\"x\"", "[0]"})
        window.event("e", "2026-01-15T09:00:00Z", "c", std::string(R"({"b": "b", "a": )") + a + "}");
    window.event("e", "2026-01-15T09:00:00Z", "c", R"({"a": 1, "b": 0})")
        .event("e", "2026-01-15T09:00:00Z", "c", R"({"a": 0, "b": 0})");
    script.run(window);
    CHECK(texts == std::vector<std::string>{"b", "b", "b", "b", "b", "b", "b", "b", "7", "x", "[0]", "1", "0"});
}

TEST_CASE("a read gives its own categories and its own range") {
    varde::Read lookback, followup, latest, latest_before;
    Script script(
        [&](Setup& setup) {
            const varde::Literals door{setup.literal("door")};
            lookback = setup.range(varde::at_until - 24h, varde::at_until, door);
            followup = setup.range(varde::at_since, varde::at_until + 10min, door);
            latest = setup.latest({setup.literal("beat")}, setup.literal("prod"));
            latest_before = setup.latest_before(varde::at_until, {setup.literal("beat")});
        },
        [&](const varde::Window& window, Findings& out) {
            auto evidence = out.finding({.title = "t", .window = window.span(lookback), .timestamp = window.until()});
            const auto ids = [&](const varde::Read& read) {
                std::vector<varde::Row> rows;
                for (const varde::Row row : window.rows(read)) rows.push_back(row);
                return rows;
            };
            evidence.field("lookback", ids(lookback))
                .field("followup", ids(followup))
                .field("latest", window.rows(latest).front());
            evidence.field("before", window.rows(latest_before).back());
        });
    auto window = noon();
    window.event("old", "2026-01-14T12:00:00Z", "door").event("older", "2026-01-14T11:59:59Z", "door");
    window.event("in", "2026-01-15T09:00:00Z", "door").event("other", "2026-01-15T09:30:00Z", "motion");
    window.event("after", "2026-01-15T12:09:59Z", "door").event("too late", "2026-01-15T12:10:00Z", "door");
    window.event("beat", "2020-01-15T12:00:00Z", "beat").event("future", "2030-01-15T12:00:00Z", "beat");
    window.add({.id = "test", .time = "2031-01-15T12:00:00Z", .category = "beat", .stream = "test"});
    const auto answer = script.run(window);
    REQUIRE(answer.met());
    CHECK(answer.findings[0].evidence ==
          R"({"lookback":["old","in"],"followup":["in","after"],"latest":"future","before":"beat"})");
    CHECK(answer.findings[0].since == "2026-01-14T12:00:00Z");
    CHECK(answer.findings[0].timestamp == "2026-01-15T12:00:00Z");
}

TEST_CASE("a night is found by its local times, through summer time") {
    varde::Read night, of_until;
    varde::Zone oslo, unknown;
    Script script(
        [&](Setup& setup) {
            oslo = setup.zone("Europe/Oslo", "tz");
            unknown = setup.zone_or_utc("Nowhere/City");
            night = setup.local_day(oslo, 22h, 7h, varde::Day::containing);
            of_until = setup.local_day(unknown, 8h, 20h, varde::Day::of_until);
        },
        [&](const varde::Window& window, Findings& out) {
            const auto span = window.span(night);
            out.finding({.title = "t", .window = span})
                .field("utc", window.span(of_until).since)
                .field("hour", window.local_hour(oslo, window.until()));
        });
    const auto night_of = [&](std::string until) {
        const auto found = script.run({"2026-01-01T00:00:00Z", until}).findings.at(0);
        return found.since + " " + found.until + " " + found.evidence;
    };
    CHECK(night_of("2026-01-15T00:30:00Z") ==
          R"(2026-01-14T21:00:00Z 2026-01-15T06:00:00Z {"utc":"2026-01-15T08:00:00+00:00","hour":1})");
    CHECK(night_of("2026-01-15T21:00:00Z") ==
          R"(2026-01-15T21:00:00Z 2026-01-16T06:00:00Z {"utc":"2026-01-15T08:00:00+00:00","hour":22})");
    CHECK(night_of("2026-01-15T20:59:59Z").starts_with("2026-01-14T21:00:00Z 2026-01-15T06:00:00Z"));
    CHECK(night_of("2026-03-29T12:00:00Z").starts_with("2026-03-28T21:00:00Z 2026-03-29T05:00:00Z"));
    CHECK(night_of("2025-10-26T12:00:00Z").starts_with("2025-10-25T20:00:00Z 2025-10-26T06:00:00Z"));
}

TEST_CASE("evidence is nested, typed and in order") {
    Script script(nothing, [](const varde::Window& window, Findings& out) {
        std::optional<int64_t> maybe = 0;
        if (window.length() > 0s) maybe.reset();
        auto evidence = out.finding({.severity = varde::Severity::critical, .title = "t"});
        evidence.field("rooms", std::vector<std::string>{"a\"b"})
            .begin_object("per_room")
            .begin_object("['stue']")
            .field("severity", "LOW");
        evidence.field("last_on", window.since() + 1us).end().end().field("none", nullptr).field("maybe", maybe);
        evidence.field("real", 1.0).field("yes", true).field("count", 3u).begin_list("mixed").item(1).item("x").end();
    });
    CHECK(script.run(noon()).findings.at(0).evidence ==
          R"({"rooms":["a\"b"],"per_room":{"['stue']":{"severity":"LOW","last_on":"2026-01-15T08:00:00.000001+00:00"}},)"
          R"("none":null,"maybe":null,"real":1.0,"yes":true,"count":3,"mixed":[1,"x"]})");
}

TEST_CASE("an answer over the limits is refused, and that is an error of the rule") {
    Script script(nothing, [](const varde::Window&, Findings& out) {
        for (int i = 0; i < 65; ++i) (void)out.finding({.title = "t"});
    });
    const auto answer = script.run(noon());
    CHECK(answer.status == VARDE_E_RULE);
    CHECK(answer.error == "varde::AnswerRefused: the host refused finding 't'");
}

TEST_CASE("a rule that says it has no data has no finding") {
    Script script(nothing, [](const varde::Window& window, Findings& out) {
        out.no_data("no sensor");
        out.valid_until(window.until() + 1h);
    });
    const auto answer = script.run(noon());
    CHECK(answer.outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(answer.reason == "no sensor");
    CHECK(answer.valid_until == "2026-01-15T13:00:00Z");
}

TEST_CASE("the test kit sees a rule that keeps state, and one that reads what it did not declare") {
    int calls = 0;
    Script counting(nothing, [&](const varde::Window&, Findings& out) { out.reason(std::to_string(++calls)); });
    CHECK(counting.run(noon()).violations.at(0) == "the same window gave two answers: the rule keeps state");
    Script peeking(nothing, [](const varde::Window& window, Findings& out) { out.reason(std::to_string(window.raw().n_rows)); });
    const auto window = noon().event("before", "2026-01-14T12:00:00Z", "door");
    CHECK(peeking.run(window).violations.at(0) == "rows that no read asked for changed the answer");
}

TEST_CASE("what a rule keeps is what it finds next time") {
    Script script(nothing, [](const varde::Window&, Findings& out) {
        if (out.state() != "full") out.keep(std::string(out.state()) + "x");
    });
    CHECK(script.run(noon()).state == "x");
    CHECK(script.run(noon().kept("ab")).state == "abx");
    CHECK_FALSE(script.run(noon().kept("full")).state.has_value());
    Script greedy(nothing, [](const varde::Window&, Findings& out) { out.keep(std::string(VARDE_MAX_STATE_BYTES + 1, 'x')); });
    const auto answer = greedy.run(noon());
    CHECK(answer.status == VARDE_E_RULE);
    CHECK(answer.violations.size() == 1);
}

TEST_CASE("the steps of an answer stand in its explanation") {
    Script script(nothing, [](const varde::Window&, Findings& out) {
        out.note("3 events");
        out.step(true, "a door was open");
        out.step(false, "nobody moved");
    });
    CHECK(script.run(noon()).steps ==
          std::vector<std::string>{"note: 3 events", "held: a door was open", "failed: nobody moved"});
}

namespace {

struct Doubtful {
    explicit Doubtful(Setup& setup) : sound{setup.params()["sound"].exists()} {}
    void evaluate(const varde::Window&, Findings&) const {}
    void selftest() const {
        if (!sound) throw std::logic_error("not today");
    }
    bool sound;
};
constexpr varde_rule_entry kDoubtful = varde::detail::make_entry<Doubtful>("T-002", "1.0.0", VARDE_SDK);

}  // namespace

TEST_CASE("a rule with selftest() offers it, and what it throws is what is wrong") {
    CHECK(varde::test::Rule("{}", kDoubtful).selftest() == "std::logic_error: not today");
    CHECK(varde::test::Rule(R"({"sound": 1})", kDoubtful).selftest().empty());
    CHECK((kScripted.query == nullptr));
    CHECK(varde::test::Rule("{}", kScripted).selftest().empty());
}
