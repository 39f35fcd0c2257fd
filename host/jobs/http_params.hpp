#pragma once
#include "config/json_section.hpp"
#include "core/error.hpp"
#include "core/instant.hpp"
#include "ports/job_kind.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

/// What every kind that calls a server has among its params, and in its calls.
namespace varde::jobs {

/// The value of a variable of the host's environment, or nullopt. Thread-safe.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
[[nodiscard]] Environment process_environment();

struct HttpParams {
    std::string url;
    /// A value `env:VARDE_JOB_NAME` stands for that variable, so that no secret stands in the database. Other variables are not read:
    /// who may make schedules is not to learn what else the host knows.
    std::vector<std::pair<std::string, std::string>> headers;
    core::Microseconds timeout{};  ///< 10 ms .. 1 day
};

/// Reads url, headers and timeout (`params.timeout` keeps its value if there is none).
void read_http_params(config::JsonSection& section, HttpParams& params);
[[nodiscard]] bool has_env_header(const HttpParams& params);

/// The headers to send: the given ones with the variables in place, then Idempotency-Key (the slot's key) and X-Varde-Fence.
/// Errc::not_found names a variable that is not set, Errc::invalid_argument one whose value cannot be sent.
[[nodiscard]] core::Result<std::vector<std::pair<std::string, std::string>>> headers_of(const HttpParams& params,
                                                                                        const ports::JobCall& call,
                                                                                        const Environment& environment);
/// The params' timeout, or the run's if that is shorter.
[[nodiscard]] std::chrono::milliseconds timeout_of(const HttpParams& params, const ports::JobCall& call);

/// The text as JSON; nullopt: it is none, or nested deeper than 64 (which recursive readers would not survive).
[[nodiscard]] std::optional<nlohmann::json> json_of(const std::string& text);
/// At most `most` bytes of it, not ending within a character.
[[nodiscard]] std::string cut(const std::string& text, std::size_t most);

}  // namespace varde::jobs
