/* Searches the text of every payload: the access that costs most to hand over. */
#define _GNU_SOURCE
#define RULE_WANTS VARDE_WANT_PAYLOAD
#include "bench_rule.h"

static int32_t judge(const varde_window* window, const varde_sink* sink) {
    static const char wanted[] = "\"battery\":83";
    uint32_t count = 0;
    uint32_t row;
    for (row = 0; row < window->n_rows; ++row) {
        const varde_text* text = &window->payload[row];
        count += memmem(window->row_text + text->offset, text->length, wanted, sizeof wanted - 1) != NULL;
    }
    return answer(sink, count);
}
