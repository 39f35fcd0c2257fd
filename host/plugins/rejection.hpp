#pragma once
#include "ports/plugin_catalogue.hpp"

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace varde::plugins {

/// What is read of a file, or why the file cannot be used. The message continues "FILE ..." and says what to do.
template <class T>
using Read = tl::expected<T, ports::RejectedPlugin>;

[[nodiscard]] inline tl::unexpected<ports::RejectedPlugin> reject(core::FailureReason reason, std::string message) {
    return tl::unexpected{ports::RejectedPlugin{{}, {}, reason, std::move(message)}};
}
/// The file is damaged, or not what it should be.
[[nodiscard]] inline tl::unexpected<ports::RejectedPlugin> unusable(std::string message) {
    return reject(core::FailureReason::load_failed, std::move(message));
}
/// The file may be in order, but must not be run.
[[nodiscard]] inline tl::unexpected<ports::RejectedPlugin> untrusted(std::string message) {
    return reject(core::FailureReason::untrusted_file, std::move(message));
}

}  // namespace varde::plugins
