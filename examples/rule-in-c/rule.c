/* EX-C1: a door, the fridge's unless another is named, has been open for longer than `minutes`. See README.md.
 *
 * Plain C99 on varde/rule.h. The order of this file is the life of a rule: parameters, declarations, evaluate, the entry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <varde/rule.h>

#define RULE_ID "EX-C1"
#define RULE_VERSION "1.0.0"
#define SDK "varde-c 1.0"

static const int64_t minute_us = INT64_C(60) * 1000000;

/* One instance: what create() made of the parameters. Handles are indexes into the arrays of the window. */
struct varde_rule {
    int64_t minutes;
    int32_t read;          /* events of the category, in [since, until) */
    int32_t door_category; /* literals */
    int32_t watched_door;
    int32_t open_state;
    int32_t door; /* keys of the payload */
    int32_t state;
};

struct settings {
    int64_t minutes;
    const char* door;
    uint32_t door_length;
};

/* ---- parameters ---------------------------------------------------------------------------------------------------------- */

/* Says which parameter is wrong and why; what create() returns then. */
static int32_t refuse(const varde_host* host, const char* param, uint32_t param_length, const char* why) {
    host->fail(host->ctx, param, param_length, why, (uint32_t)strlen(why));
    return VARDE_E_PARAM;
}

static int is_named(const varde_node* node, const char* key, const char* name) {
    return node->key.length == strlen(name) && memcmp(key, name, node->key.length) == 0;
}

static int32_t read_settings(const varde_host* host, const varde_params* params, struct settings* out) {
    uint32_t i;
    /* Children of the root: `end` is the next sibling, so that what lies inside a list or an object is stepped over. */
    for (i = 1; i < params->nodes[0].end; i = params->nodes[i].end) {
        const varde_node* node = &params->nodes[i];
        const char* key = params->text + node->key.offset;
        if (is_named(node, key, "minutes")) {
            if (node->kind != VARDE_INTEGER || node->integer < 1 || node->integer > 1440)
                return refuse(host, key, node->key.length, "must be a whole number from 1 to 1440");
            out->minutes = node->integer;
        } else if (is_named(node, key, "door")) {
            if (node->kind != VARDE_TEXT || node->text.length < 1 || node->text.length > 64)
                return refuse(host, key, node->key.length, "must be a text of 1 to 64 bytes");
            out->door = params->text + node->text.offset;
            out->door_length = node->text.length;
        } else {
            return refuse(host, key, node->key.length, "is no parameter of this rule; it has minutes and door");
        }
    }
    return VARDE_OK;
}

/* ---- declarations -------------------------------------------------------------------------------------------------------- */

static int32_t declare(const varde_host* host, const struct settings* settings, varde_rule* rule) {
    varde_read read;
    uint32_t category;
    rule->minutes = settings->minutes;
    rule->door_category = host->declare_literal(host->ctx, "door", 4);
    rule->watched_door = host->declare_literal(host->ctx, settings->door, settings->door_length);
    rule->open_state = host->declare_literal(host->ctx, "open", 4);
    rule->door = host->declare_key(host->ctx, "door", 4);
    rule->state = host->declare_key(host->ctx, "state", 5);
    /* A handle below zero is an error. */
    if (rule->door_category < 0 || rule->watched_door < 0 || rule->open_state < 0 || rule->door < 0 || rule->state < 0)
        return refuse(host, "", 0, "the host took no more declarations");
    category = (uint32_t)rule->door_category;
    memset(&read, 0, sizeof read); /* zeros: the window itself, [since, until) */
    read.struct_size = sizeof read;
    read.categories = &category;
    read.n_categories = 1;
    read.stream = -1;
    rule->read = host->declare_read(host->ctx, &read);
    return rule->read < 0 ? refuse(host, "", 0, "the host took no more reads") : VARDE_OK;
}

static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) {
    struct settings settings = {10, "fridge", 6};
    varde_rule* rule;
    int32_t status = read_settings(host, params, &settings);
    if (status != VARDE_OK) return status;
    rule = calloc(1, sizeof *rule);
    if (rule == NULL) return refuse(host, "", 0, "there is no memory for an instance");
    status = declare(host, &settings, rule);
    if (status != VARDE_OK) {
        free(rule);
        return status;
    }
    *out = rule;
    return VARDE_OK;
}

static void destroy(varde_rule* rule) { free(rule); }

/* ---- evaluate ------------------------------------------------------------------------------------------------------------ */

