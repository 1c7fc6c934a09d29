/*
 * threads_view.h - what each thread allocated, as a part of report's text and JSON. A write that
 * fails is left to the stream's error flag. Any thread.
 */
#ifndef MPROF_THREADS_VIEW_H
#define MPROF_THREADS_VIEW_H

#include "json.h"
#include "summary.h"

/* A table, the highest own peak of the series first; nothing if there is only one thread. Of mapped
 * memory it has the threads that mapped some; of memory, below such a thread, the two parts. */
void threads_text(const struct process *process, enum series series, FILE *out);

/* The array "threads", by serial. */
void threads_json(struct json *j, const struct process *process);

#endif
