#include "evaluate/worker_launch.hpp"
#include "evaluate/worker_nursery.hpp"
#include "hostile/engine_fixture.hpp"

#include <sys/socket.h>
#include <set>

// Workers before they have a plugin: how they come to be, and what is left of those that nobody needed.
using namespace hostile;

namespace {

evaluate::WorkerLaunch launch() {
    fakes::LogSink sink;
    auto made = evaluate::prepare_launch(Bench::settings(), -1, sink);
    REQUIRE(made.has_value());
    return std::move(*made);
}

}  // namespace

TEST_CASE("workers that nobody took end with their nursery, without a zombie or a descriptor") {
    const int children_before = children();
    const auto fds_before = open_fds();
    {
        evaluate::WorkerNursery nursery{launch(), 2};
        nursery.expect(20);
        const auto taken = nursery.take();
        REQUIRE(taken.has_value());
        CHECK(taken->runs());
    }
    CHECK(children() == children_before);
    CHECK(open_fds() == fds_before);
}

TEST_CASE("more workers can be expected than are kept ready, and each is another process") {
    evaluate::WorkerNursery nursery{launch(), 0};
    nursery.expect(80);
    std::vector<evaluate::WorkerProcess> workers;
    std::set<int> pids;
    for (int i = 0; i < 80; ++i) {
        auto taken = nursery.take();
        REQUIRE(taken.has_value());
        CHECK(taken->runs());
        pids.insert(taken->pid());
        workers.push_back(std::move(*taken));
    }
    CHECK(pids.size() == 80);
}

TEST_CASE("what the host closes is closed, although the nursery began with a copy of its descriptors") {
    int sockets[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    const evaluate::UniqueFd kept{sockets[0]};
    evaluate::UniqueFd closed{sockets[1]};
    evaluate::WorkerNursery nursery{launch(), 2};
    REQUIRE(nursery.take().has_value());  // its thread runs
    char byte = 0;
    CHECK(::recv(kept.get(), &byte, 1, MSG_DONTWAIT) == -1);
    closed.reset();
    CHECK(::recv(kept.get(), &byte, 1, MSG_DONTWAIT) == 0);
}

TEST_CASE("who took a worker can end it and read how it ended") {
    evaluate::WorkerNursery nursery{launch(), 0};
    auto taken = nursery.take();
    REQUIRE(taken.has_value());
    taken->kill();
    const auto end = taken->reap();
    CHECK(end.by_signal);
    CHECK(end.status == SIGKILL);
    CHECK(!end.lost);
}
