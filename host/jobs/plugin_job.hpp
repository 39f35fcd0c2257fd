#pragma once
#include "ports/job_kind.hpp"
#include "ports/job_libraries.hpp"

namespace varde::jobs {

/// Kind "plugin": a job that a shared library of plugins_dir exports (varde/job.h), each attempt in a sandboxed process of its own. Params
/// (docs/job-kinds.md):
///   job        id of the job; must be given. That there is such a library is looked at when it runs: it may come later
///   params     object, what the job is told
///   memory_mb  16..1024, default 128
/// It reaches nothing, and so not beyond an organisation: no events, files, network or environment. Which libraries there are is the
/// operator's decision.
class PluginJob final : public ports::JobKind {
  public:
    explicit PluginJob(ports::JobLibraries& libraries) : libraries_{libraries} {}
    [[nodiscard]] std::string_view name() const override { return "plugin"; }
    [[nodiscard]] std::string_view summary() const override {
        return "a job that a shared library in plugins_dir exports, in a sandboxed process";
    }
    [[nodiscard]] core::Result<void> check(const std::string& params) const override;
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall& call) override;

  private:
    ports::JobLibraries& libraries_;
};

}  // namespace varde::jobs
