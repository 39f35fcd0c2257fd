#include "ingest/event_reader.hpp"

#include "ingest/event_fields.hpp"
#include "ingest/event_id.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

namespace varde::ingest {
namespace {

namespace od = simdjson::ondemand;

/// Deeper JSON is called broken wherever it stands: our own recursion has to end somewhere.
constexpr int kHardDepth = 200;
/// Buffers grown past this by one body are given back after it.
constexpr std::size_t kKeepBytes = 1u << 20;

/// Reads a value to its end, so that every byte of it is known to be JSON. `deepest` is raised to the depth of its containers.
simdjson::error_code consume(od::value value, int depth, int& deepest) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return error;
    switch (type) {
        case od::json_type::array: {
            if (depth > kHardDepth) return simdjson::DEPTH_ERROR;
            deepest = std::max(deepest, depth);
            od::array array;
            if (const auto error = value.get_array().get(array)) return error;
            for (auto element : array) {
                od::value inner;
                if (const auto error = element.get(inner)) return error;
                if (const auto error = consume(inner, depth + 1, deepest)) return error;
            }
            return simdjson::SUCCESS;
        }
        case od::json_type::object: {
            if (depth > kHardDepth) return simdjson::DEPTH_ERROR;
            deepest = std::max(deepest, depth);
            od::object object;
            if (const auto error = value.get_object().get(object)) return error;
            for (auto field : object) {
                std::string_view key;
                if (const auto error = field.unescaped_key().get(key)) return error;
                od::value inner;
                if (const auto error = field.value().get(inner)) return error;
                if (const auto error = consume(inner, depth + 1, deepest)) return error;
            }
            return simdjson::SUCCESS;
        }
        case od::json_type::number: {
            double number = 0;  // also for long integers, which are valid JSON
            return value.get_double().get(number);
        }
        case od::json_type::string: {
            std::string_view text;
            return value.get_string().get(text);
        }
        case od::json_type::boolean: {
            bool flag = false;
            return value.get_bool().get(flag);
        }
        case od::json_type::null: {
            bool null = false;
            if (const auto error = value.is_null().get(null)) return error;
            return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
        }
    }
    return simdjson::TAPE_ERROR;
}

/// Reads a text field; another type is a problem of the item, or the same as nothing if it is null and may be.
simdjson::error_code read_text(od::value value, std::string_view name, bool null_is_absent, Fields::Text& out,
                               ports::IntakeItem& item) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return error;
    if (type == od::json_type::string) {
        std::string_view text;
        if (const auto error = value.get_string().get(text)) return error;
        out = text;
        return simdjson::SUCCESS;
    }
    out.reset();
    if (!(type == od::json_type::null && null_is_absent)) note(item, name, fmt::format("{} must be a text", name));
    int depth = 0;
    return consume(value, 1, depth);
}

/// Where the text of a key that helps to find the room goes; of repeated keys the last counts.
Fields::Text* slot_of(std::string_view key, RoomWords& words) {
    switch (key.size()) {
        case 4: return key == "room" ? &words.room : key == "area" ? &words.area : nullptr;
        case 7: return key == "room_id" ? &words.room_id : nullptr;
        case 9: return key == "entity_id" ? &words.entity_id : nullptr;
        default: return nullptr;
    }
}

simdjson::error_code read_payload(od::value value, Fields& fields, ports::IntakeItem& item) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return error;
    int deepest = 1;
    if (type != od::json_type::object) {
        note(item, "payload", "payload must be a JSON object");
        return consume(value, 1, deepest);
    }
    od::object object;
    std::string_view raw;
    if (const auto error = value.get_object().get(object)) return error;
    if (const auto error = object.raw_json().get(raw)) return error;  // looks for the end only
    bool filled = false;
    if (const auto error = object.reset().get(filled)) return error;
    RoomWords words;
    for (auto field : object) {
        std::string_view key;
        if (const auto error = field.unescaped_key().get(key)) return error;
        od::value inner;
        if (const auto error = field.value().get(inner)) return error;
        auto* const slot = slot_of(key, words);
        od::json_type inner_type{};
        if (const auto error = inner.type().get(inner_type)) return error;
        if (slot != nullptr) slot->reset();
        if (slot != nullptr && inner_type == od::json_type::string) {
            std::string_view text;
            if (const auto error = inner.get_string().get(text)) return error;
            *slot = text;
        } else if (const auto error = consume(inner, 2, deepest)) {
            return error;
        }
    }
    fields.payload = trimmed(raw);  // raw reaches to the next token
    fields.room_words = words;
    fields.payload_depth = deepest;
    return simdjson::SUCCESS;
}

