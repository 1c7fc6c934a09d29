/*
 * leaks_view.h - what was live when process 0 of an image ended, by stack, as text and as JSON.
 *
 * Biggest first. Blocks that were live when the process exec'd are no leaks, and the text says so.
 * The keys of the JSON are documented in mprof-c(1). A failed write is left to the stream's error
 * flag.
 */
#ifndef MPROF_LEAKS_VIEW_H
#define MPROF_LEAKS_VIEW_H

#include "addresses_view.h"
#include "family.h"
#include "json.h"
#include <stdio.h>

#define LEAKS_STACKS 20

/* series: blocks, pieces of mapped memory, or both; JSON has both. is_sum: the image sums several
 * processes, each as it was at its own end. count: stacks to show; -1: the
 * text shows LEAKS_STACKS, JSON all. note: see report_text_head. addresses: also print where each
 * frame lies (addresses_view.h). together: the family whose figures the image sums; NULL: it is one
 * process's. */
void leaks_text(const struct image *image, enum series series, int is_sum, const char *note,
                long count, int addresses, FILE *out);
void leaks_json(const struct image *image, const struct family *together, long count, FILE *out);

/* Pieces that other views share: a stack, innermost frame first, a line each; the array "stack". */
void leaks_text_stack(const struct image *image, uint32_t stack, const struct addresses *addresses);
void leaks_json_stack(struct json *j, const struct image *image, uint32_t stack);

#endif
