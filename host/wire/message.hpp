#pragma once
#include "wire/bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <varde/rule.h>

namespace varde::wire {

/// Why a worker could not do what it was asked, as far as the worker itself can tell.
enum class FaultReason : std::uint32_t {
    load_failed = 1,
    abi_mismatch,
    manifest_mismatch,
    create_failed,
    rule_error,
    exception_escaped,
    bad_result,
    out_of_memory,
    selftest_failed,
    protocol,
};

struct Fault {
    FaultReason reason = FaultReason::protocol;
    std::string param;  ///< create_failed: path of the parameter, or empty
    std::string message;
};

enum class RequestKind : std::uint32_t {
    create = 1,
    evaluate = 2,
    destroy = 3,
    attach = 4,
    symbolise = 5,
    selftest = 6,
    job = 7
};
/// First word of a response to load, create, destroy and job.
enum class ResponseKind : std::uint32_t { done = 1, fault = 2 };

/// What a worker's sandbox is made of; sent with the answer to load.
inline constexpr std::uint32_t posture_landlock_files = 1;
inline constexpr std::uint32_t posture_landlock_network = 2;
inline constexpr std::uint32_t posture_landlock_scope = 4;
inline constexpr std::uint32_t posture_own_user = 8;
inline constexpr std::uint32_t posture_pinned = 16;
inline constexpr std::uint32_t posture_namespaces = 32;
inline constexpr std::uint32_t posture_cgroup = 64;    ///< known to the host, not to the worker
inline constexpr std::uint32_t posture_seccomp = 128;  ///< always there: a worker without does not run

struct ReadDeclaration {
    std::uint32_t kind = VARDE_READ_RANGE;
    std::uint32_t begin_anchor = VARDE_AT_SINCE;
    std::uint32_t end_anchor = VARDE_AT_UNTIL;
    std::int64_t begin_offset_us = 0;
    std::int64_t end_offset_us = 0;
    std::vector<std::uint32_t> categories;  ///< handles of literals
    std::int32_t stream = -1;
    std::int32_t zone = -1;
    std::uint32_t local_pick = VARDE_DAY_OF_UNTIL;
    std::int64_t local_begin_us = 0;
    std::int64_t local_end_us = 0;
    friend bool operator==(const ReadDeclaration&, const ReadDeclaration&) = default;
};
[[nodiscard]] inline bool is_latest(const ReadDeclaration& read) {
    return read.kind == VARDE_READ_LATEST || read.kind == VARDE_READ_LATEST_BEFORE;
}
struct ZoneDeclaration {
    std::string name;
    std::uint32_t flags = 0;
    friend bool operator==(const ZoneDeclaration&, const ZoneDeclaration&) = default;
};
/// Everything an instance declared in create(), by handle.
struct Declarations {
    std::vector<std::string> keys;
    std::vector<std::string> literals;
    std::vector<ZoneDeclaration> zones;
    std::vector<ReadDeclaration> reads;
    std::uint32_t wants = 0;
    friend bool operator==(const Declarations&, const Declarations&) = default;
};

/// Parameters as varde/rule.h shows them to a rule.
struct ParamsTree {
    std::vector<varde_node> nodes;
    std::string text;
};

/// Where the things that an instance declared are in every window of one request.
struct Binding {
    std::vector<std::uint32_t> keys;      ///< column of the window image, per declared key
    std::vector<std::uint32_t> literals;  ///< symbol, per declared literal
    std::vector<std::uint32_t> zones;     ///< zone of the window image, per declared zone
};

/// One evaluation of a request.
struct Item {
    std::uint64_t image_offset = 0;  ///< of the window image in the batch memory
    std::int64_t since_us = 0;
    std::int64_t until_us = 0;
    std::int64_t now_us = 0;
    std::uint32_t first_row = 0;  ///< what the rule sees are these rows of the image ...
    std::uint32_t n_rows = 0;
    std::vector<varde_slice> slices;  ///< ... and its slices count from first_row
    std::uint32_t explain = 0;        ///< 1: the steps are wanted
    std::string_view state{};         ///< what the rule kept; of whoever made the item, or in the bytes it was read from
};

/// Evaluations of one instance within a request.
struct SectionHead {
    std::uint32_t slot = 0;
    std::uint32_t n_items = 0;
    std::uint64_t timeout_ns = 0;
};

/// One attempt of a job (varde/job.h).
struct JobRequest {
    std::uint32_t attempt = 1;
    std::int64_t nominal_us = 0;
    std::int64_t now_us = 0;
    std::int64_t deadline_us = 0;
    std::uint64_t timeout_ns = 0;  ///< deadline_us - now_us on the monotonic clock
    std::string slot;
    std::string params_text;
    ParamsTree params;
};
/// What came of it.
struct JobEnd {
    std::int32_t status = 0;  ///< VARDE_JOB_*, or what else it returned
    std::string error;
    std::string result;  ///< not checked to be JSON
};

// Requests: RequestKind, then
//   create     u32 plugin, u32 slot, ParamsTree, u32 n, n texts: zones that do not exist
//   destroy    u32 slot
//   attach     u64 bytes; the descriptor of the window memory comes over the set-up socket
//   evaluate   u32 n, n sections: SectionHead, Binding, n_items Items
//   selftest   u32 slot
//   symbolise  u32 n, n u64: offsets into the file's image
//   job        JobRequest; at most one in the life of a worker
// Responses: ResponseKind, then for `done`
//   load       u32 posture, u32 n, for each plugin: u32 0, or 1 and a Fault
//   create     Declarations
//   job        JobEnd
//   symbolise  u32 n, n texts, empty for an offset in no function
void put(ByteWriter& out, const ParamsTree& tree);
void put(ByteWriter& out, const Binding& binding);
void put(ByteWriter& out, const Item& item);
void put(ByteWriter& out, const SectionHead& head);
void put(ByteWriter& out, const Declarations& declarations);
void put(ByteWriter& out, const Fault& fault);
void put(ByteWriter& out, const JobRequest& request);
void put(ByteWriter& out, const JobEnd& end);
void put_texts(ByteWriter& out, const std::vector<std::string>& texts);

// Decoders read into an object that is kept, so that its memory is used again; whether it worked says ByteReader::ok().
void take(ByteReader& in, ParamsTree& tree);
void take(ByteReader& in, Binding& binding);
void take(ByteReader& in, Item& item);
void take(ByteReader& in, SectionHead& head);
/// Also checks every handle and enumerator against the others: what is returned is consistent.
void take(ByteReader& in, Declarations& declarations);
void take(ByteReader& in, Fault& fault);
void take(ByteReader& in, JobRequest& request);
void take(ByteReader& in, JobEnd& end);
void take_texts(ByteReader& in, std::vector<std::string>& out, std::size_t limit);

// The answer to one Item is a list of records that ends with `end`, in the order the rule gave them.
enum class RecordKind : std::uint32_t {
    outcome = 1,  ///< i32 outcome, i64 valid_until_us, text reason
    finding = 2,  ///< i32 severity, i64 since_us, i64 until_us, i64 timestamp_us, text title, text explanation
    field = 3,    ///< u32 kind, text key, text text, i64 integer or the bits of a double
    fault = 4,    ///< Fault; what stands before it does not count
    end = 5,      ///< u64 duration_ns
    step = 6,     ///< i32 VARDE_STEP_*, text
    state = 7,    ///< text: what the rule keeps from now on; at most once
};

}  // namespace varde::wire
