#pragma once
#include <fmt/format.h>
#include <unistd.h>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>

namespace varde::scripted {

/// A folder of its own with a rules.yaml; removed at the end.
class RulesFolder {
  public:
    explicit RulesFolder(const std::string& text) {
        static std::atomic<int> count{0};
        folder_ = std::filesystem::temp_directory_path() / fmt::format("varde-schedule-{}-{}", ::getpid(), ++count);
        std::filesystem::create_directories(folder_);
        write(text);
    }
    ~RulesFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    RulesFolder(const RulesFolder&) = delete;
    RulesFolder& operator=(const RulesFolder&) = delete;

    [[nodiscard]] std::filesystem::path file() const { return folder_ / "rules.yaml"; }
    void write(const std::string& text) const { std::ofstream{file(), std::ios::binary} << text; }
    /// As editors do it: another file takes the name.
    void replace(const std::string& text) const {
        const auto next = folder_ / "rules.yaml.new";
        std::ofstream{next, std::ios::binary} << text;
        std::filesystem::rename(next, file());
    }
    void remove() const { std::filesystem::remove(file()); }

  private:
    std::filesystem::path folder_;
};

}  // namespace varde::scripted
