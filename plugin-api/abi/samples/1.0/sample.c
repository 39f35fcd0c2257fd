/* SAMPLE-1.0-C: touches every function and every field of varde/rule.h 1.0, its extensions aside, and says in its evidence what it
 * found there. Built once, loaded for ever: see built.txt. This source is kept for the reader; it is not built again. */
#include <stdlib.h>
#include <string.h>

#include <varde/rule.h>

static const int64_t hour_us = INT64_C(3600) * 1000000;

enum { read_window, read_day, read_night, read_latest, read_latest_before, n_reads };
static const char* const read_names[n_reads] = {"window", "day", "night", "latest", "latest_before"};

struct varde_rule {
    int64_t limit;
    int32_t door, prod, state, oslo, nowhere;
    int32_t reads[n_reads];
};

/* ---- create --------------------------------------------------------------------------------------------------------------- */

static int same(const char* text, varde_text at, const char* name) {
    return at.length == strlen(name) && memcmp(text + at.offset, name, at.length) == 0;
}

static int32_t read_params(varde_rule* self, const varde_host* host, const varde_params* params) {
    uint32_t i;
    if (params->struct_size < sizeof *params || params->nodes[0].kind != VARDE_OBJECT) return VARDE_E_RULE;
    for (i = 1; i < params->n_nodes; i = params->nodes[i].end) {
        const varde_node* node = &params->nodes[i];
        if (same(params->text, node->key, "limit") && node->kind == VARDE_INTEGER && node->integer > 0) {
            self->limit = node->integer;
        } else if (same(params->text, node->key, "share") && node->kind == VARDE_REAL && node->real == 0.5) {
            self->limit *= 2;
        } else if (same(params->text, node->key, "names") && node->kind == VARDE_LIST && node->integer == 2 &&
                   node->end == i + 3 && same(params->text, params->nodes[i + 2].text, "b")) {
            self->limit += 100;
        } else {
            static const char why[] = "is not what this sample takes";
            host->fail(host->ctx, params->text + node->key.offset, node->key.length, why, sizeof why - 1);
            return VARDE_E_PARAM;
        }
    }
    return VARDE_OK;
}

static int32_t declare_read(const varde_rule* self, const varde_host* host, uint32_t kind, uint32_t begin, uint32_t end,
                            int64_t begin_us, int32_t stream) {
    const uint32_t category = (uint32_t)self->door;
    varde_read read;
    memset(&read, 0, sizeof read);
    read.struct_size = sizeof read;
    read.kind = kind;
    read.begin_anchor = begin;
    read.end_anchor = end;
    read.begin_offset_us = begin_us;
    read.categories = &category;
    read.n_categories = 1;
    read.stream = stream;
    read.zone = self->oslo;
    read.local_pick = VARDE_DAY_CONTAINING;
    read.local_begin_us = kind == VARDE_READ_LOCAL_DAY ? 22 * hour_us : 0;
    read.local_end_us = kind == VARDE_READ_LOCAL_DAY ? 7 * hour_us : 0;
    return host->declare_read(host->ctx, &read);
}

static int32_t declare(varde_rule* self, const varde_host* host) {
    self->door = host->declare_literal(host->ctx, "door", 4);
    self->prod = host->declare_literal(host->ctx, "prod", 4);
    self->state = host->declare_key(host->ctx, "state", 5);
    self->oslo = host->declare_zone(host->ctx, "Europe/Oslo", 11, VARDE_ZONE_REQUIRED);
    self->nowhere = host->declare_zone(host->ctx, "Nowhere/City", 12, 0);
    if (host->declare_wants(host->ctx, VARDE_WANT_EVENT_ID | VARDE_WANT_PAYLOAD) < 0) return VARDE_E_RULE;
    self->reads[read_window] = declare_read(self, host, VARDE_READ_RANGE, 0, 0, 0, -1);
    self->reads[read_day] = declare_read(self, host, VARDE_READ_RANGE, VARDE_AT_UNTIL, VARDE_AT_UNTIL, -24 * hour_us, -1);
    self->reads[read_night] = declare_read(self, host, VARDE_READ_LOCAL_DAY, 0, 0, 0, -1);
    self->reads[read_latest] = declare_read(self, host, VARDE_READ_LATEST, 0, 0, 0, self->prod);
    self->reads[read_latest_before] = declare_read(self, host, VARDE_READ_LATEST_BEFORE, 0, VARDE_AT_SINCE, 0, -1);
    return self->reads[read_latest_before] < 0 ? VARDE_E_RULE : VARDE_OK;
}

static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) {
    varde_rule* self;
    int32_t status;
    if (host->struct_size < sizeof *host || host->abi_major != VARDE_ABI_MAJOR) return VARDE_E_RULE;
    if (host->query(host->ctx, "varde.no-such-extension/1") != NULL) return VARDE_E_RULE;
    self = calloc(1, sizeof *self);
    if (self == NULL) return VARDE_E_RULE;
    self->limit = 1;
    status = read_params(self, host, params);
    if (status == VARDE_OK) status = declare(self, host);
    if (status != VARDE_OK) {
        free(self);
        return status;
    }
    host->log(host->ctx, VARDE_LOG_DEBUG, "created", 7);
    *out = self;
    return VARDE_OK;
}

static void destroy(varde_rule* self) { free(self); }

/* ---- evaluate ------------------------------------------------------------------------------------------------------------- */

static varde_field blank(uint32_t kind, const char* key) {
    varde_field field;
    memset(&field, 0, sizeof field);
    field.struct_size = sizeof field;
    field.kind = kind;
    field.key = key;
    field.key_length = key == NULL ? 0 : (uint32_t)strlen(key);
    return field;
}

