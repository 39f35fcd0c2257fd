#include "evaluate/answer_reader.hpp"
#include "wire/answer_rules.hpp"
#include "wire/message.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace varde;
using core::FailureReason;
using evaluate::Question;
using wire::ByteReader;
using wire::ByteWriter;
using wire::RecordKind;

namespace {

const core::Window kWindow{core::instant_from_us(1'000'000), core::instant_from_us(2'000'000)};

Question question() {
    return {kWindow, core::instant_from_us(2'000'000), 3,
            [](std::uint32_t row) {
                static const char* const ids[] = {"a", "b", "c"};
                return std::string_view{ids[row]};
            },
            1 << 20};
}

/// Writes records as a worker does.
struct Answer {
    std::vector<std::byte> bytes = std::vector<std::byte>(1 << 16);
    ByteWriter out{bytes};

    Answer& outcome(std::int32_t outcome, std::string_view reason = {}, std::int64_t valid_until = VARDE_NEVER) {
        out.put(RecordKind::outcome), out.put(outcome), out.put(valid_until), out.put_text(reason);
        return *this;
    }
    Answer& finding(std::int32_t severity = VARDE_LOW, std::string_view title = "title", std::int64_t since = VARDE_TIME_UNSET,
                    std::int64_t until = VARDE_TIME_UNSET) {
        out.put(RecordKind::finding), out.put(severity), out.put(since), out.put(until), out.put(VARDE_TIME_UNSET);
        out.put_text(title), out.put_text("");
        return *this;
    }
    Answer& field(std::uint32_t kind, std::string_view key, std::int64_t integer = 0, std::string_view text = {}) {
        out.put(RecordKind::field), out.put(kind), out.put_text(key), out.put_text(text), out.put(integer);
        return *this;
    }
    Answer& end() {
        out.put(RecordKind::end), out.put(std::uint64_t{1000});
        return *this;
    }
    [[nodiscard]] std::optional<core::Verdict> read() const {
        ByteReader in{std::span{bytes}.first(out.size())};
        return evaluate::read_answer(in, question());
    }
};

core::Completed completed(const Answer& answer) {
    const auto verdict = answer.read();
    REQUIRE(verdict.has_value());
    REQUIRE(std::holds_alternative<core::Completed>(*verdict));
    return std::get<core::Completed>(*verdict);
}

std::string breach(const Answer& answer) {
    const auto verdict = answer.read();
    REQUIRE(verdict.has_value());
    if (!std::holds_alternative<core::Failed>(*verdict)) return "accepted";
    CHECK(std::get<core::Failed>(*verdict).reason == FailureReason::bad_result);
    return std::get<core::Failed>(*verdict).message;
}

}  // namespace

TEST_CASE("an answer without a word is not_met, one with a finding is met") {
    CHECK(completed(Answer{}.end()).outcome == core::Outcome::not_met);
    CHECK(completed(Answer{}.finding().end()).outcome == core::Outcome::met);
}

TEST_CASE("what a finding leaves out is filled in from the question, rows become event ids") {
    Answer answer;
    answer.finding(VARDE_CRITICAL)
        .field(VARDE_LIST, "event_ids")
        .field(VARDE_EVENT, "", 2)
        .field(VARDE_EVENT, "", 0)
        .field(VARDE_END, "");
    answer.field(VARDE_TIME, "seen", 0).field(VARDE_TEXT, "room", 0, "stue").finding().end();
    const auto done = completed(answer);
    REQUIRE(done.findings.size() == 2);
    CHECK(done.findings[0].severity == core::Severity::critical);
    CHECK(done.findings[0].window == kWindow);
    CHECK(done.findings[0].evidence == R"({"event_ids":["c","a"],"seen":"1970-01-01T00:00:00+00:00","room":"stue"})");
    CHECK(done.findings[1].evidence == "{}");
    CHECK(done.duration == std::chrono::nanoseconds{1000});
}

