/* The cheapest useful rule: counts the rows whose key column equals a literal. */
#include "bench_rule.h"

static int32_t judge(const varde_window* window, const varde_sink* sink) {
    const uint8_t* kind = window->keys[0].kind;
    const int64_t* value = window->keys[0].value;
    const int64_t wanted = window->literals[0];
    uint32_t count = 0;
    uint32_t row;
    for (row = 0; row < window->n_rows; ++row) count += kind[row] == VARDE_TEXT && value[row] == wanted;
    return answer(sink, count);
}
