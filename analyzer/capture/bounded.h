/*
 * bounded.h - a process whose lists are short enough for a summary.
 *
 * Of functions those with the highest own peaks are kept, of leaks the biggest, of samples of the
 * resident set the higher one of two neighbours, as often as it takes. The totals still count all.
 *
 * Owner: whoever opened it; the process that it was made of must outlive it. Threads: one.
 */
#ifndef MPROF_BOUNDED_H
#define MPROF_BOUNDED_H

#include "summary.h"

struct bounded {
    struct process process;
    struct function_usage *functions; /* NULL: the process's own */
    struct sample *samples;           /* the same */
};

/* At most so many entries in each list. */
void bounded_open(struct bounded *b, const struct process *process, size_t entries);
void bounded_close(struct bounded *b);

/* How many entries that leaves out. */
uint64_t bounded_left_out(const struct process *process, size_t entries);

#endif
