#include "time/tzdata.hpp"

#include <doctest/doctest.h>

#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace varde;

TEST_CASE("the version of the time zone rules is the one that tzdata.zi begins with") {
    const auto folder = std::filesystem::temp_directory_path() / ("varde-tzdata-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    ::setenv("TZDIR", folder.c_str(), 1);
    CHECK(time::tzdata_version().empty());
    const auto with = [&](const std::string& text) {
        std::ofstream{folder / "tzdata.zi"} << text;
        return time::tzdata_version();
    };
    CHECK(with("# version 2026f\n# redo posix_only\n") == "2026f");
    CHECK(with("# version 2026f-dirty \r\n") == "2026f-dirty");
    CHECK(with("Rule EU 1996 max\n").empty());
    CHECK(with("# version " + std::string(100, 'x') + "\n") == std::string(40, 'x'));
    ::unsetenv("TZDIR");
    std::filesystem::remove_all(folder);
}