/* Whether the payload of a row has this text under a declared key. Texts are equal when their numbers are. */
static int says(const varde_window* window, uint32_t row, int32_t key, int32_t literal) {
    const varde_column* column = &window->keys[key];
    return column->kind[row] == VARDE_TEXT && column->value[row] == (int64_t)window->literals[literal];
}

struct door {
    int seen; /* there is an event of this door */
    uint32_t last;
    int is_open;
    uint32_t opened; /* the first of the "open" events that nothing else has followed */
};

static struct door look_at_door(const varde_rule* rule, const varde_window* window) {
    struct door door = {0, 0, 0, 0};
    const varde_slice* slice = &window->reads[rule->read];
    uint32_t row = slice->first + slice->count;
    while (row-- > slice->first) {
        /* Rows that this rule did not ask for can stand between. */
        if (window->category[row] != window->literals[rule->door_category]) continue;
        if (!says(window, row, rule->door, rule->watched_door)) continue;
        if (!door.seen) door.last = row;
        door.seen = 1;
        if (!says(window, row, rule->state, rule->open_state)) break;
        door.is_open = 1;
        door.opened = row;
    }
    return door;
}

static void add(const varde_sink* sink, uint32_t kind, const char* key, int64_t integer) {
    varde_field field;
    memset(&field, 0, sizeof field);
    field.struct_size = sizeof field;
    field.kind = kind;
    field.key = key;
    field.key_length = key == NULL ? 0 : (uint32_t)strlen(key);
    field.integer = integer;
    sink->field(sink->ctx, &field);
}

static void report(const varde_rule* rule, const varde_window* window, uint32_t opened, const varde_sink* sink) {
    static const char title[] = "A door has been open for too long";
    char explanation[160];
    varde_finding finding;
    const int length =
        snprintf(explanation, sizeof explanation,
                 "It was opened more than %d minutes ago and has not been closed. Please close it.", (int)rule->minutes);
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.severity = VARDE_LOW;
    finding.title = title;
    finding.title_length = sizeof title - 1;
    finding.explanation = explanation;
    finding.explanation_length = (uint32_t)length;
    finding.since_us = finding.until_us = finding.timestamp_us = VARDE_TIME_UNSET;
    sink->finding(sink->ctx, &finding);
    add(sink, VARDE_LIST, "event_ids", 0);
    add(sink, VARDE_EVENT, NULL, opened);
    add(sink, VARDE_END, NULL, 0);
    add(sink, VARDE_TIME, "opened_at", window->time_us[opened]);
    add(sink, VARDE_INTEGER, "minutes", rule->minutes);
}

static int32_t answer(const varde_sink* sink, int32_t outcome, const char* reason, int64_t valid_until_us) {
    return sink->outcome(sink->ctx, outcome, reason, (uint32_t)strlen(reason), valid_until_us);
}

static int32_t evaluate(varde_rule* rule, const varde_window* window, const varde_sink* sink) {
    const int64_t length_us = window->until_us - window->since_us;
    const int64_t limit_us = rule->minutes * minute_us;
    const struct door door = look_at_door(rule, window);
    int64_t too_long_us, gone_us;
    if (limit_us >= length_us)
        return answer(sink, VARDE_OUTCOME_UNKNOWN, "the window is not longer than `minutes`; set lookback_minutes",
                      VARDE_ASK_ALWAYS);
    if (!door.seen) return answer(sink, VARDE_OUTCOME_NO_DATA, "no event of this door", VARDE_NEVER);
    /* Until when the answer holds: a window that moves on loses the event the answer rests on. */
    if (!door.is_open) return answer(sink, VARDE_OUTCOME_NOT_MET, "", window->time_us[door.last] + length_us + 1);
    too_long_us = window->time_us[door.opened] + limit_us + 1;
    gone_us = window->time_us[door.opened] + length_us + 1;
    if (window->until_us < too_long_us) return answer(sink, VARDE_OUTCOME_NOT_MET, "", too_long_us);
    report(rule, window, door.opened, sink);
    return answer(sink, VARDE_OUTCOME_MET, "", gone_us);
}

/* ---- what the file exports ------------------------------------------------------------------------------------------------ */

VARDE_RULE_NOTE(RULE_ID, RULE_VERSION, SDK);

const varde_rule_entry varde_rule_v1 = {
    .magic = VARDE_MAGIC,
    .struct_size = sizeof(varde_rule_entry),
    .abi_major = VARDE_ABI_MAJOR,
    .abi_minor_needed = VARDE_ABI_MINOR,
    .rule_id = RULE_ID,
    .version = RULE_VERSION,
    .sdk = SDK,
    .create = create,
    .evaluate = evaluate,
    .destroy = destroy,
};
