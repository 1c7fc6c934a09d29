/*
 * function_order.h - the functions of a process in the order that a user asked for.
 *
 * Keys: peak (inclusive own peak), self (self own peak), at-peak, allocations, bytes, live (all
 * inclusive), name. Largest first, names from a to z; ties go by inclusive peak, self peak and
 * name, so the order is always the same. Any thread.
 */
#ifndef MPROF_FUNCTION_ORDER_H
#define MPROF_FUNCTION_ORDER_H

#include "summary.h"

#define FUNCTION_ORDER_KEYS "peak self at-peak allocations bytes live name"

/* Those of process->functions that have allocated in the series, sorted by its figures; free() the
 * array. key must be one of the words above. */
const struct function_usage **function_order(const struct image *image,
                                             const struct process *process, enum series series,
                                             const char *key, size_t *count);

/* What follows the last slash of a path; a pointer into it. */
const char *file_of_path(const char *path);

/* Where to find a function: "file.c:12", or the module's file; free() it. */
char *function_place(const struct function *function);

#endif
