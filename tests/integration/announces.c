/* A rule that says which version it is, from both ends of a file that is long enough to be caught half-written. The script that uses it
 * makes versions and rules of it by changing X-000 and 0.0.0 in the bytes, wherever they stand. */
#include <stddef.h>
#include <string.h>

#include <varde/rule.h>

#define ID "X-000"
#define VERSION "0.0.0"

/* Not const: it stands in another segment than the entry's texts, behind the filling. */
static volatile char filling[512 * 1024] = {1};
/* Volatile: else the compiler hides the texts in its instructions. */
static const volatile char title_of_code[] = ID " " VERSION " ";
static char version_of_data[16] = {'v', '0', '.', '0', '.', '0'};

static char instance;

static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) {
    (void)host, (void)params;
    *out = (varde_rule*)&instance;
    return VARDE_OK;
}

static int32_t evaluate(varde_rule* rule, const varde_window* window, const varde_sink* sink) {
    char title[64];
    size_t i;
    varde_finding finding;
    (void)rule, (void)window;
    for (i = 0; i < sizeof title_of_code; ++i) title[i] = title_of_code[i];
    strcat(title, version_of_data + filling[0]);
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.severity = VARDE_LOW;
    finding.title = title;
    finding.title_length = (uint32_t)strlen(title);
    finding.since_us = finding.until_us = finding.timestamp_us = VARDE_TIME_UNSET;
    return sink->finding(sink->ctx, &finding);
}

static void destroy(varde_rule* rule) { (void)rule; }

VARDE_RULE_NOTE(ID, VERSION, "test");

const varde_rule_entry varde_rule_v1 = {VARDE_MAGIC,
                                        sizeof(varde_rule_entry),
                                        VARDE_ABI_MAJOR,
                                        VARDE_ABI_MINOR,
                                        0,
                                        0,
                                        ID,
                                        VERSION,
                                        "test",
                                        create,
                                        evaluate,
                                        destroy,
                                        NULL,
                                        {0}};
