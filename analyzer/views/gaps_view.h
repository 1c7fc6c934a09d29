/*
 * gaps_view.h - of which modules names or debug information is missing, and why.
 */
#ifndef MPROF_GAPS_VIEW_H
#define MPROF_GAPS_VIEW_H

#include "json.h"
#include "summary.h"

#include <stdio.h>

/* A line each, of the first ones; nothing where there are none. */
void gaps_text(const struct image *image, FILE *out);

/* "modules": [{"module", "missing", "reason"}] */
void gaps_json(struct json *j, const struct image *image);

#endif
