/*
 * selfcheck_view.h - what MPROF_SELFCHECK found, in a report: how many stacks were compared with
 * libunwind's, and those that differ, ours and libunwind's one after the other. If nothing was
 * compared, nothing is written except JSON's empty array.
 */
#ifndef MPROF_SELFCHECK_VIEW_H
#define MPROF_SELFCHECK_VIEW_H

#include "json.h"
#include "summary.h"

/* A line for the report's totals, of all processes of the image. */
void selfcheck_text_line(const struct image *image, FILE *out);
void selfcheck_text(const struct image *image, FILE *out);
void selfcheck_json(struct json *j, const struct process *process);

#endif
