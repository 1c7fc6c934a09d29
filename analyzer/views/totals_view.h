/*
 * totals_view.h - a process's totals, as a part of report's text. A write that fails is left to the
 * stream's error flag. Any thread.
 */
#ifndef MPROF_TOTALS_VIEW_H
#define MPROF_TOTALS_VIEW_H

#include "summary.h"
#include <stdio.h>

/* Peak, live at the end, what was allocated: of the series; of memory with its two parts, or, in an
 * older capture, the heap and how much was mapped. together: it sums several processes. */
void totals_text(const struct process *process, enum series series, int together, FILE *out);

/* After what was live at the end of several processes, which may be more than they ever held at
 * once. */
#define TOTALS_OWN_ENDS ", at each one's own end"

/* Where the file has lost its end, which figures these are: "missing: ..", "of the events up to
 * .."; NULL where they are whole. */
#define TOTALS_LEFT 96
const char *totals_left(const struct process *process, char text[TOTALS_LEFT]);

/* The parts of some memory, without what is 0: "96.00 MiB heap + 200.00 MiB mapped", "200.00 MiB
 * mapped"; "" where all of it is heap, as where nothing was ever mapped. */
#define TOTALS_PARTS 96
char *totals_parts(char text[TOTALS_PARTS], uint64_t memory_bytes, uint64_t mapped_bytes);

#endif
