#pragma once
#include "wire/control_layout.hpp"
#include "wire/message.hpp"
#include "worker/window_view.hpp"

#include <span>
#include <vector>

#include <varde/rule.h>

namespace varde::worker {

/// The worker's life after loading: waits for a byte, does what the request area says, answers, rings back.
class RequestLoop {
  public:
    RequestLoop(std::span<std::byte> control, std::span<const std::byte> batch, const varde_rule_entry& entry);

    /// Until the host closes its end of the request pipe.
    [[noreturn]] void run();

    /// Answers the load: posture bits, or why the library cannot be used.
    void answer_load(std::uint32_t posture, const wire::Fault* fault);

  private:
    void serve();
    void create(wire::ByteReader& in);
    void destroy(wire::ByteReader& in);
    void evaluate(wire::ByteReader& in);
    void evaluate_item(wire::ByteWriter& out, varde_rule* rule, std::uint64_t timeout_ns);
    void answer_fault(const wire::Fault& fault);
    void publish(const wire::ByteWriter& out);
    void ring();
    [[nodiscard]] varde_rule* instance(std::uint32_t slot) const;

    static constexpr std::uint32_t max_instances = 64;
    wire::ControlHeader& control_;
    std::span<const std::byte> request_;
    std::span<std::byte> response_;
    WindowView view_;
    const varde_rule_entry& entry_;
    std::vector<varde_rule*> instances_;
    wire::Item item_;
    wire::Binding binding_;
};

}  // namespace varde::worker