simdjson::error_code read_field(std::string_view key, od::value value, Fields& fields, ports::IntakeItem& item) {
    switch (key.size()) {
        case 2:
            if (key == "id") return read_text(value, "id", false, fields.id, item);
            break;
        case 6:
            if (key == "org_id") return read_text(value, "org_id", true, fields.org_id, item);
            break;
        case 7:
            if (key == "payload") return read_payload(value, fields, item);
            if (key == "home_id") return read_text(value, "home_id", true, fields.home_id, item);
            if (key == "room_id") return read_text(value, "room_id", true, fields.room_id, item);
            if (key == "arrives") return read_text(value, "arrives", true, fields.arrives, item);
            break;
        case 8:
            if (key == "category") return read_text(value, "category", false, fields.category, item);
            break;
        case 9:
            if (key == "timestamp") return read_text(value, "timestamp", false, fields.timestamp, item);
            if (key == "stream_id") return read_text(value, "stream_id", true, fields.stream_id, item);
            break;
        case 10:
            if (key == "subject_id") return read_text(value, "subject_id", true, fields.subject_id, item);
            break;
        default: break;
    }
    int depth = 0;
    return consume(value, 1, depth);
}

/// Reads one JSON value that should be an event object. An error is broken JSON; other faults are noted in `item`.
simdjson::error_code read_fields(od::object object, Fields& fields, ports::IntakeItem& item) {
    for (auto field : object) {
        std::string_view key;
        if (const auto error = field.unescaped_key().get(key)) return error;
        od::value value;
        if (const auto error = field.value().get(value)) return error;
        if (const auto error = read_field(key, value, fields, item)) return error;
    }
    return simdjson::SUCCESS;
}

/// What counts beside the text.
struct Circumstances {
    const ports::IntakeContext& context;
    const RoomPicture* rooms;
};

}  // namespace

struct EventReader::Impl {
    config::HostConfig::Ingest limits;
    od::parser parser;
    std::vector<char> padded;

    explicit Impl(const config::HostConfig::Ingest& l) : limits{l} {}