TEST_CASE("a finding can be about a window that ends before it begins") {
    const auto done = completed(Answer{}.finding(VARDE_LOW, "title", 3'000'000, 2'000'000).end());
    REQUIRE(done.findings.size() == 1);
    CHECK(done.findings[0].window == core::Window{core::instant_from_us(3'000'000), core::instant_from_us(2'000'000)});
}

TEST_CASE("valid_until: never is the end of time, ask always is its beginning") {
    CHECK(completed(Answer{}.outcome(VARDE_OUTCOME_NO_DATA, "why", VARDE_NEVER).end()).valid_until == core::Instant::max());
    CHECK(completed(Answer{}.outcome(VARDE_OUTCOME_NO_DATA, "why", VARDE_ASK_ALWAYS).end()).valid_until == core::Instant{});
}

TEST_CASE("everything that breaks the contract is a bad result that says what") {
    CHECK(breach(Answer{}.outcome(7).end()).find("outcome") != std::string::npos);
    CHECK(breach(Answer{}.outcome(2).outcome(2).end()).find("twice") != std::string::npos);
    CHECK(breach(Answer{}.outcome(2, "\xff").end()).find("UTF-8") != std::string::npos);
    CHECK(breach(Answer{}.outcome(VARDE_OUTCOME_MET).end()).find("no finding") != std::string::npos);
    CHECK(breach(Answer{}.finding(0).end()).find("severity") != std::string::npos);
    CHECK(breach(Answer{}.finding(VARDE_LOW, "").end()).find("title") != std::string::npos);
    CHECK(breach(Answer{}.finding(VARDE_LOW, "\xc3").end()).find("UTF-8") != std::string::npos);
    CHECK(breach(Answer{}.finding(VARDE_LOW, "t", INT64_MAX, INT64_MAX).end()).find("9999") != std::string::npos);
    CHECK(breach(Answer{}.field(VARDE_NULL, "k").end()).find("before the first finding") != std::string::npos);
    CHECK(breach(Answer{}.finding().field(VARDE_EVENT, "k", 3).end()).find("row") != std::string::npos);
    CHECK(breach(Answer{}.finding().field(VARDE_EVENT, "k", -1).end()).find("row") != std::string::npos);
    CHECK(breach(Answer{}.finding().field(VARDE_LIST, "k").end()).find("not closed") != std::string::npos);
    CHECK(breach(Answer{}.finding().field(VARDE_TIME, "k", INT64_MIN).end()).find("9999") != std::string::npos);
    CHECK(breach(Answer{}.finding().field(VARDE_REAL, "k", 0x7ff0000000000000).end()).find("finite") != std::string::npos);
    Answer many;
    for (int i = 0; i < 65; ++i) many.finding();
    CHECK(breach(many.end()).find("64") != std::string::npos);
}

TEST_CASE("bytes that are no answer are no verdict") {
    CHECK_FALSE(Answer{}.read().has_value());
    CHECK_FALSE(Answer{}.finding().read().has_value());
    Answer unknown;
    unknown.out.put(std::uint32_t{77});
    CHECK_FALSE(unknown.end().read().has_value());
}

TEST_CASE("random damage never gets past the checks") {
    Answer answer;
    answer.finding()
        .field(VARDE_LIST, "ids")
        .field(VARDE_EVENT, "", 1)
        .field(VARDE_END, "")
        .field(VARDE_REAL, "r", 0)
        .outcome(VARDE_OUTCOME_MET, "x")
        .end();
    std::mt19937 random{11};
    for (int i = 0; i < 50'000; ++i) {
        std::vector<std::byte> damaged(answer.bytes.begin(),
                                       answer.bytes.begin() + static_cast<std::ptrdiff_t>(answer.out.size()));
        for (int changes = 0; changes < 3; ++changes) damaged[random() % damaged.size()] = static_cast<std::byte>(random());
        ByteReader in{damaged};
        const auto verdict = evaluate::read_answer(in, question());
        if (!verdict) continue;
        if (const auto* done = std::get_if<core::Completed>(&*verdict))
            CHECK((done->outcome == core::Outcome::met) == !done->findings.empty());
    }
}
