/* A rule in C, and every macro and helper of the header: compiled as C89 .. C2x and as C++98 .. C++20 with -pedantic -Werror. */
#include <varde/rule.h>

static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) {
    static const char text[] = "door";
    varde_read read = {0};
    uint32_t door;
    int32_t handle = host->declare_literal(host->ctx, text, 4);
    if (params->n_nodes > 1) return host->fail(host->ctx, "", 0, "takes no parameters", 19), VARDE_E_PARAM;
    if (handle < 0) return handle;
    door = (uint32_t)handle;
    read.struct_size = (uint32_t)sizeof(read);
    read.categories = &door;
    read.n_categories = 1;
    read.stream = -1;
    *out = (varde_rule*)0;
    return host->declare_read(host->ctx, &read);
}

static int32_t evaluate(varde_rule* rule, const varde_window* window, const varde_sink* sink) {
    const varde_slice* slice = &window->reads[0];
    varde_finding finding = {0};
    varde_field field = {0};
    uint32_t row = varde_lower_bound(window, slice, window->since_us);
    (void)rule;
    for (; row < slice->first + slice->count; ++row) {
        if (window->category[row] != window->literals[0]) continue;
        if (window->n_zones > 0 && varde_local_time_of_day_us(&window->zones[0], window->time_us[row]) < 0) continue;
        finding.struct_size = (uint32_t)sizeof(finding);
        finding.severity = VARDE_LOW;
        finding.title = "A door";
        finding.title_length = 6;
        finding.since_us = finding.until_us = finding.timestamp_us = VARDE_TIME_UNSET;
        if (sink->finding(sink->ctx, &finding) < 0) return VARDE_E_RULE;
        field.struct_size = (uint32_t)sizeof(field);
        field.kind = VARDE_EVENT;
        field.key = "event";
        field.key_length = 5;
        field.integer = (int64_t)row;
        if (sink->field(sink->ctx, &field) < 0) return VARDE_E_RULE;
    }
    return sink->outcome(sink->ctx, finding.severity ? VARDE_OUTCOME_MET : VARDE_OUTCOME_NOT_MET, "", 0, VARDE_NEVER);
}

static void destroy(varde_rule* rule) { (void)rule; }

VARDE_RULE_NOTE("C-001", "1.0.0", "varde-c 1.0");
const varde_rule_entry varde_rule_v1 = {VARDE_MAGIC,
                                        (uint32_t)sizeof(varde_rule_entry),
                                        VARDE_ABI_MAJOR,
                                        VARDE_ABI_MINOR,
                                        0u,
                                        0u,
                                        "C-001",
                                        "1.0.0",
                                        "varde-c 1.0",
                                        create,
                                        evaluate,
                                        destroy,
                                        0,
                                        {0}};
