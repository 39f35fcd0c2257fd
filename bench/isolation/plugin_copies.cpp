#include "plugin_copies.hpp"

#include "report.hpp"

#include <unistd.h>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace varde::bench {

PluginCopies::PluginCopies(const std::filesystem::path& file, const std::string& rule_id, std::size_t copies)
    : folder_{std::filesystem::temp_directory_path() / fmt::format("varde-bench-plugins-{}", ::getpid())} {
    std::ifstream in{file, std::ios::binary};
    std::string image{std::istreambuf_iterator<char>{in}, {}};
    if (image.empty()) give_up("cannot read " + file.string());
    std::filesystem::create_directory(folder_);
    const std::string stem = rule_id.substr(0, rule_id.size() - 4);
    std::string last = rule_id;
    for (std::size_t i = 0; i < copies; ++i) {
        const std::string id = fmt::format("{}{:04}", stem, i);
        for (auto at = image.find(last); at != std::string::npos; at = image.find(last, at + id.size()))
            image.replace(at, id.size(), id);
        last = id;
        std::ofstream{folder_ / (id + ".so"), std::ios::binary} << image;
    }
}

PluginCopies::~PluginCopies() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

}  // namespace varde::bench
