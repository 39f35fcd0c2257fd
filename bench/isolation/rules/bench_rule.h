/* What the rules of this benchmark share: entry, note and create(). A rule includes this, defines judge() and is built with RULE_ID; with
 * RULE_WANTS it sees more than the window's columns. */
#ifndef VARDE_BENCH_RULE_H
#define VARDE_BENCH_RULE_H

#include <string.h>

#include <varde/rule.h>

#ifndef RULE_WANTS
#define RULE_WANTS 0u
#endif

static int32_t judge(const varde_window* window, const varde_sink* sink);

static char instance;

static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) {
    (void)params;
    host->declare_key(host->ctx, "state", 5);
    host->declare_literal(host->ctx, "off", 3);
    if (RULE_WANTS != 0u) host->declare_wants(host->ctx, RULE_WANTS);
    *out = (varde_rule*)&instance;
    return VARDE_OK;
}

static int32_t evaluate(varde_rule* rule, const varde_window* window, const varde_sink* sink) {
    (void)rule;
    return judge(window, sink);
}

static void destroy(varde_rule* rule) { (void)rule; }

/* Answers with a number as the reason, so that both ways of calling can be compared. */
static inline int32_t answer(const varde_sink* sink, uint32_t number) {
    char digits[10];
    uint32_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10u);
        number /= 10u;
    } while (number > 0u);
    return sink->outcome(sink->ctx, VARDE_OUTCOME_NOT_MET, digits + first, (uint32_t)sizeof digits - first, VARDE_ASK_ALWAYS);
}

VARDE_RULE_NOTE(RULE_ID, "1.0.0", "bench");

const varde_rule_entry varde_rule_v1 = {VARDE_MAGIC,
                                        sizeof(varde_rule_entry),
                                        VARDE_ABI_MAJOR,
                                        VARDE_ABI_MINOR,
                                        0,
                                        0,
                                        RULE_ID,
                                        "1.0.0",
                                        "bench",
                                        create,
                                        evaluate,
                                        destroy,
                                        NULL,
                                        {0}};

#endif
