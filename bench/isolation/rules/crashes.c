/* Crashes at every odd microsecond, so that the same window can be judged with and without a crash. */
#include "bench_rule.h"

static int32_t judge(const varde_window* window, const varde_sink* sink) {
    volatile int* volatile nowhere = NULL;
    if (window->now_us % 2 != 0) *nowhere = 1;
    return answer(sink, window->n_rows);
}
