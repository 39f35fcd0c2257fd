/// Builds the memory a rule sees, as a host would: resolves reads, interns texts, makes columns. For tests.
#pragma once
#include <varde/rule.h>

#include <bit>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <varde/testing/json.hpp>
#include <varde/testing/time.hpp>

namespace varde::test {

/// One stored event.
struct Event {
    std::string id;
    std::string time;  ///< ISO 8601 with a zone
    std::string category;
    std::string payload = "{}";  ///< JSON
    std::string room = {};       ///< the room the host derived; empty: none
    std::string stream = "prod";
};

/// What a rule declared in create().
struct Declarations {
    struct ZoneName {
        std::string name;
        bool known;
    };
    struct DeclaredRead {
        varde_read read;
        std::vector<uint32_t> categories;
    };
    std::vector<std::string> keys;
    std::vector<std::string> literals;
    std::vector<ZoneName> zones;
    std::vector<DeclaredRead> reads;
    uint32_t wants = 0;
};

/// Owns everything a varde_window points to. Each column is an allocation of its own and exactly as long as it may be read, so
/// that a sanitizer sees a rule that reads too far.
class WindowMemory {
  public:
    /// `all_rows`: also the rows no read asked for, as when other rules share the window. Only the slices then differ in position.
    WindowMemory(const Declarations& declared, const std::vector<Event>& events, int64_t since, int64_t until, int64_t now,
                 bool all_rows)
        : since_(since), until_(until) {
        for (std::size_t i = 0; i < events.size(); ++i)
            sources_.push_back(
                {time_from(events[i].time), static_cast<int64_t>(i), &events[i], JsonReader::read(events[i].payload)});
        std::stable_sort(sources_.begin(), sources_.end(), [](const Source& a, const Source& b) { return a.time < b.time; });
        make_zones(declared, now);
        std::vector<varde_slice> wanted = resolve(declared);
        if (!all_rows) {
            keep_only(wanted);
            wanted = resolve(declared);
        }
        slices_ = std::move(wanted);
        make_rows(declared);
        for (const auto& literal : declared.literals) literals_.push_back(symbol(literal));
        publish(declared, now);
    }
    WindowMemory(const WindowMemory&) = delete;
    WindowMemory& operator=(const WindowMemory&) = delete;

    [[nodiscard]] const varde_window& window() const { return window_; }
    [[nodiscard]] const std::string& event_id(uint32_t row) const { return sources_[row].event->id; }

  private:
    struct Source {
        int64_t time;
        int64_t sequence;
        const Event* event;
        Json payload;
    };

    varde_symbol symbol(const std::string& text) {
        const auto [found, is_new] = symbols_by_text_.try_emplace(text, static_cast<varde_symbol>(symbols_.size()));
        if (is_new) {
            symbols_.push_back({static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(text.size())});
            text_ += text;
        }
        return found->second;
    }

    void make_zones(const Declarations& declared, int64_t now) {
        int64_t low = std::min({since_, until_, now}), high = std::max({since_, until_, now});
        for (const Source& source : sources_) {
            if (source.time > since_ - 400 * kDay) low = std::min(low, source.time);  // events of other ages have no zone here
            if (source.time < until_ + 400 * kDay) high = std::max(high, source.time);
        }
        for (const auto& zone : declared.zones)
            zone_tables_.push_back(zone.known ? zone_table(zone.name, low - 3 * kDay, high + 3 * kDay)
                                              : std::vector<varde_transition>{});
        for (const auto& table : zone_tables_) zones_.push_back({table.data(), static_cast<uint32_t>(table.size()), 0});
    }

    std::vector<varde_slice> resolve(const Declarations& declared) const {
        std::vector<varde_slice> slices;
        for (const auto& [read, categories] : declared.reads) {
            const auto edge = [&](uint32_t anchor, int64_t offset) {
                return (anchor == VARDE_AT_UNTIL ? until_ : since_) + offset;
            };
            const bool whole =
                read.begin_anchor == 0 && read.end_anchor == 0 && read.begin_offset_us == 0 && read.end_offset_us == 0;
            const int64_t end = edge(read.end_anchor, read.end_offset_us);
            if (read.kind == VARDE_READ_RANGE)
                slices.push_back(rows_between(edge(read.begin_anchor, read.begin_offset_us), whole ? until_ : end));
            else if (read.kind == VARDE_READ_LOCAL_DAY)
                slices.push_back(local_day(read));
            else
                slices.push_back(latest(declared, read, categories, read.kind == VARDE_READ_LATEST_BEFORE ? end : INT64_MAX));
        }
        if (slices.empty()) slices.push_back(rows_between(since_, until_));
        return slices;
    }

    varde_slice rows_between(int64_t begin, int64_t end) const {
        const auto at = [&](int64_t time) {
            return static_cast<uint32_t>(
                std::lower_bound(sources_.begin(), sources_.end(), time, [](const Source& s, int64_t t) { return s.time < t; }) -
                sources_.begin());
        };
        return {begin, end, at(begin), at(std::max(begin, end)) - at(begin)};
    }

