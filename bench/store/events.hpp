#pragma once
#include "core/event.hpp"

#include <cstdint>
#include <random>
#include <vector>

namespace varde::bench {

/// An endless stream of plausible events with random UUIDv4 ids, as clients make them: 100 homes, eight categories, payloads of about 70
/// bytes. The same seed gives the same stream.
class EventStream {
  public:
    explicit EventStream(std::uint64_t seed) : random_{seed} {}
    [[nodiscard]] std::vector<core::Event> next(std::size_t count);

  private:
    [[nodiscard]] std::string uuid();
    std::mt19937_64 random_;
    std::int64_t second_ = 1'768'478'400;
};

}  // namespace varde::bench
