#include "plugins/watched_file.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace varde::plugins {
namespace {

/// Somebody who wrote and neither wrote on nor closed the file for so long is not waited for: truncate(2), for one, closes nothing.
constexpr std::chrono::seconds kMaxPause{10};

core::Instant last_change(const FileIdentity& identity) {
    return core::instant_from_us(std::max(identity.file.changed_ns, identity.signature.changed_ns) / 1000);
}

}  // namespace

WatchedFile::Step WatchedFile::see(const Sighting& sighting, core::Instant now, std::chrono::milliseconds quiet) {
    writing_ = sighting.writing.value_or(writing_);
    if (!sighting.identity) {
        if (!missing_) absence_.disturb(now, now);
        missing_ = true;
        return good_ && !absence_.lasts(quiet, now) ? Step::nothing : Step::forget;
    }
    missing_ = false;
    if (sighting.noticed || shown_ != sighting.identity)
        rest_.disturb(sighting.noticed ? now : last_change(*sighting.identity), now);
    shown_ = sighting.identity;
    const bool rested = rest_.lasts(quiet, now) && (!writing_ || rest_.lasts(kMaxPause, now));
    if (examined_ == shown_ && !again_) return Step::nothing;
    too_early_ = !rested;
    return rested || sighting.at_once ? Step::examine : Step::nothing;
}

void WatchedFile::examined(Examination result) {
    if (result.of == FileIdentity{}) return;  // gone again
    examined_ = result.of;
    again_ = too_early_ || !result.final;
    // The same bytes again: what runs them need not be replaced.
    if (result.verdict && good_ && good_->sha256 == result.verdict->sha256) result.verdict->bytes = good_->bytes;
    newest_ = std::move(result.verdict);
}

void WatchedFile::judge(const Refusal& refusal) {
    complaint_.reset();
    if (good_ && refusal(*good_)) good_.reset();
    if (!newest_) return;
    if (!*newest_) {
        complaint_ = newest_->error();
    } else if (auto why = refusal(**newest_)) {
        complaint_ =
            ports::RejectedPlugin{(*newest_)->path, (*newest_)->rule_id, core::FailureReason::untrusted_file, std::move(*why)};
    } else {
        good_ = **newest_;
        return;
    }
    if (good_) complaint_->message += fmt::format("; version {} of before stays in use", good_->version);
}

}  // namespace varde::plugins