    /// A copy of the text that the parser may read past.
    simdjson::padded_string_view pad(std::string_view text) {
        if (padded.size() < text.size() + simdjson::SIMDJSON_PADDING) padded.resize(text.size() + simdjson::SIMDJSON_PADDING);
        if (!text.empty()) std::memcpy(padded.data(), text.data(), text.size());
        std::memset(padded.data() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
        return simdjson::padded_string_view{padded.data(), text.size(), padded.size()};
    }

    void release_large_buffers() {
        if (padded.size() <= kKeepBytes) return;
        padded = {};
        parser = od::parser{};
    }

    /// Whatever is wrong becomes a problem of the item; `broken` tells that it is the JSON.
    Reading read_document(simdjson::padded_string_view text, const Circumstances& with, bool& broken) {
        Reading out;
        Fields fields;
        bool is_object = false;
        const auto error = read_root(text, fields, out.item, is_object);
        broken = error != simdjson::SUCCESS;
        if (broken) {
            out.item = {};
            note(out.item, "", fmt::format("unreadable JSON: {}", simdjson::error_message(error)));
        } else if (is_object) {
            judge(fields, with.context, limits, with.rooms, out);
        } else {
            note(out.item, "", std::string{kNoObject});
        }
        return out;
    }

    simdjson::error_code read_root(simdjson::padded_string_view text, Fields& fields, ports::IntakeItem& item, bool& is_object) {
        od::document document;
        if (const auto error = parser.iterate(text).get(document)) return error;
        od::json_type type{};
        if (const auto error = document.type().get(type)) return error;
        is_object = type == od::json_type::object;
        if (!is_object) return simdjson::SUCCESS;
        od::object object;
        if (const auto error = document.get_object().get(object)) return error;
        if (const auto error = read_fields(object, fields, item)) return error;
        return at_end(document);
    }

    core::Result<void> read_array(std::string_view body, const Circumstances& with, ReadBatch& batch) {
        od::document document;
        od::array array;
        auto error = parser.iterate(pad(body)).get(document);
        if (!error) error = document.get_array().get(array);
        if (error == simdjson::INCORRECT_TYPE)
            return core::fail(core::Errc::invalid_argument, "the body must be a JSON array of events");
        if (error) return unreadable(error);
        for (auto element : array) {
            if (batch.items.size() == limits.max_batch_events) return too_many();
            od::value value;
            if (const auto bad = element.get(value)) return unreadable(bad);
            Reading reading;
            if (const auto bad = read_element(value, with, reading)) return unreadable(bad);
            keep(std::move(reading), batch);
        }
        if (const auto bad = at_end(document)) return unreadable(bad);
        return {};
    }

    simdjson::error_code read_element(od::value value, const Circumstances& with, Reading& out) const {
        od::json_type type{};
        if (const auto error = value.type().get(type)) return error;
        if (type != od::json_type::object) {
            note(out.item, "", std::string{kNoObject});
            int depth = 0;
            return consume(value, 1, depth);
        }
        Fields fields;
        od::object object;
        if (const auto error = value.get_object().get(object)) return error;
        if (const auto error = read_fields(object, fields, out.item)) return error;
        judge(fields, with.context, limits, with.rooms, out);
        return simdjson::SUCCESS;
    }

    core::Result<void> read_lines(std::string_view body, const Circumstances& with, ReadBatch& batch) {
        const auto whole = pad(body);  // once; a line's padding is what follows it
        std::size_t start = 0;
        while (start < body.size()) {
            const auto end = std::min(body.find('\n', start), body.size());
            const auto line = body.substr(start, end - start);
            if (!trimmed(line).empty()) {
                if (batch.items.size() == limits.max_batch_events) return too_many();
                bool broken = false;
                const simdjson::padded_string_view padded_line{whole.data() + start, line.size(), whole.capacity() - start};
                keep(read_document(padded_line, with, broken), batch);
            }
            start = end + 1;
        }
        return {};
    }

    core::Result<void> read_single(std::string_view body, const Circumstances& with, ReadBatch& batch) {
        bool broken = false;
        auto reading = read_document(pad(body), with, broken);
        if (broken) return core::fail(core::Errc::invalid_argument, std::move(reading.item.problem));
        keep(std::move(reading), batch);
        return {};
    }

  private:
    static constexpr std::string_view kNoObject = "an event must be a JSON object";

    /// Nothing may follow the document.
    static simdjson::error_code at_end(od::document& document) {
        const auto error = document.current_location().error();
        return error == simdjson::OUT_OF_BOUNDS ? simdjson::SUCCESS : error ? error : simdjson::TRAILING_CONTENT;
    }

    static tl::unexpected<core::Error> unreadable(simdjson::error_code error) {
        return core::fail(core::Errc::invalid_argument, fmt::format("unreadable JSON: {}", simdjson::error_message(error)));
    }

    tl::unexpected<core::Error> too_many() const {
        return core::fail(core::Errc::too_large,
                          fmt::format("the body has more than {} events (ingest.max_batch_events)", limits.max_batch_events));
    }

    static void keep(Reading reading, ReadBatch& batch) {
        if (reading.valid()) {
            batch.item_of.push_back(static_cast<std::uint32_t>(batch.items.size()));
            batch.events.push_back(std::move(reading.event));
        }
        batch.items.push_back(std::move(reading.item));
    }
};

EventReader::EventReader(const config::HostConfig::Ingest& limits) : impl_{std::make_unique<Impl>(limits)} {}
EventReader::~EventReader() = default;
EventReader::EventReader(EventReader&&) noexcept = default;
EventReader& EventReader::operator=(EventReader&&) noexcept = default;

core::Result<ReadBatch> EventReader::read(std::string_view body, ports::BodyFormat format, const ports::IntakeContext& context,
                                          const RoomPicture* rooms) {
    const Circumstances with{context, rooms};
    ReadBatch batch;
    core::Result<void> outcome;
    switch (format) {
        case ports::BodyFormat::single: outcome = impl_->read_single(body, with, batch); break;
        case ports::BodyFormat::array: outcome = impl_->read_array(body, with, batch); break;
        case ports::BodyFormat::ndjson: outcome = impl_->read_lines(body, with, batch); break;
    }
    impl_->release_large_buffers();
    if (!outcome) return tl::unexpected{std::move(outcome.error())};
    return batch;
}

Reading EventReader::read_one(std::string_view text, const ports::IntakeContext& context, const RoomPicture* rooms) {
    const Circumstances with{context, rooms};
    bool broken = false;
    return impl_->read_document(impl_->pad(text), with, broken);
}

}  // namespace varde::ingest
