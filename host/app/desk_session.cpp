#include "app/desk_session.hpp"

#include "app/scheduling.hpp"
#include "time/utc_text.hpp"

#include <cstdio>

#include <fmt/format.h>

namespace varde::app {

int with_desk(const Globals& globals, const std::function<int(DeskSession&)>& work) {
    const auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    Log log{*settings, stderr};
    const time::SystemClock clock;
    NoRules rules;
    NoLibraries libraries;
    Scheduling scheduling{{*storage, *settings, clock, log.sink(), rules, libraries, {}}};
    DeskSession session{*storage, scheduling.desk(), scheduling.calendars(), scheduling.time()};
    return work(session);
}

core::Result<std::optional<core::Instant>> instant_option(const char* option, const std::string& text) {
    if (text.empty()) return std::nullopt;
    const auto at = time::parse_utc(text);
    if (!at) return core::fail(at.error().code, fmt::format("{} {}", option, at.error().context));
    return *at;
}

}  // namespace varde::app
