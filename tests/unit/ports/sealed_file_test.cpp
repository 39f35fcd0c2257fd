#include "ports/plugin_catalogue.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>

using varde::ports::SealedFile;

TEST_CASE("the bytes of a plugin stay open as long as somebody holds them, and no longer") {
    const int fd = ::memfd_create("plugin", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    auto first = std::make_shared<const SealedFile>(fd);
    auto second = first;
    first.reset();
    CHECK(second->fd() == fd);
    CHECK(::fcntl(fd, F_GETFD) != -1);
    second.reset();
    CHECK(::fcntl(fd, F_GETFD) == -1);
}

TEST_CASE("a sealed file without a descriptor closes nothing") {
    const SealedFile none{-1};
    CHECK(none.fd() == -1);
}