    varde_slice local_day(const varde_read& read) const {
        const auto& zone = zone_tables_[static_cast<std::size_t>(read.zone)];
        const varde_zone view = zones_[static_cast<std::size_t>(read.zone)];
        const int64_t local = varde_local_us(&view, until_);
        int64_t date = local - varde_local_time_of_day_us(&view, until_);
        if (read.local_pick == VARDE_DAY_CONTAINING)
            while (from_local(zone, date + read.local_begin_us) > until_) date -= kDay;
        const int64_t end_date = read.local_end_us > read.local_begin_us ? date : date + kDay;
        return rows_between(from_local(zone, date + read.local_begin_us), from_local(zone, end_date + read.local_end_us));
    }

    varde_slice latest(const Declarations& declared, const varde_read& read, const std::vector<uint32_t>& categories,
                       int64_t before) const {
        for (std::size_t i = sources_.size(); i-- > 0;) {
            const Event& event = *sources_[i].event;
            bool matches = categories.empty() && sources_[i].time < before;
            for (const uint32_t category : categories)
                matches |= declared.literals[category] == event.category && sources_[i].time < before;
            if (read.stream >= 0) matches &= declared.literals[static_cast<std::size_t>(read.stream)] == event.stream;
            if (matches) return {0, 0, static_cast<uint32_t>(i), 1};
        }
        return {0, 0, 0, 0};
    }

    void keep_only(const std::vector<varde_slice>& slices) {
        std::vector<Source> kept;
        for (std::size_t i = 0; i < sources_.size(); ++i)
            for (const varde_slice& slice : slices)
                if (i >= slice.first && i < slice.first + slice.count) {
                    kept.push_back(std::move(sources_[i]));
                    break;
                }
        sources_ = std::move(kept);
    }

    void make_rows(const Declarations& declared) {
        kinds_.resize(declared.keys.size());
        values_.resize(declared.keys.size());
        const auto append = [&](const std::string& text) {
            row_text_ += text;
            return varde_text{static_cast<uint32_t>(row_text_.size() - text.size()), static_cast<uint32_t>(text.size())};
        };
        for (const auto& [time, sequence, event, payload] : sources_) {
            times_.push_back(time);
            sequences_.push_back(sequence);
            category_.push_back(symbol(event->category));
            room_.push_back(event->room.empty() ? 0 : symbol(event->room));
            stream_.push_back(event->stream.empty() ? 0 : symbol(event->stream));
            payload_kind_.push_back(static_cast<uint8_t>(payload.kind));
            event_id_.push_back(append(event->id));
            payload_.push_back(append(event->payload));
            for (std::size_t k = 0; k < declared.keys.size(); ++k) {
                const Json* value = payload.find(declared.keys[k]);
                kinds_[k].push_back(value ? static_cast<uint8_t>(value->kind) : VARDE_ABSENT);
                values_[k].push_back(value ? column_value(*value) : 0);
            }
        }
    }

    int64_t column_value(const Json& value) {
        switch (value.kind) {
            case VARDE_INTEGER: return value.integer;
            case VARDE_REAL: return std::bit_cast<int64_t>(value.real);
            case VARDE_TEXT:
            case VARDE_BIG_INTEGER: return symbol(value.text);
            case VARDE_LIST:
            case VARDE_OBJECT: return symbol(to_text(value));
            default: return 0;
        }
    }

    void publish(const Declarations& declared, int64_t now) {
        for (auto* column : {&times_, &sequences_}) column->shrink_to_fit();
        for (std::size_t k = 0; k < kinds_.size(); ++k) columns_.push_back({kinds_[k].data(), values_[k].data()});
        window_.struct_size = sizeof window_;
        window_.n_rows = static_cast<uint32_t>(sources_.size());
        window_.since_us = since_;
        window_.until_us = until_;
        window_.now_us = now;
        window_.time_us = times_.data();
        window_.sequence = sequences_.data();
        window_.category = category_.data();
        window_.room = room_.data();
        window_.stream = stream_.data();
        window_.payload_kind = payload_kind_.data();
        window_.keys = columns_.data();
        window_.reads = slices_.data();
        window_.literals = literals_.data();
        window_.zones = zones_.data();
        window_.symbols = symbols_.data();
        window_.text = text_.data();
        window_.event_id = declared.wants & VARDE_WANT_EVENT_ID ? event_id_.data() : nullptr;
        window_.payload = declared.wants & VARDE_WANT_PAYLOAD ? payload_.data() : nullptr;
        window_.row_text = row_text_.data();
        window_.n_keys = static_cast<uint32_t>(columns_.size());
        window_.n_reads = static_cast<uint32_t>(slices_.size());
        window_.n_literals = static_cast<uint32_t>(literals_.size());
        window_.n_zones = static_cast<uint32_t>(zones_.size());
        window_.n_symbols = static_cast<uint32_t>(symbols_.size());
    }

    int64_t since_, until_;
    std::vector<Source> sources_;
    std::map<std::string, varde_symbol, std::less<>> symbols_by_text_;
    std::vector<varde_text> symbols_{{0, 0}};  // 0 is "no text"
    std::string text_, row_text_;
    std::vector<int64_t> times_, sequences_;
    std::vector<varde_symbol> category_, room_, stream_, literals_;
    std::vector<uint8_t> payload_kind_;
    std::vector<std::vector<uint8_t>> kinds_;
    std::vector<std::vector<int64_t>> values_;
    std::vector<varde_column> columns_;
    std::vector<varde_slice> slices_;
    std::vector<varde_text> event_id_, payload_;
    std::vector<std::vector<varde_transition>> zone_tables_;
    std::vector<varde_zone> zones_;
    varde_window window_{};
};

}  // namespace varde::test
