#pragma once
#include "ports/job_kind.hpp"

#include <string>

namespace varde::jobs {

/// A kind whose name is taken, and which this build cannot run because it has no broker: "publish" (a message to the broker) and "remote"
/// (started by a message, finished by status messages). No schedule of it can be made; the error says why.
class BrokerJob final : public ports::JobKind {
  public:
    explicit BrokerJob(std::string name)
        : name_{std::move(name)}, refusal_{"the kind '" + name_ + "' needs the broker, which this build does not have"} {}
    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] std::string_view summary() const override { return "not in this build: needs the broker"; }
    [[nodiscard]] core::Result<void> check(const std::string&) const override {
        return core::fail(core::Errc::invalid_argument, refusal_);
    }
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall&) override { return {false, refusal_, {}, false}; }

  private:
    std::string name_;
    std::string refusal_;
};

}  // namespace varde::jobs
