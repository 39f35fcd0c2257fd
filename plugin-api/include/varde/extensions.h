/*
 * varde/extensions.h - what a rule and its host ask of each other by name; a part of varde/rule.h, which includes it.
 *
 * The conventions are those of rule.h. An extension is never changed: what is different is "varde.NAME/2". Whoever asks must cope
 * with NULL.
 */
#ifndef VARDE_EXTENSIONS_H
#define VARDE_EXTENSIONS_H

#ifndef VARDE_RULE_H
#error "include <varde/rule.h>"
#endif

/* Asked of the host with sink->query(); `ctx` of their functions is that of the sink. A host that does not have one answers NULL. */

#define VARDE_STATE_1 "varde.state/1" /* -> const varde_state_1* */
#define VARDE_MAX_STATE_BYTES 65536u

/* A few bytes that the host keeps for the rule, one blob per scope (organisation, home, subject). They outlive the worker, the
 * host and the plugin's file: the next version of the rule gets what the last one kept, so begin with a version of your own and treat
 * what you do not know as nothing. Use it for what the declared reads cannot tell. */
typedef struct varde_state_1 {
    uint32_t struct_size;
    uint32_t padding;
    /* What was kept by the last evaluation of this scope that the host put to use: before the first one, or when an answer is only
     * asked for (a trial, a test), NULL and *length 0. Borrowed until evaluate() returns. [evaluate] */
    const void* (*get)(void* ctx, uint32_t* length);
    /* Replaces it, once this evaluation has succeeded; length 0 forgets it. The last call counts; without one all stays as it is.
     * VARDE_E_LIMIT: more than VARDE_MAX_STATE_BYTES. [evaluate] */
    int32_t (*put)(void* ctx, const void* data, uint32_t length);
    uint64_t reserved[4];
} varde_state_1;

/* -> const varde_explain_1*; NULL while nobody asked why, so that a tick costs nothing */
#define VARDE_EXPLAIN_1 "varde.explain/1"

#define VARDE_STEP_FAILED 0 /* this condition did not hold */
#define VARDE_STEP_HELD 1
#define VARDE_STEP_NOTE 2 /* a fact, neither */

/* The steps by which the rule came to its answer, for `varde explain`. */
typedef struct varde_explain_1 {
    uint32_t struct_size;
    uint32_t padding;
    /* One step with its numbers: "last motion 09:12, 187 min before until, limit 180". 1 .. 1000 bytes, at most 256 steps of an
     * evaluation; VARDE_E_LIMIT over that. [evaluate] */
    int32_t (*step)(void* ctx, int32_t kind, const char* text, uint32_t length);
    uint64_t reserved[4];
} varde_explain_1;

/* Asked of the rule with entry->query(). */

#define VARDE_SELFTEST_1 "varde.selftest/1" /* -> const varde_selftest_1* */

/* What a rule can check about itself. Called in a worker of its own when a running host meets a new file, which a failure turns down. */
typedef struct varde_selftest_1 {
    uint32_t struct_size;
    uint32_t padding;
    /* VARDE_OK, or VARDE_E_RULE after fail() has said what is wrong. [load] */
    int32_t (*run)(varde_rule* rule, void* ctx, int32_t (*fail)(void* ctx, const char* text, uint32_t length));
    uint64_t reserved[4];
} varde_selftest_1;

#endif /* VARDE_EXTENSIONS_H */
