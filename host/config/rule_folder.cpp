#include "config/rule_folder.hpp"

#include "config/file_text.hpp"
#include "config/section.hpp"

namespace varde::config {
namespace {

namespace fs = std::filesystem;

/// 31 characters: what the entry of a plugin has room for.
constexpr std::size_t kLongestId = 31;

}  // namespace

core::Result<std::string> rule_id_of_folder(const fs::path& folder) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed)) return core::fail(core::Errc::io_failed, folder.string() + " is no folder");
    const auto file = folder / "rule.yaml";
    if (!fs::exists(file, failed)) return fs::canonical(folder, failed).filename().string();
    const auto text = file_text(file);
    if (!text) return tl::unexpected{text.error()};
    Problems problems{file.string()};
    std::string id;
    if (const auto root = read_document(*text, problems)) {
        Section section{*root, "", problems};  // not finished: the other keys are not looked at here
        section.text("id", 1, kLongestId, id);
        if (id.empty() && problems.empty()) section.problem("id", "is missing");
    }
    if (!problems.empty()) return tl::unexpected{problems.error()};
    return id;
}

}  // namespace varde::config
