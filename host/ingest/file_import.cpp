#include "ingest/file_import.hpp"

#include "ingest/event_id.hpp"
#include "ingest/event_reader.hpp"
#include "ingest/text_splitter.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

namespace varde::ingest {
namespace {

using core::Errc;
using core::Result;

struct CloseFile {
    void operator()(gzFile_s* file) const { gzclose_r(file); }
};

/// Calls `take` for each piece of the file's text. zlib reads files that are not gzip as they are.
Result<void> read_pieces(const std::filesystem::path& path, const std::function<Result<void>(std::string_view)>& take) {
    errno = 0;
    const std::unique_ptr<gzFile_s, CloseFile> file{gzopen(path.c_str(), "rb")};
    if (!file) return core::fail(Errc::io_failed, fmt::format("{}: {}", path.string(), std::strerror(errno ? errno : ENOMEM)));
    std::vector<char> buffer(1u << 17);
    for (;;) {
        errno = 0;
        const int count = gzread(file.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
        if (count > 0) {
            if (auto taken = take({buffer.data(), static_cast<std::size_t>(count)}); !taken) return taken;
            continue;
        }
        int code = Z_OK;
        const auto* const message = gzerror(file.get(), &code);
        if (count == 0 && (code == Z_OK || code == Z_STREAM_END)) return {};
        return core::fail(Errc::io_failed,
                          fmt::format("{}: {}", path.string(), code == Z_ERRNO ? std::strerror(errno) : message));
    }
}

/// Collects the events of a file and hands them on in batches.
class Importer {
  public:
    Importer(const config::HostConfig::Ingest& limits, const ImportOptions& options,
             const std::function<Result<void>(std::span<ImportedEvent>)>& take)
        : reader_{limits}, options_{options}, take_{take} {
        look_at_rooms();
    }

    Result<void> item(std::string_view text, std::int64_t line, bool too_long) {
        if (trimmed(text).empty() && !too_long) return {};  // a blank line
        ++report.read;
        if (too_long) {
            refuse({line, {}, {}, fmt::format("longer than {} bytes", options_.max_item_bytes)});
            return {};
        }
        auto reading = reader_.read_one(text, options_.context, rooms_.get());
        if (!reading.valid()) {
            refuse({line, std::move(reading.item.event_id), std::move(reading.item.field), std::move(reading.item.problem)});
            return {};
        }
        batch_.push_back({std::move(reading.event), reading.arrives, line});
        return batch_.size() >= options_.batch_events ? flush() : Result<void>{};
    }

    Result<void> flush() {
        if (batch_.empty()) return {};
        auto taken = take_(batch_);
        batch_.clear();
        look_at_rooms();
        return taken;
    }

    ImportReport report;

  private:
    /// Once a batch: a long import follows changes.
    void look_at_rooms() {
        if (options_.rooms) rooms_ = options_.rooms();
    }
    void refuse(RefusedItem item) {
        ++report.refused;
        if (report.first_refused.size() < options_.keep_refused) report.first_refused.push_back(std::move(item));
    }

    EventReader reader_;
    const ImportOptions& options_;
    std::shared_ptr<const RoomPicture> rooms_;
    const std::function<Result<void>(std::span<ImportedEvent>)>& take_;
    std::vector<ImportedEvent> batch_;
};

Result<ImportReport> run(const std::filesystem::path& file, Importer& importer, const ImportOptions& options) {
    TextSplitter splitter{options.max_item_bytes, [&](std::string_view text, std::int64_t line, bool too_long) {
                              return importer.item(text, line, too_long);
                          }};
    auto outcome = read_pieces(file, [&](std::string_view piece) { return splitter.feed(piece); });
    if (outcome) outcome = splitter.finish();
    if (outcome) outcome = importer.flush();
    if (!outcome) return tl::unexpected{std::move(outcome.error())};
    return std::move(importer.report);
}

}  // namespace

Result<ImportReport> read_event_file(const std::filesystem::path& file, const config::HostConfig::Ingest& limits,
                                     const ImportOptions& options,
                                     const std::function<Result<void>(std::span<ImportedEvent>)>& take) {
    Importer importer{limits, options, take};
    return run(file, importer, options);
}

Result<ImportReport> import_event_file(const std::filesystem::path& file, const config::HostConfig::Ingest& limits,
                                       const ImportOptions& options, ports::EventIntake& intake,
                                       const std::function<void(const ImportReport&)>& progress) {
    Importer* current = nullptr;
    const std::function<Result<void>(std::span<ImportedEvent>)> store = [&](std::span<ImportedEvent> batch) -> Result<void> {
        std::vector<core::Event> events;
        events.reserve(batch.size());
        for (auto& imported : batch) events.push_back(std::move(imported.event));
        const auto appended = intake.store(std::move(events));
        if (!appended) return tl::unexpected{appended.error()};
        for (const auto& one : *appended) ++(one.deduped ? current->report.deduped : current->report.stored);
        if (progress) progress(current->report);
        return {};
    };
    Importer importer{limits, options, store};
    current = &importer;
    return run(file, importer, options);
}

}  // namespace varde::ingest
