/* A rule that does nothing, for tests that look at its file. */
#include <stddef.h>

#include <varde/rule.h>

static char instance;

static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) {
    (void)host, (void)params;
    *out = (varde_rule*)&instance;
    return VARDE_OK;
}

static int32_t evaluate(varde_rule* rule, const varde_window* window, const varde_sink* sink) {
    (void)rule, (void)window;
    return sink->outcome(sink->ctx, VARDE_OUTCOME_NO_DATA, "", 0, VARDE_NEVER);
}

static void destroy(varde_rule* rule) { (void)rule; }

VARDE_RULE_NOTE("R-777", "1.0.0", "test");

const varde_rule_entry varde_rule_v1 = {VARDE_MAGIC,
                                        sizeof(varde_rule_entry),
                                        VARDE_ABI_MAJOR,
                                        VARDE_ABI_MINOR,
                                        0,
                                        0,
                                        "R-777",
                                        "1.0.0",
                                        "test",
                                        create,
                                        evaluate,
                                        destroy,
                                        NULL,
                                        {0}};
