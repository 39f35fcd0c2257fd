#include "time/zone.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

namespace varde::time {

struct Zone::Data {
    absl::TimeZone zone;
};

namespace {

constexpr std::int64_t kSecond = 1'000'000;

std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

}  // namespace

std::optional<Zone> Zone::find(std::string_view iana_name) {
    auto data = std::make_shared<Data>();
    // absl reads TZDIR/<name>: a name must not leave that directory.
    if (iana_name.empty() || iana_name.size() > 64 || iana_name.front() == '/' || iana_name.front() == ':' ||
        iana_name.find("..") != std::string_view::npos) {
        return std::nullopt;
    }
    if (!absl::LoadTimeZone(std::string{iana_name}, &data->zone)) return std::nullopt;
    return Zone{std::move(data)};
}

Zone Zone::utc() {
    auto data = std::make_shared<Data>();
    data->zone = absl::UTCTimeZone();
    return Zone{std::move(data)};
}

std::int32_t Zone::offset_seconds(core::Instant at) const { return data_->zone.At(absl::FromUnixMicros(core::to_us(at))).offset; }

std::int64_t Zone::to_local_us(core::Instant at) const { return core::to_us(at) + offset_seconds(at) * kSecond; }

core::Instant Zone::from_local_us(std::int64_t local_us) const {
    const auto seconds = floor_div(local_us, kSecond);
    const auto info = data_->zone.At(absl::CivilSecond{} + seconds);
    return core::instant_from_us(absl::ToUnixMicros(info.pre) + (local_us - seconds * kSecond));
}

std::vector<ZoneTransition> Zone::transitions(core::Instant from, core::Instant to) const {
    std::vector<ZoneTransition> found{{from, offset_seconds(from)}};
    auto at = absl::FromUnixMicros(core::to_us(from));
    absl::TimeZone::CivilTransition change;
    while (data_->zone.NextTransition(at, &change)) {
        // `to` of a transition is the civil time after the change; TransitionInfo::trans is its instant.
        const auto instant = data_->zone.At(change.to).trans;
        if (instant <= at) break;
        at = instant;
        const auto when = core::instant_from_us(absl::ToUnixMicros(at));
        if (when >= to) break;
        found.push_back({when, offset_seconds(when)});
    }
    return found;
}

}  // namespace varde::time
