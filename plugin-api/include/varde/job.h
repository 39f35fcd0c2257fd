/*
 * varde/job.h - the C interface between the Varde host and a job: a shared library that a schedule of kind `plugin` runs.
 *
 * A job is a shared library that exports exactly one object, `varde_job_v1`, of type `varde_job_entry`. The host never loads it: each
 * run is a sandboxed worker process of its own, which is the one that rules run in. A job has no files, no network, no threads, no
 * environment and no events; what it may know is in its call, and what it does is its answer.
 *
 * The conventions (thread, text, ownership, time, growth) are those of varde/rule.h, and so is the note, with a type of its own.
 * STATUS: frozen as 1.0 of the interface of jobs, which has a number of its own: a rule is not rebuilt when this one grows.
 */
#ifndef VARDE_JOB_H
#define VARDE_JOB_H

#include <varde/rule.h>

/* NOLINTBEGIN(modernize-use-using): C reads this too */
#ifdef __cplusplus
extern "C" {
#endif

#define VARDE_JOB_ABI_MAJOR 1u                          /* another major is another exported symbol: varde_job_v2 */
#define VARDE_JOB_ABI_MINOR 0u                          /* what this header offers; an entry names the minor it *needs* */
#define VARDE_JOB_MAGIC ((uint64_t)0x31424f4a44524156u) /* "VARDJOB1", little endian */

#define VARDE_MAX_RESULT_BYTES 65536u

/* ---- what a run is told ----------------------------------------------------------------------------------------------------- */

typedef struct varde_job_call {
    uint32_t struct_size;
    uint32_t attempt;    /* 1, 2, ...: a slot that failed is tried again as the schedule says */
    int64_t nominal_us;  /* the slot's own time, the same for every attempt */
    int64_t now_us;      /* when this attempt was started */
    int64_t deadline_us; /* when it is ended, ready or not: now_us + the schedule's run_timeout */
    const varde_params*
        params;              /* `params.params` of the schedule, with the run's input merged over them; the root is an object */
    const char* params_text; /* the same as JSON text */
    uint32_t params_length;
    uint32_t slot_length;
    const char* slot; /* the same for every attempt of a slot: "nightly/1/2026-01-15T03:00:00Z/scheduled" */
    uint64_t reserved[8];
} varde_job_call;

/* ---- what it answers --------------------------------------------------------------------------------------------------------- */

/* What run() returns. Any other value is a failure of the first kind. */
#define VARDE_JOB_DONE 0
#define VARDE_JOB_FAILED (-1)  /* another attempt may help; the text was given with fail() */
#define VARDE_JOB_GIVE_UP (-2) /* it would not: a parameter is wrong, there is nothing to do */

/* Valid until run() returns. */
typedef struct varde_job_sink {
    uint32_t struct_size;
    uint32_t padding;
    void* ctx; /* first argument of every function */
    /* What is kept with the run, JSON; the last call counts, length 0 takes it back. Also kept of a failure.
     * VARDE_E_LIMIT: more than VARDE_MAX_RESULT_BYTES. Text that is no JSON makes the run a failure. */
    int32_t (*result)(void* ctx, const char* json, uint32_t length);
    /* Says why run() is about to return an error. At most 2000 bytes are kept. */
    int32_t (*fail)(void* ctx, const char* text, uint32_t length);
    /* A line for the host's log. All lines of a run together: isolation.max_log_bytes of host.yaml; over that the run fails. */
    void (*log)(void* ctx, int32_t level, const char* text, uint32_t length);
    /* Not 0: nine tenths of the time are used up, or somebody cancelled the run: answer within 200 ms with what there is. */
    uint32_t (*should_stop)(void* ctx);
    const void* (*query)(void* ctx, const char* extension_id); /* NULL: the host does not have it */
    uint64_t reserved[8];
} varde_job_sink;

/* ---- what a job exports ------------------------------------------------------------------------------------------------------ */

typedef struct varde_job_entry {
    uint64_t magic; /* VARDE_JOB_MAGIC */
    uint32_t struct_size;
    uint16_t abi_major;        /* VARDE_JOB_ABI_MAJOR */
    uint16_t abi_minor_needed; /* the lowest minor of a host the job can work with */
    uint32_t flags;            /* 0 */
    uint32_t reserved0;
    const char* job_id;  /* "J-hello", what `params.job` of a schedule names: 1..31 characters of A-Z a-z 0-9 . _ - */
    const char* version; /* of the job, "1.0.0": 1..31 characters */
    const char* sdk;     /* what built it, free text of at most 31 characters */
    /* Required. One attempt, once in the life of its process. Nothing outlives it but what it gives to `sink`. */
    int32_t (*run)(const varde_job_call* call, const varde_job_sink* sink);
    /* Optional (may be NULL). Extensions of the job, by id; NULL for one it does not have. */
    const void* (*query)(const char* extension_id);
    uint64_t reserved[8];
} varde_job_entry;

/* Defines the note of a job, at file scope: VARDE_JOB_NOTE("J-hello", "1.0.0", "varde-c 1.0"). `rule_id` of the note is the job's id. */
#define VARDE_JOB_NOTE_TYPE 2u
/* clang-format off */
#define VARDE_JOB_NOTE(id, job_version, sdk_text)                                                                                \
    VARDE_NOTE_SECTION static const varde_note varde_job_note = {                                                                \
        8u, (uint32_t)(sizeof(varde_note) - 20u), VARDE_JOB_NOTE_TYPE, "varde", VARDE_JOB_ABI_MAJOR, VARDE_JOB_ABI_MINOR,        \
        id, job_version, sdk_text}
/* clang-format on */

/* The one symbol a job exports. */
extern VARDE_EXPORT const varde_job_entry varde_job_v1;

#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-use-using) */

#endif /* VARDE_JOB_H */
