/* Looks at nothing: what is left is the call. */
#include "bench_rule.h"

static int32_t judge(const varde_window* window, const varde_sink* sink) { return answer(sink, window->n_rows); }
