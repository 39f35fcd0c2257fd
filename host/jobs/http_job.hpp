#pragma once
#include "jobs/http_params.hpp"
#include "ports/job_kind.hpp"

namespace varde::jobs {

/// Kind "http": one HTTP call (jobs/http_client.hpp says what it never does). Params (docs/job-kinds.md):
///   url               http:// or https://, no user and password in it
///   method            GET (default), HEAD, POST, PUT, PATCH, DELETE
///   headers           object of texts; "env:VARDE_JOB_NAME" is read from the host's environment when the call is made
///   body              any JSON, not with GET and HEAD
///   expect            list of statuses that mean success; default 200 to 299
///   timeout           10ms .. 1d, default 30s; never longer than the schedule's run_timeout
///   follow_redirects  default false; only for GET and HEAD, and not with headers from the environment, which would go with it
///   keep              bytes of the answer to keep with the run, 0 .. 32768, default 16384
/// Each call carries the slot's Idempotency-Key, X-Varde-Fence and User-Agent varde.
///
/// The answer {"status", "body", "truncated"}, body as JSON if it is JSON, is kept whether the status is expected or not. Another attempt
/// may help after a lost or refused connection, a timeout, 408, 429 and 5xx; not after other statuses, bad params or an answer of more
/// than 1 MiB. Errors name the server and the status only.
class HttpJob final : public ports::JobKind {
  public:
    explicit HttpJob(Environment environment = process_environment());
    [[nodiscard]] std::string_view name() const override { return "http"; }
    [[nodiscard]] std::string_view summary() const override { return "calls a URL and keeps the answer"; }
    [[nodiscard]] core::Result<void> check(const std::string& params) const override;
    /// If a header is a secret of the host.
    [[nodiscard]] bool reaches_beyond_org(const std::string& params) const override;
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall& call) override;

  private:
    Environment environment_;
};

}  // namespace varde::jobs
