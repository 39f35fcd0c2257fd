#include "events.hpp"

#include <array>

#include <fmt/format.h>

namespace varde::bench {

std::string EventStream::uuid() {
    const std::uint64_t high = (random_() & ~0xf000ULL) | 0x4000;
    const std::uint64_t low = (random_() & ~(3ULL << 62)) | (2ULL << 62);
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                       low & 0xffffffffffffULL);
}

std::vector<core::Event> EventStream::next(std::size_t count) {
    static constexpr std::array categories{"motion", "door", "light", "power", "temperature", "presence", "water", "heartbeat"};
    std::vector<core::Event> events(count);
    for (core::Event& event : events) {
        event.event_id = uuid();
        event.scope = {"bench", fmt::format("home-{}", random_() % 100), "resident"};
        event.time = core::instant_from_us(second_ * 1'000'000 + static_cast<std::int64_t>(random_() % 60'000'000));
        second_ += random_() % 2 == 0 ? 1 : 0;
        event.category = categories[random_() % categories.size()];
        event.room_id = "kitchen";
        event.payload = fmt::format(R"({{"value":"{}","room":"kitchen","sensor_id":"s-{:04}","battery":{}}})",
                                    random_() % 2 == 0 ? "on" : "off", random_() % 10000, random_() % 100);
        event.received_at = event.time + core::Microseconds{250'000};
    }
    return events;
}

}  // namespace varde::bench
