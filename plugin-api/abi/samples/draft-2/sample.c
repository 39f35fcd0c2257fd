/* SAMPLE-D2-C: what draft 2 of varde/rule.h has on top of draft 1 (see there for all else): the extensions for state, explanation and
 * self-test. Built once, loaded for ever: see built.txt. This source is kept for the reader; it is not built again. */
#include <stddef.h>
#include <string.h>

#include <varde/rule.h>

static char instance;
static int tested;

static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) {
    (void)host;
    (void)params;
    *out = (varde_rule*)&instance;
    return VARDE_OK;
}

static void destroy(varde_rule* self) { (void)self; }

static int32_t selftest(varde_rule* self, void* ctx, int32_t (*fail)(void* ctx, const char* text, uint32_t length)) {
    static const char why[] = "not the instance that was made";
    tested = self == (varde_rule*)&instance;
    if (!tested) fail(ctx, why, sizeof why - 1);
    return tested ? VARDE_OK : VARDE_E_RULE;
}

static const void* query(varde_rule* self, const char* id) {
    static const varde_selftest_1 test = {sizeof test, 0, selftest, {0, 0, 0, 0}};
    (void)self;
    return strcmp(id, VARDE_SELFTEST_1) == 0 ? &test : NULL;
}

static void put(const varde_sink* sink, uint32_t kind, const char* key, int64_t integer) {
    varde_field field;
    memset(&field, 0, sizeof field);
    field.struct_size = sizeof field;
    field.kind = kind;
    field.key = key;
    field.key_length = (uint32_t)strlen(key);
    field.integer = integer;
    sink->field(sink->ctx, &field);
}

static int32_t explain(const varde_sink* sink) {
    static const char step[] = "draft 2 was asked why";
    const varde_explain_1* asked = sink->query(sink->ctx, VARDE_EXPLAIN_1);
    if (asked == NULL) return 0;
    asked->step(sink->ctx, VARDE_STEP_NOTE, step, sizeof step - 1);
    asked->step(sink->ctx, VARDE_STEP_HELD, step, sizeof step - 1);
    asked->step(sink->ctx, VARDE_STEP_FAILED, step, sizeof step - 1);
    return 1;
}

static int32_t evaluate(varde_rule* self, const varde_window* window, const varde_sink* sink) {
    static const char title[] = "Sample: what draft 2 adds";
    const varde_state_1* state = sink->query(sink->ctx, VARDE_STATE_1);
    varde_finding finding;
    uint32_t length = 1;
    const void* kept;
    (void)self;
    (void)window;
    if (state == NULL || state->struct_size < offsetof(varde_state_1, reserved)) return VARDE_E_RULE;
    kept = state->get(sink->ctx, &length);
    if (state->put(sink->ctx, "draft", 5) != VARDE_OK || state->put(sink->ctx, NULL, 0) != VARDE_OK ||
        state->put(sink->ctx, "draft 2", 7) != VARDE_OK)
        return VARDE_E_RULE;
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.severity = VARDE_LOW;
    finding.title = title;
    finding.title_length = sizeof title - 1;
    finding.since_us = finding.until_us = finding.timestamp_us = VARDE_TIME_UNSET;
    if (sink->finding(sink->ctx, &finding) != VARDE_OK) return VARDE_E_RULE;
    put(sink, kept == NULL ? VARDE_TRUE : VARDE_FALSE, "nothing_kept", 0);
    put(sink, VARDE_INTEGER, "kept_bytes", length);
    put(sink, VARDE_INTEGER, "most_bytes", VARDE_MAX_STATE_BYTES);
    put(sink, VARDE_INTEGER, "explained", explain(sink));
    return VARDE_OK;
}

VARDE_RULE_NOTE("SAMPLE-D2-C", "1.0.0", "varde-c draft 2");

const varde_rule_entry varde_rule_v1 = {VARDE_MAGIC,   sizeof(varde_rule_entry), VARDE_ABI_MAJOR, VARDE_ABI_MINOR, 0, 0,
                                        "SAMPLE-D2-C", "1.0.0", "varde-c draft 2", create, evaluate, destroy, query, {0}};
