/*
 * varde/rule.h - the C interface between the Varde host and a rule.
 *
 * A rule is a shared library that exports exactly one object, `varde_rule_v1`, of type `varde_rule_entry`. The host never loads
 * it: a sandboxed worker process does. A rule is a pure function from a window of events to findings. It has no clock, no files,
 * no network, no threads and no environment; everything it may know is in the arguments of the functions below.
 *
 * STATUS: frozen as 1.0. Within major 1 nothing below moves, goes or changes its meaning, and no limit gets tighter; what a minor
 * adds stands in CHANGES.md.
 *
 * Conventions, valid for every function unless its comment says otherwise
 *   Thread     all calls are made on one thread of one process, never two at once.
 *   Phase      [load] create and destroy; [evaluate] evaluate. A host function is only valid in the phase its comment names.
 *   Text       UTF-8, pointer + byte length, not NUL-terminated. `const char *` without a length is NUL-terminated ASCII.
 *   Ownership  what a function receives is borrowed until it returns; what it passes out is copied before the callee returns.
 *   Time       int64 microseconds since 1970-01-01T00:00:00Z (UTC, no leap seconds).
 *   Errors     0 (VARDE_OK) or a handle >= 0 is success, a negative value is one of VARDE_E_*.
 *   Growth     structs only grow at their end. `struct_size` is sizeof of the struct in the build that filled it: read only fields
 *              that lie inside it. Reserved slots are zero. New functions come as extensions named "varde.NAME/REVISION".
 *   C++        no exception may leave a rule's function. One that does ends the evaluation as `exception_escaped`.
 *
 * The header is clean as C89 (with fixed-width types) to C2x and as C++98 to C++20, with -pedantic.
 */
#ifndef VARDE_RULE_H
#define VARDE_RULE_H

#include <stdint.h>

