#pragma once
#include "core/instant.hpp"
#include "plugins/plugin_file.hpp"
#include "plugins/rest.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace varde::plugins {

/// One file of the plugins folder over time: when it is looked at, and which content counts meanwhile. Decides only: whoever asks looks at
/// the folder and at the clock.
///
/// A file counts once it has rested for `quiet`. Until its new content was examined and found good, the last good one stays in use:
/// also while the file is written, damaged, refused, or gone for less than `quiet`.
class WatchedFile {
  public:
    struct Sighting {
        std::optional<FileIdentity> identity;  ///< nullopt: it is not there
        bool noticed = false;                  ///< something was reported about it since the last sighting
        std::optional<bool> writing;           ///< whether somebody is known to be writing to it; nullopt: as before
        bool at_once = false;                  ///< do not wait for its rest; it is looked at again then
    };
    enum class Step {
        nothing,
        examine,  ///< hand the result to examined()
        forget,   ///< it is gone for good
    };
    [[nodiscard]] Step see(const Sighting& sighting, core::Instant now, std::chrono::milliseconds quiet);
    void examined(Examination result);

    /// Why a content must not be used though it is in order (pins); nullopt: it may.
    using Refusal = std::function<std::optional<std::string>(const ports::Plugin&)>;
    /// Decides what is in use, and what is complained about.
    void judge(const Refusal& refusal);

    /// The content that counts; nullptr: none yet.
    [[nodiscard]] const ports::Plugin* in_use() const { return good_ ? &*good_ : nullptr; }
    /// Why the newest content does not count; nullptr: it does, or it was not looked at.
    [[nodiscard]] const ports::RejectedPlugin* complaint() const { return complaint_ ? &*complaint_ : nullptr; }
    /// True if it has to be seen again soon, whether something is reported or not.
    [[nodiscard]] bool waiting() const { return missing_ || again_ || examined_ != shown_; }
    /// True if what is in use is only kept: the file is gone, or holds something that is refused.
    [[nodiscard]] bool only_kept() const { return missing_ || complaint_; }

  private:
    std::optional<FileIdentity> shown_;
    std::optional<FileIdentity> examined_;
    bool again_ = false;  ///< the examination came too early, or failed for now
    bool too_early_ = false;
    bool writing_ = false;
    bool missing_ = false;
    Rest rest_;  ///< of the file
    Rest absence_;
    std::optional<Read<ports::Plugin>> newest_;
    std::optional<ports::Plugin> good_;
    std::optional<ports::RejectedPlugin> complaint_;
};

}  // namespace varde::plugins
