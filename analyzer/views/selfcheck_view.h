/*
 * selfcheck_view.h - what MPROF_SELFCHECK found, in a report: how many stacks were compared with
 * libunwind's, and those that differ, ours and libunwind's one after the other. Nothing is written
 * where nothing was compared, but for JSON's empty array.
 */
#ifndef MPROF_SELFCHECK_VIEW_H
#define MPROF_SELFCHECK_VIEW_H

#include "json.h"
#include "summary.h"

/* A line for print_totals: of all processes of the image. */
void selfcheck_text_line(const struct image *image, FILE *out);
void selfcheck_text(const struct image *image, FILE *out);
void selfcheck_json(struct json *j, const struct process *process);

#endif
