#include "schedule/queue_limits.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;
using schedule::QueueLimits;

TEST_CASE("a queue without limits has as much room as there is") {
    QueueLimits limits{{}};
    limits.begin(0s, {{"a", 7}});
    CHECK(limits.rest("a", 3) == 3);
    CHECK(limits.room("b"));
    CHECK(limits.full().empty());
}

TEST_CASE("a queue runs as many at the same time as it may") {
    QueueLimits limits{{{"slow", {2, 0}}}};
    limits.begin(0s, {{"slow", 1}});
    CHECK(limits.rest("slow", 9) == 1);
    limits.take("slow");
    CHECK_FALSE(limits.room("slow"));
    CHECK(limits.full() == std::vector<std::string>{"slow"});
    CHECK(limits.room("other"));
    limits.begin(1s, {});
    CHECK(limits.rest("slow", 9) == 2);
}

TEST_CASE("a queue starts as many a minute as it may, and saves up a second's worth") {
    QueueLimits limits{{{"mail", {0, 120}}}};
    limits.begin(0s, {});
    CHECK(limits.rest("mail", 9) == 2);
    limits.take("mail");
    limits.take("mail");
    CHECK_FALSE(limits.room("mail"));
    limits.begin(400ms, {});
    CHECK_FALSE(limits.room("mail"));
    limits.begin(500ms, {});
    CHECK(limits.rest("mail", 9) == 1);
    limits.begin(1h, {});
    CHECK(limits.rest("mail", 9) == 2);
}

TEST_CASE("a slow rate still lets one start, and then the next when its time has come") {
    QueueLimits limits{{{"rare", {0, 1}}}};
    limits.begin(0s, {});
    CHECK(limits.room("rare"));
    limits.take("rare");
    limits.begin(59s, {});
    CHECK_FALSE(limits.room("rare"));
    limits.begin(61s, {});
    CHECK(limits.room("rare"));
}
