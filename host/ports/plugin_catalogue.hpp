#pragma once
#include "core/error.hpp"
#include "core/verdict.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace varde::ports {

/// The bytes of a plugin in a sealed memfd: they cannot change any more. Closes the descriptor at the end of its life.
class SealedFile {
  public:
    explicit SealedFile(int fd) : fd_{fd} {}
    SealedFile(const SealedFile&) = delete;
    SealedFile& operator=(const SealedFile&) = delete;
    ~SealedFile();
    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_;
};

/// What a file of plugins/ exports.
enum class PluginKind {
    rule,  ///< varde/rule.h
    job,   ///< varde/job.h
};

/// A file of plugins/ whose note could be read without running it.
struct Plugin {
    std::string path;
    std::string rule_id;  ///< of a job its job id
    std::string version;
    std::string sdk;
    std::uint16_t abi_major = 0;
    std::uint16_t abi_minor_needed = 0;
    std::string sha256;    ///< of the sealed bytes, lower-case hex
    std::string build_id;  ///< of the linker, lower-case hex; empty if it wrote none
    std::uint64_t size = 0;
    std::shared_ptr<const SealedFile> bytes;
    PluginKind kind = PluginKind::rule;
};

/// A file of plugins/ that cannot be used.
struct RejectedPlugin {
    std::string path;
    std::string rule_id;  ///< empty if unknown
    core::FailureReason reason = core::FailureReason::load_failed;
    std::string message;
    PluginKind kind = PluginKind::rule;  ///< rule also if nothing is known of it
};

struct Catalogue {
    std::vector<Plugin> plugins;           ///< rules, one per id, sorted by id
    std::vector<RejectedPlugin> rejected;  ///< of them, and files that nothing is known of
    std::vector<Plugin> jobs{};            ///< one per job id, sorted by id
    std::vector<RejectedPlugin> bad_jobs{};
};

/// Finds plugins. Blocking (reads files); one thread at a time, unless the implementation says otherwise.
class PluginCatalogue {
  public:
    virtual ~PluginCatalogue() = default;
    /// Looks at the directory again. Unchanged files keep their sealed bytes.
    virtual core::Result<Catalogue> scan() = 0;
};

}  // namespace varde::ports
