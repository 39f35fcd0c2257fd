#include "app/composition.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

using namespace varde;

TEST_CASE("the soft limit on open descriptors is raised to the hard one") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(before.rlim_max > 64);
    const rlimit low{64, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    app::raise_descriptor_limit();
    rlimit after{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
    CHECK(after.rlim_cur == before.rlim_max);
    CHECK(after.rlim_max == before.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &before);
}