static void put(const varde_sink* sink, uint32_t kind, const char* key, int64_t integer) {
    varde_field field = blank(kind, key);
    field.integer = integer;
    sink->field(sink->ctx, &field);
}

static void put_text(const varde_sink* sink, const char* key, const char* area, varde_text at) {
    varde_field field = blank(VARDE_TEXT, key);
    field.text = area + at.offset;
    field.text_length = at.length;
    sink->field(sink->ctx, &field);
}

static void describe_reads(const varde_rule* self, const varde_window* window, const varde_sink* sink) {
    uint32_t i;
    put(sink, VARDE_OBJECT, "reads", 0);
    for (i = 0; i < n_reads; ++i) {
        const varde_slice* slice = &window->reads[self->reads[i]];
        uint32_t row, doors = 0;
        for (row = slice->first; row < slice->first + slice->count; ++row)
            doors += window->category[row] == window->literals[self->door];
        put(sink, VARDE_LIST, read_names[i], 0);
        if (slice->since_us != 0) put(sink, VARDE_TIME, NULL, slice->since_us);
        if (slice->until_us != 0) put(sink, VARDE_TIME, NULL, slice->until_us);
        put(sink, VARDE_INTEGER, NULL, doors);
        put(sink, VARDE_END, NULL, 0);
    }
    put(sink, VARDE_END, NULL, 0);
}

static void describe_row(const varde_rule* self, const varde_window* window, uint32_t row, const varde_sink* sink) {
    const varde_column* state = &window->keys[self->state];
    put(sink, VARDE_OBJECT, NULL, 0);
    put(sink, VARDE_EVENT, "event", row);
    put_text(sink, "id", window->row_text, window->event_id[row]);
    put_text(sink, "payload", window->row_text, window->payload[row]);
    put_text(sink, "category", window->text, window->symbols[window->category[row]]);
    put_text(sink, "room", window->text, window->symbols[window->room[row]]);
    put_text(sink, "stream", window->text, window->symbols[window->stream[row]]);
    put(sink, VARDE_INTEGER, "payload_kind", window->payload_kind[row]);
    put(sink, VARDE_INTEGER, "sequence", window->sequence[row]);
    put(sink, VARDE_INTEGER, "local_hour",
        varde_local_time_of_day_us(&window->zones[self->oslo], window->time_us[row]) / hour_us);
    put(sink, VARDE_INTEGER, "kind", state->kind[row]);
    if (state->kind[row] == VARDE_TEXT || state->kind[row] >= VARDE_LIST)
        put_text(sink, "value", window->text, window->symbols[state->value[row]]);
    else if (state->kind[row] == VARDE_REAL) {
        varde_field field = blank(VARDE_REAL, "value");
        memcpy(&field.real, &state->value[row], sizeof field.real);
        sink->field(sink->ctx, &field);
    } else
        put(sink, VARDE_INTEGER, "value", state->value[row]);
    put(sink, VARDE_END, NULL, 0);
}

static int32_t evaluate(varde_rule* self, const varde_window* window, const varde_sink* sink) {
    static const char title[] = "Sample: what 1.0 sees", explanation[] = "Every field, once.", none[] = "no door";
    const varde_slice* slice = &window->reads[self->reads[read_window]];
    varde_finding finding;
    uint32_t row;
    if (self == NULL || window->struct_size < sizeof *window || sink->struct_size < sizeof *sink) return VARDE_E_RULE;
    if (sink->query(sink->ctx, "varde.no-such-extension/1") != NULL) return VARDE_E_RULE;
    if (sink->should_stop(sink->ctx)) {
        sink->fail(sink->ctx, "too slow", 8);
        return VARDE_E_RULE;
    }
    sink->log(sink->ctx, VARDE_LOG_DEBUG, "evaluating", 10);
    if (slice->count == 0) return sink->outcome(sink->ctx, VARDE_OUTCOME_NO_DATA, none, sizeof none - 1, VARDE_NEVER);
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.severity = VARDE_CRITICAL;
    finding.title = title;
    finding.title_length = sizeof title - 1;
    finding.explanation = explanation;
    finding.explanation_length = sizeof explanation - 1;
    finding.since_us = window->since_us + 1;
    finding.until_us = window->until_us - 1;
    finding.timestamp_us = window->now_us - 2;
    if (sink->finding(sink->ctx, &finding) != VARDE_OK) return VARDE_E_RULE;
    put(sink, VARDE_INTEGER, "limit", self->limit);
    put(sink, window->zones[self->nowhere].n_transitions == 0 ? VARDE_TRUE : VARDE_FALSE, "nowhere_is_unknown", 0);
    put(sink, VARDE_NULL, "nothing", 0);
    put(sink, VARDE_TIME, "now", window->now_us);
    describe_reads(self, window, sink);
    put(sink, VARDE_LIST, "rows", 0);
    for (row = varde_lower_bound(window, slice, window->since_us); row < slice->first + slice->count; ++row)
        if (window->category[row] == window->literals[self->door]) describe_row(self, window, row, sink);
    put(sink, VARDE_END, NULL, 0);
    return sink->outcome(sink->ctx, VARDE_OUTCOME_MET, "", 0, window->until_us + hour_us);
}

VARDE_RULE_NOTE("SAMPLE-1.0-C", "1.0.0", "varde-c 1.0");

const varde_rule_entry varde_rule_v1 = {.magic = VARDE_MAGIC,
                                        .struct_size = sizeof(varde_rule_entry),
                                        .abi_major = VARDE_ABI_MAJOR,
                                        .abi_minor_needed = VARDE_ABI_MINOR,
                                        .rule_id = "SAMPLE-1.0-C",
                                        .version = "1.0.0",
                                        .sdk = "varde-c 1.0",
                                        .create = create,
                                        .evaluate = evaluate,
                                        .destroy = destroy};
