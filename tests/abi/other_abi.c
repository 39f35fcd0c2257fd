/* A rule that was built with another SDK: NEEDED_MAJOR and NEEDED_MINOR, each relative to this header's, are what it says it needs. */
#include <varde/rule.h>

enum { needed_major = (int)VARDE_ABI_MAJOR + (NEEDED_MAJOR), needed_minor = (int)VARDE_ABI_MINOR + (NEEDED_MINOR) };
#undef VARDE_ABI_MAJOR
#undef VARDE_ABI_MINOR
#define VARDE_ABI_MAJOR needed_major
#define VARDE_ABI_MINOR needed_minor

static char instance;

static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) {
    (void)host;
    (void)params;
    *out = (varde_rule*)&instance;
    return VARDE_OK;
}

static int32_t evaluate(varde_rule* rule, const varde_window* window, const varde_sink* sink) {
    (void)rule;
    (void)window;
    return sink->outcome(sink->ctx, VARDE_OUTCOME_NOT_MET, "", 0, VARDE_NEVER);
}

static void destroy(varde_rule* rule) { (void)rule; }

VARDE_RULE_NOTE(RULE_ID, "1.0.0", "another SDK");

const varde_rule_entry varde_rule_v1 = {
    .magic = VARDE_MAGIC,
    .struct_size = sizeof(varde_rule_entry),
    .abi_major = VARDE_ABI_MAJOR,
    .abi_minor_needed = VARDE_ABI_MINOR,
    .rule_id = RULE_ID,
    .version = "1.0.0",
    .sdk = "another SDK",
    .create = create,
    .evaluate = evaluate,
    .destroy = destroy,
};
