#pragma once
#include "wire/control_layout.hpp"
#include "wire/message.hpp"
#include "worker/window_view.hpp"

#include <optional>
#include <span>
#include <vector>

#include <varde/rule.h>

namespace varde::worker {

/// The worker's life after loading: waits for a byte, does what the request area says, answers, rings back.
class RequestLoop {
  public:
    /// `entries` of the plugins in the order of the set-up message; borrowed.
    RequestLoop(std::span<std::byte> control, std::span<const varde_rule_entry> entries);

    /// Until the host closes its end of the request pipe.
    [[noreturn]] void run();

    /// Says whose code is about to run; for the host's blame if it ends this process.
    void mark(std::uint32_t phase, std::uint32_t plugin);

    /// Answers the load: posture bits, and for each plugin why it cannot be used, or nothing.
    void answer_load(std::uint32_t posture, std::span<const std::optional<wire::Fault>> faults);

  private:
    void serve();
    void create(wire::ByteReader& in);
    void destroy(wire::ByteReader& in);
    void attach(wire::ByteReader& in);
    void selftest(wire::ByteReader& in);
    void evaluate(wire::ByteReader& in);
    bool evaluate_section(wire::ByteReader& in, wire::ByteWriter& out, std::uint32_t& started);
    void answer_fault(const wire::Fault& fault);
    void publish(const wire::ByteWriter& out);
    void ring();

    struct Instance {
        varde_rule* rule = nullptr;
        std::uint32_t plugin = 0;
    };
    void evaluate_item(wire::ByteWriter& out, const Instance& instance, std::uint64_t timeout_ns);

    wire::ControlHeader& control_;
    std::span<const std::byte> request_;
    std::span<std::byte> response_;
    WindowView view_;
    std::span<const varde_rule_entry> entries_;
    std::vector<Instance> instances_;
    wire::Item item_;
    wire::Binding binding_;
};

}  // namespace varde::worker
