#include "fixture.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <set>
#include <vector>

extern char** environ;

using namespace varde;
using namespace varde::store::testing;

namespace {

/// A store_appender process and what it writes.
class Appender {
  public:
    Appender(const std::string& url, const std::string& prefix, int batches, int size) {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        std::vector<std::string> words{VARDE_APPENDER, url, prefix, std::to_string(batches), std::to_string(size)};
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        REQUIRE(::posix_spawn(&pid_, VARDE_APPENDER, &actions, nullptr, arguments.data(), environ) == 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_ = ::fdopen(ends[0], "r");
    }
    ~Appender() {
        kill();
        std::fclose(output_);
    }
    Appender(const Appender&) = delete;
    Appender& operator=(const Appender&) = delete;

    /// The number of the next line "WORD number"; -1 at the end.
    int read(const char* word) {
        char found[64];
        int number = -1;
        if (std::fscanf(output_, "%63s %d", found, &number) != 2 || std::string{word} != found) return -1;
        return number;
    }
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        wait();
    }
    int wait() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return status;
    }

  private:
    pid_t pid_ = -1;
    std::FILE* output_ = nullptr;
};

std::set<std::string> stored_ids(store::SqlEventLog& log) {
    std::set<std::string> ids;
    std::int64_t previous = 0;
    value_of(log.read_after(0, 1'000'000, [&](const core::Event& event) {
        CHECK(event.seq > previous);
        previous = event.seq;
        CHECK(ids.insert(event.event_id).second);
    }));
    return ids;
}

}  // namespace

TEST_CASE_TEMPLATE("what was acknowledged before kill -9 is stored, and stored once when it is sent again", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    (void)fixture.database();
    for (int round = 0; round < 6; ++round) {
        const std::string prefix = "round" + std::to_string(round);
        int acknowledged = 0;
        {
            Appender appender{fixture.settings().url, prefix, 10'000, 10};
            // Each round is killed at another place, in the middle of its work.
            while (acknowledged < 50 + round * 70) {
                acknowledged = appender.read("acknowledged");
                REQUIRE(acknowledged > 0);
            }
            appender.kill();
            for (int more = acknowledged; more > 0; more = appender.read("acknowledged")) acknowledged = more;
        }
        const auto database = fixture.connect();
        const auto log = fixture.open_log(*database);
        const auto ids = stored_ids(*log);
        int missing = 0;
        for (int i = 0; i < acknowledged; ++i) missing += ids.contains(prefix + "-" + std::to_string(i)) ? 0 : 1;
        CHECK(missing == 0);

        Appender again{fixture.settings().url, prefix, acknowledged / 10, 10};
        while (again.read("acknowledged") > 0) {
        }
        CHECK(again.wait() == 0);
        CHECK(stored_ids(*log) == ids);
    }
}

TEST_CASE_TEMPLATE("of two processes that append the same ids each event is stored by one", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    constexpr int batches = 150, size = 20;
    std::set<std::string> seen;
    {
        Appender one{fixture.settings().url, "same", batches, size}, other{fixture.settings().url, "same", batches, size};
        // A reader that goes on from the last seq it saw misses nothing: commits come in the order of seq.
        std::int64_t last = 0;
        while (seen.size() < std::size_t{batches * size}) {
            last = value_of(
                log->read_after(last, 100, [&](const core::Event& event) { CHECK(seen.insert(event.event_id).second); }));
        }
        int stored = 0;
        for (Appender* appender : {&one, &other}) {
            for (int batch = 0; batch < batches; ++batch) CHECK(appender->read("acknowledged") == (batch + 1) * size);
            const int count = appender->read("stored");
            CHECK(count >= 0);
            stored += count;
            CHECK(appender->wait() == 0);
        }
        CHECK(stored == batches * size);
    }
    CHECK(stored_ids(*log) == seen);
}
