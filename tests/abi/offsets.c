/* Prints size and offset of every field of varde/rule.h, to be compared with plugin-api/abi/offsets.txt. Fails if a struct has a
 * hole that is no named padding, which is also how a field that is missing in this table is found. */
#include <stddef.h>
#include <stdio.h>

#include <varde/rule.h>

static int holes = 0;
static const char* name = "";
static size_t end = 0;

static void begin(const char* type, size_t size) {
    name = type;
    end = 0;
    printf("%s %lu\n", type, (unsigned long)size);
}

static void field(const char* member, size_t offset, size_t size) {
    printf("    %s.%s %lu %lu\n", name, member, (unsigned long)offset, (unsigned long)size);
    if (offset != end) {
        fprintf(stderr, "%s.%s starts at %lu, the field before ends at %lu\n", name, member, (unsigned long)offset,
                (unsigned long)end);
        ++holes;
    }
    end = offset + size;
}

static void finish(size_t size) {
    if (end == size) return;
    fprintf(stderr, "%s ends at %lu, its last field at %lu\n", name, (unsigned long)size, (unsigned long)end);
    ++holes;
}

#define BEGIN(type) begin(#type, sizeof(type))
#define FIELD(type, member) field(#member, offsetof(type, member), sizeof(((type*)0)->member))
#define END(type) finish(sizeof(type))

