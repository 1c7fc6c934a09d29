/*
 * bounded.h - a process whose lists are short enough for a summary.
 *
 * Keeps the functions with the highest own peaks (of all memory), the biggest leaks, and the higher
 * one of each two neighbouring samples of the resident set, as often as it takes. The totals still
 * count all.
 *
 * Owner: whoever opened it; the process it was made from must outlive it. Threads: one.
 */
#ifndef MPROF_BOUNDED_H
#define MPROF_BOUNDED_H

#include "summary.h"

struct bounded {
    struct process process;
    struct function_usage *functions; /* NULL: the process's own */
    struct sample *samples;           /* the same */
};

/* Keeps at most `entries` in each list, and half as many where the process has mapped something.
 * Failures are not its business: they are in no summary. */
void bounded_open(struct bounded *b, const struct process *process, size_t entries);
void bounded_close(struct bounded *b);

/* How many entries that leaves out; failures beyond `entries` count, too. */
uint64_t bounded_left_out(const struct process *process, size_t entries);

#endif
