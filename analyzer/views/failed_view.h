/*
 * failed_view.h - allocations that failed, as parts of report's text and JSON: the heap's, as
 * calls that map are not among them. Shows process 0 of the image. A write that fails is left to
 * the stream's error flag. Any thread.
 */
#ifndef MPROF_FAILED_VIEW_H
#define MPROF_FAILED_VIEW_H

#include "json.h"
#include "summary.h"

#include <stdio.h>

/* A line of the totals, and the stacks, those that asked for most first; nothing where none failed.
 */
void failed_text_line(const struct image *image, FILE *out);
void failed_text(const struct image *image, FILE *out);

/* The array "failed", of all stacks. */
void failed_json(struct json *j, const struct image *image);

#endif