int main(void) {
    printf("varde_symbol %lu\n", (unsigned long)sizeof(varde_symbol));
    BEGIN(varde_text);
    FIELD(varde_text, offset);
    FIELD(varde_text, length);
    END(varde_text);
    BEGIN(varde_column);
    FIELD(varde_column, kind);
    FIELD(varde_column, value);
    END(varde_column);
    BEGIN(varde_node);
    FIELD(varde_node, kind);
    FIELD(varde_node, end);
    FIELD(varde_node, key);
    FIELD(varde_node, text);
    FIELD(varde_node, integer);
    FIELD(varde_node, real);
    END(varde_node);
    BEGIN(varde_params);
    FIELD(varde_params, struct_size);
    FIELD(varde_params, n_nodes);
    FIELD(varde_params, nodes);
    FIELD(varde_params, text);
    FIELD(varde_params, reserved);
    END(varde_params);
    BEGIN(varde_read);
    FIELD(varde_read, struct_size);
    FIELD(varde_read, kind);
    FIELD(varde_read, begin_anchor);
    FIELD(varde_read, end_anchor);
    FIELD(varde_read, begin_offset_us);
    FIELD(varde_read, end_offset_us);
    FIELD(varde_read, categories);
    FIELD(varde_read, n_categories);
    FIELD(varde_read, stream);
    FIELD(varde_read, zone);
    FIELD(varde_read, local_pick);
    FIELD(varde_read, local_begin_us);
    FIELD(varde_read, local_end_us);
    FIELD(varde_read, reserved);
    END(varde_read);
    BEGIN(varde_slice);
    FIELD(varde_slice, since_us);
    FIELD(varde_slice, until_us);
    FIELD(varde_slice, first);
    FIELD(varde_slice, count);
    END(varde_slice);
    BEGIN(varde_transition);
    FIELD(varde_transition, at_us);
    FIELD(varde_transition, offset_s);
    FIELD(varde_transition, reserved);
    END(varde_transition);
    BEGIN(varde_zone);
    FIELD(varde_zone, transitions);
    FIELD(varde_zone, n_transitions);
    FIELD(varde_zone, reserved);
    END(varde_zone);
    BEGIN(varde_window);
    FIELD(varde_window, struct_size);
    FIELD(varde_window, n_rows);
    FIELD(varde_window, since_us);
    FIELD(varde_window, until_us);
    FIELD(varde_window, now_us);
    FIELD(varde_window, time_us);
    FIELD(varde_window, sequence);
    FIELD(varde_window, category);
    FIELD(varde_window, room);
    FIELD(varde_window, stream);
    FIELD(varde_window, payload_kind);
    FIELD(varde_window, keys);
    FIELD(varde_window, reads);
    FIELD(varde_window, literals);
    FIELD(varde_window, zones);
    FIELD(varde_window, symbols);
    FIELD(varde_window, text);
    FIELD(varde_window, event_id);
    FIELD(varde_window, payload);
    FIELD(varde_window, row_text);
    FIELD(varde_window, n_keys);
    FIELD(varde_window, n_reads);
    FIELD(varde_window, n_literals);
    FIELD(varde_window, n_zones);
    FIELD(varde_window, n_symbols);
    FIELD(varde_window, padding);
    FIELD(varde_window, reserved);
    END(varde_window);
    BEGIN(varde_host);
    FIELD(varde_host, struct_size);
    FIELD(varde_host, abi_major);
    FIELD(varde_host, abi_minor);
    FIELD(varde_host, ctx);
    FIELD(varde_host, declare_key);
    FIELD(varde_host, declare_literal);
    FIELD(varde_host, declare_zone);
    FIELD(varde_host, declare_read);
    FIELD(varde_host, declare_wants);
    FIELD(varde_host, fail);
    FIELD(varde_host, log);
    FIELD(varde_host, query);
    FIELD(varde_host, reserved);
    END(varde_host);
    BEGIN(varde_finding);
    FIELD(varde_finding, struct_size);
    FIELD(varde_finding, severity);
    FIELD(varde_finding, title);
    FIELD(varde_finding, title_length);
    FIELD(varde_finding, explanation_length);
    FIELD(varde_finding, explanation);
    FIELD(varde_finding, since_us);
    FIELD(varde_finding, until_us);
    FIELD(varde_finding, timestamp_us);
    FIELD(varde_finding, reserved);
    END(varde_finding);
    BEGIN(varde_field);
    FIELD(varde_field, struct_size);
    FIELD(varde_field, kind);
    FIELD(varde_field, key);
    FIELD(varde_field, key_length);
    FIELD(varde_field, text_length);
    FIELD(varde_field, text);
    FIELD(varde_field, integer);
    FIELD(varde_field, real);
    FIELD(varde_field, reserved);
    END(varde_field);
    BEGIN(varde_sink);
    FIELD(varde_sink, struct_size);
    FIELD(varde_sink, padding);
    FIELD(varde_sink, ctx);
    FIELD(varde_sink, outcome);
    FIELD(varde_sink, finding);
    FIELD(varde_sink, field);
    FIELD(varde_sink, fail);
    FIELD(varde_sink, log);
    FIELD(varde_sink, should_stop);
    FIELD(varde_sink, query);
    FIELD(varde_sink, reserved);
    END(varde_sink);
    BEGIN(varde_state_1);
    FIELD(varde_state_1, struct_size);
    FIELD(varde_state_1, padding);
    FIELD(varde_state_1, get);
    FIELD(varde_state_1, put);
    FIELD(varde_state_1, reserved);
    END(varde_state_1);
    BEGIN(varde_explain_1);
    FIELD(varde_explain_1, struct_size);
    FIELD(varde_explain_1, padding);
    FIELD(varde_explain_1, step);
    FIELD(varde_explain_1, reserved);
    END(varde_explain_1);
    BEGIN(varde_selftest_1);
    FIELD(varde_selftest_1, struct_size);
    FIELD(varde_selftest_1, padding);
    FIELD(varde_selftest_1, run);
    FIELD(varde_selftest_1, reserved);
    END(varde_selftest_1);
    BEGIN(varde_rule_entry);
    FIELD(varde_rule_entry, magic);
    FIELD(varde_rule_entry, struct_size);
    FIELD(varde_rule_entry, abi_major);
    FIELD(varde_rule_entry, abi_minor_needed);
    FIELD(varde_rule_entry, flags);
    FIELD(varde_rule_entry, reserved0);
    FIELD(varde_rule_entry, rule_id);
    FIELD(varde_rule_entry, version);
    FIELD(varde_rule_entry, sdk);
    FIELD(varde_rule_entry, create);
    FIELD(varde_rule_entry, evaluate);
    FIELD(varde_rule_entry, destroy);
    FIELD(varde_rule_entry, query);
    FIELD(varde_rule_entry, reserved);
    END(varde_rule_entry);
    BEGIN(varde_note);
    FIELD(varde_note, name_size);
    FIELD(varde_note, desc_size);
    FIELD(varde_note, type);
    FIELD(varde_note, name);
    FIELD(varde_note, abi_major);
    FIELD(varde_note, abi_minor_needed);
    FIELD(varde_note, rule_id);
    FIELD(varde_note, version);
    FIELD(varde_note, sdk);
    END(varde_note);
    return holes != 0;
}