/* NOLINTBEGIN(modernize-use-using): C reads this too */
#ifdef __cplusplus
extern "C" {
#endif

#define VARDE_ABI_MAJOR 1u                          /* another major is another exported symbol: varde_rule_v2 */
#define VARDE_ABI_MINOR 0u                          /* what this header offers; an entry names the minor it *needs* */
#define VARDE_MAGIC ((uint64_t)0x31454c5552445256u) /* "VRDRULE1", little endian */

/* ---- status codes -------------------------------------------------------------------------------------------------------- */

#define VARDE_OK 0
#define VARDE_E_RULE (-1)     /* the rule failed; the text was given with fail() */
#define VARDE_E_PARAM (-2)    /* create: a parameter is wrong; the text was given with fail() */
#define VARDE_E_ARGUMENT (-3) /* a host function was called with something impossible, e.g. an unknown handle */
#define VARDE_E_LIMIT (-4)    /* a host function refused because a limit is reached, e.g. too many findings */
#define VARDE_E_PHASE (-5)    /* a host function was called in the wrong phase */

/* ---- text and values ----------------------------------------------------------------------------------------------------- */

/* A string of the window, by number. Equal symbols are equal texts within one evaluation. 0 is "no text". */
typedef uint32_t varde_symbol;

/* `length` bytes at `offset` of the text area the containing struct names. */
typedef struct varde_text {
    uint32_t offset;
    uint32_t length;
} varde_text;

/* Kinds of a JSON value, in columns, parameters and evidence. */
#define VARDE_ABSENT 0u /* the key is not in the object, or the payload is not an object */
#define VARDE_NULL 1u
#define VARDE_FALSE 2u
#define VARDE_TRUE 3u
#define VARDE_INTEGER 4u /* a JSON number without fraction and exponent that fits int64: 1, not 1.0 */
#define VARDE_REAL 5u    /* any other JSON number, as IEEE double */
#define VARDE_TEXT 6u
#define VARDE_LIST 7u
#define VARDE_OBJECT 8u
/* Evidence only: */
#define VARDE_TIME 9u   /* `integer` is an instant; the host writes it as 2026-01-15T12:00:00+00:00 */
#define VARDE_EVENT 10u /* `integer` is a row of the window; the host writes the event's id */
#define VARDE_END 11u   /* closes the innermost open VARDE_LIST or VARDE_OBJECT */
/* Columns and parameters only: */
#define VARDE_BIG_INTEGER 12u /* a JSON integer that does not fit int64; its text is the digits as written */

/* One payload key as a column: row i has kind[i] and value[i].
 * value: VARDE_INTEGER the number; VARDE_REAL the bits of the double; VARDE_TEXT a varde_symbol; VARDE_LIST, VARDE_OBJECT,
 * VARDE_BIG_INTEGER a varde_symbol of its JSON text without blanks, `[]` and `{}` for empty ones; else 0. */
typedef struct varde_column {
    const uint8_t* kind;
    const int64_t* value;
} varde_column;

/* ---- parameters ---------------------------------------------------------------------------------------------------------- */

/* One node of the parameter tree. Nodes stand in document order, parents before children; node 0 is the root, an object. */
typedef struct varde_node {
    uint32_t kind;   /* VARDE_NULL .. VARDE_OBJECT, VARDE_BIG_INTEGER */
    uint32_t end;    /* index one past this node's last descendant: the next sibling, if there is one */
    varde_text key;  /* member name; empty in lists and at the root */
    varde_text text; /* VARDE_TEXT; VARDE_BIG_INTEGER: its digits */
    int64_t integer; /* VARDE_INTEGER; VARDE_LIST, VARDE_OBJECT: number of children */
    double real;     /* VARDE_REAL */
} varde_node;

/* A rule's parameters: the `params` of rules.yaml with the defaults of the plugin's rule.yaml not filled in. */
typedef struct varde_params {
    uint32_t struct_size;
    uint32_t n_nodes; /* >= 1 */
    const varde_node* nodes;
    const char* text; /* what varde_text offsets count from */
    uint64_t reserved[4];
} varde_params;

/* ---- what a rule reads --------------------------------------------------------------------------------------------------- */

/* Anchors: an edge of a range is anchor + offset. */
#define VARDE_AT_SINCE 0u
#define VARDE_AT_UNTIL 1u

#define VARDE_READ_RANGE 0u         /* events with begin <= time < end */
#define VARDE_READ_LOCAL_DAY 1u     /* a span of local clock time, found from `until` in a zone; see local_* */
#define VARDE_READ_LATEST 2u        /* the newest event at any age, also before `since` and at or after `until`: 0 or 1 row */
#define VARDE_READ_LATEST_BEFORE 3u /* the newest event with time < end, at any age: 0 or 1 row */

/* VARDE_READ_LOCAL_DAY: which of the spans */
#define VARDE_DAY_OF_UNTIL 0u   /* the span that starts on the local date of `until` */
#define VARDE_DAY_CONTAINING 1u /* the span that contains `until`, else the last one that ended before it */

/* What a rule wants to see, declared in create(). A zero-filled struct with struct_size set reads [since, until), all categories.
 * The host loads the union of all reads once for all rules. */
typedef struct varde_read {
    uint32_t struct_size;
    uint32_t kind; /* VARDE_READ_* */
    uint32_t begin_anchor;
    uint32_t end_anchor; /* 0 with end_offset_us 0 and begin_offset_us 0 and both anchors 0: the window itself */
    int64_t begin_offset_us;
    int64_t end_offset_us;      /* > 0 with VARDE_AT_UNTIL: a follow-up beyond the window */
    const uint32_t* categories; /* handles of declare_literal; rows of other categories may still be in the slice: compare */
    uint32_t n_categories;      /* 0: every category */
    int32_t stream;             /* VARDE_READ_LATEST*: handle of a literal, or -1 for any stream */
    int32_t zone;               /* VARDE_READ_LOCAL_DAY: handle of declare_zone; an unknown zone counts as UTC */
    uint32_t local_pick;        /* VARDE_READ_LOCAL_DAY: VARDE_DAY_* */
    int64_t local_begin_us;     /* VARDE_READ_LOCAL_DAY: local time of day, 0 .. 86400000000 */
    int64_t local_end_us;       /* not after local_begin_us: on the next local date */
    /* A local time that does not exist (spring gap) is taken with the offset before the change; of two the first is taken. */
    uint64_t reserved[4];
} varde_read;

/* The answer to one declared read: rows first .. first + count - 1 of the window, ordered by (time, sequence).
 * Rows of categories the read did not name can stand between. */
typedef struct varde_slice {
    int64_t since_us; /* the range as the host resolved it; VARDE_READ_LATEST*: 0, 0 */
    int64_t until_us;
    uint32_t first;
    uint32_t count;
} varde_slice;

/* From `at_us` on the zone is `offset_s` seconds east of UTC. */
typedef struct varde_transition {
    int64_t at_us;
    int32_t offset_s;
    uint32_t reserved;
} varde_transition;

/* A declared zone around the window. transitions[0].at_us lies before every row and before since; n is 0 if the zone is unknown. */
typedef struct varde_zone {
    const varde_transition* transitions;
    uint32_t n_transitions;
    uint32_t reserved;
} varde_zone;

/* What a rule sees in one evaluation, until evaluate() returns. Everything is read-only memory; writing to it ends the evaluation. */
typedef struct varde_window {
    uint32_t struct_size;
    uint32_t n_rows;
    int64_t since_us; /* the window is [since, until) */
    int64_t until_us;
    int64_t now_us; /* the only clock a rule has */

    const int64_t* time_us;       /* [n_rows] */
    const int64_t* sequence;      /* [n_rows] order of arrival; breaks ties of time */
    const varde_symbol* category; /* [n_rows] never 0 */
    const varde_symbol* room;     /* [n_rows] room the host derived, 0 if none */
    const varde_symbol* stream;   /* [n_rows] */
    const uint8_t* payload_kind;  /* [n_rows] VARDE_OBJECT for events from the API; VARDE_NULL .. VARDE_LIST for others */
    const varde_column* keys;     /* [n_keys] by handle of declare_key */
    const varde_slice* reads;     /* [n_reads] by handle of declare_read */
    const varde_symbol* literals; /* [n_literals] by handle of declare_literal; a text no row holds has a symbol too */
    const varde_zone* zones;      /* [n_zones] by handle of declare_zone */
    const varde_text* symbols;    /* [n_symbols] text of a symbol, in `text` */
    const char* text;
    const varde_text* event_id; /* [n_rows] in `row_text`; NULL unless VARDE_WANT_EVENT_ID was declared */
    const varde_text* payload;  /* [n_rows] JSON text in `row_text`; NULL unless VARDE_WANT_PAYLOAD was declared */
    const char* row_text;
    uint32_t n_keys;
    uint32_t n_reads;
    uint32_t n_literals;
    uint32_t n_zones;
    uint32_t n_symbols;
    uint32_t padding;
    uint64_t reserved[8];
} varde_window;

/* ---- what the host offers ------------------------------------------------------------------------------------------------- */

#define VARDE_WANT_EVENT_ID 1u
#define VARDE_WANT_PAYLOAD 2u

#define VARDE_ZONE_REQUIRED 1u /* an unknown zone is an error of the configuration; without it the rule sees n_transitions 0 */

#define VARDE_LOG_DEBUG 0
#define VARDE_LOG_INFO 1
#define VARDE_LOG_WARNING 2

/* Given to create(). [load] Handles are counted 0, 1, 2, ... per kind and instance; declaring a text twice gives the same handle. */
typedef struct varde_host {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;
    void* ctx; /* first argument of every function */
    /* Declares a payload key to be seen as a column. At most 64. A declared text has at most 65536 bytes. */
    int32_t (*declare_key)(void* ctx, const char* key, uint32_t length);
    /* Declares a text to compare categories, rooms, streams or values with. At most 1024. */
    int32_t (*declare_literal)(void* ctx, const char* text, uint32_t length);
    /* Declares an IANA zone, e.g. "Europe/Oslo". flags: VARDE_ZONE_REQUIRED: an unknown zone answers VARDE_E_PARAM. At most 8. */
    int32_t (*declare_zone)(void* ctx, const char* name, uint32_t length, uint32_t flags);
    /* Declares a read. At most 16. A rule that declares none sees [since, until). */
    int32_t (*declare_read)(void* ctx, const varde_read* read);
    /* Declares optional columns: VARDE_WANT_* or-ed. */
    int32_t (*declare_wants)(void* ctx, uint32_t wants);
    /* Says why create() is about to return an error. `param` is the path of the parameter ("night_window.end_local_time"), or empty. */
    int32_t (*fail)(void* ctx, const char* param, uint32_t param_length, const char* text, uint32_t text_length);
    void (*log)(void* ctx, int32_t level, const char* text, uint32_t length);
    const void* (*query)(void* ctx, const char* extension_id); /* NULL: the host does not have it */
    uint64_t reserved[8];
} varde_host;

/* ---- what a rule answers -------------------------------------------------------------------------------------------------- */

#define VARDE_OUTCOME_UNKNOWN 0 /* the rule could not decide; nothing is opened or closed */
#define VARDE_OUTCOME_MET 1     /* at least one finding was given */
#define VARDE_OUTCOME_NOT_MET 2
#define VARDE_OUTCOME_NO_DATA 3 /* nothing to judge from; never closes anything */

#define VARDE_LOW 1
#define VARDE_MEDIUM 2
#define VARDE_HIGH 3
#define VARDE_CRITICAL 4

#define VARDE_TIME_UNSET INT64_MIN
#define VARDE_NEVER INT64_MAX /* valid_until: only new events can change the answer */
#define VARDE_ASK_ALWAYS 0    /* valid_until: ask at every tick */

typedef struct varde_finding {
    uint32_t struct_size;
    int32_t severity; /* VARDE_LOW .. VARDE_CRITICAL */
    const char* title;
    uint32_t title_length;       /* 1 .. 200 bytes */
    uint32_t explanation_length; /* 0 .. 4000 bytes */
    const char* explanation;
    int64_t since_us; /* the window the finding is about; VARDE_TIME_UNSET: that of the evaluation */
    int64_t until_us;
    int64_t timestamp_us; /* when the finding holds; VARDE_TIME_UNSET: now */
    uint64_t reserved[4];
} varde_finding;

/* One node of a finding's evidence, an object that is given in document order. */
typedef struct varde_field {
    uint32_t struct_size;
    uint32_t kind;       /* VARDE_NULL .. VARDE_END */
    const char* key;     /* member name; ignored inside a list and for VARDE_END */
    uint32_t key_length; /* 1 .. 200 bytes inside an object */
    uint32_t text_length;
    const char* text; /* VARDE_TEXT */
    int64_t integer;  /* VARDE_INTEGER, VARDE_TIME, VARDE_EVENT */
    double real;      /* VARDE_REAL, finite */
    uint64_t reserved[2];
} varde_field;

/* Given to evaluate(). [evaluate] */
typedef struct varde_sink {
    uint32_t struct_size;
    uint32_t padding;
    void* ctx;
    /* Gives the outcome: at most once; without it the outcome is MET if there is a finding, else NOT_MET. `reason` may be empty.
     * `reason`: the numbers that decided, for people; at most 4000 bytes are kept.
     * valid_until_us: the earliest instant at which the answer could change if no new event of the declared reads comes;
     * VARDE_NEVER, or VARDE_ASK_ALWAYS. An event that was stored ahead of its time comes when the moving end of a read reaches it. */
    int32_t (*outcome)(void* ctx, int32_t outcome, const char* reason, uint32_t reason_length, int64_t valid_until_us);
    /* Begins a finding. At most 64 in one evaluation, which with their evidence take up to 1 MiB; VARDE_E_LIMIT over either. */
    int32_t (*finding)(void* ctx, const varde_finding* finding);
    /* Adds evidence to the finding begun last. At most 4096 fields in one evaluation, nested at most 8 deep. */
    int32_t (*field)(void* ctx, const varde_field* field);
    /* Says why evaluate() is about to return VARDE_E_RULE. At most 4000 bytes are kept. */
    int32_t (*fail)(void* ctx, const char* text, uint32_t length);
    void (*log)(void* ctx, int32_t level, const char* text, uint32_t length);
    uint32_t (*should_stop)(void* ctx); /* not 0: half of the time is used up; finish or return VARDE_E_RULE */
    const void* (*query)(void* ctx, const char* extension_id);
    uint64_t reserved[8];
} varde_sink;

typedef struct varde_rule varde_rule; /* an instance: one rule with one set of parameters; the rule's own type */

#include <varde/extensions.h>

/* ---- what a rule exports -------------------------------------------------------------------------------------------------- */

typedef struct varde_rule_entry {
    uint64_t magic; /* VARDE_MAGIC */
    uint32_t struct_size;
    uint16_t abi_major;        /* VARDE_ABI_MAJOR */
    uint16_t abi_minor_needed; /* the lowest minor of a host the rule can work with */
    uint32_t flags;            /* 0 */
    uint32_t reserved0;
    const char* rule_id; /* "R-001": 1..31 characters of A-Z a-z 0-9 . _ - */
    const char* version; /* of the rule, "1.0.0": 1..31 characters */
    const char* sdk;     /* what built it, free text of at most 31 characters */
    /* Required. Makes an instance from parameters, and declares what it reads. [load]
     * On an error nothing is made, fail() has said why, and destroy() is not called. */
    int32_t (*create)(const varde_host* host, const varde_params* params, varde_rule** out);
    /* Required. Judges one window; must be a function of instance, window and kept state (VARDE_STATE_1) alone. [evaluate] */
    int32_t (*evaluate)(varde_rule* rule, const varde_window* window, const varde_sink* sink);
    /* Required. Ends an instance. [load] */
    void (*destroy)(varde_rule* rule);
    /* Optional (may be NULL). Extensions of the rule, by id; NULL for one it does not have. `rule` may be NULL. [load] */
    const void* (*query)(varde_rule* rule, const char* extension_id);
    uint64_t reserved[8];
} varde_rule_entry;

/* The same facts as an ELF note in section .note.varde, so that a host reads them without running a byte of the file.
 * The worker refuses a file whose note and entry differ (`manifest_mismatch`). */
#define VARDE_NOTE_TYPE 1u
typedef struct varde_note {
    uint32_t name_size; /* 8 */
    uint32_t desc_size; /* sizeof(varde_note) - 20 */
    uint32_t type;      /* VARDE_NOTE_TYPE */
    char name[8];       /* "varde" */
    uint16_t abi_major;
    uint16_t abi_minor_needed;
    char rule_id[32]; /* NUL-padded */
    char version[32];
    char sdk[32];
} varde_note;

#if defined(__GNUC__)
#define VARDE_EXPORT __attribute__((visibility("default")))
#define VARDE_NOTE_SECTION __attribute__((section(".note.varde"), used, aligned(4)))
#else
#define VARDE_EXPORT
#define VARDE_NOTE_SECTION
#endif

/* Defines the note of a rule, at file scope: VARDE_RULE_NOTE("R-001", "1.0.0", "varde-c 1.0") */
/* clang-format off */
#define VARDE_RULE_NOTE(id, rule_version, sdk_text)                                                                              \
    VARDE_NOTE_SECTION static const varde_note varde_rule_note = {                                                               \
        8u, (uint32_t)(sizeof(varde_note) - 20u), VARDE_NOTE_TYPE, "varde", VARDE_ABI_MAJOR, VARDE_ABI_MINOR,                    \
        id, rule_version, sdk_text}
/* clang-format on */

/* The one symbol a rule exports. */
extern VARDE_EXPORT const varde_rule_entry varde_rule_v1;

/* ---- small helpers, inline so that a rule links to nothing ----------------------------------------------------------------- */

#if defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L)
#define VARDE_INLINE static inline
#elif defined(__GNUC__)
#define VARDE_INLINE static __inline__
#else
#define VARDE_INLINE static
#endif

/* Local time of `at_us` in a zone, as microseconds since 1970-01-01T00:00:00 local; UTC if the zone is unknown. */
VARDE_INLINE int64_t varde_local_us(const varde_zone* zone, int64_t at_us) {
    uint32_t i = zone->n_transitions;
    while (i > 1u && zone->transitions[i - 1u].at_us > at_us) --i;
    return i == 0u ? at_us : at_us + (int64_t)zone->transitions[i - 1u].offset_s * 1000000;
}

/* Local time of day in microseconds, 0 .. 86399999999. */
VARDE_INLINE int64_t varde_local_time_of_day_us(const varde_zone* zone, int64_t at_us) {
    const int64_t day = (int64_t)86400 * 1000000;
    const int64_t rest = varde_local_us(zone, at_us) % day;
    return rest < 0 ? rest + day : rest;
}

/* Index of the first row of `slice` that is not before `at_us`; slice->first + slice->count if there is none. */
VARDE_INLINE uint32_t varde_lower_bound(const varde_window* window, const varde_slice* slice, int64_t at_us) {
    uint32_t low = slice->first;
    uint32_t high = slice->first + slice->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2u;
        if (window->time_us[middle] < at_us)
            low = middle + 1u;
        else
            high = middle;
    }
    return low;
}

#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-use-using) */

#endif /* VARDE_RULE_H */
