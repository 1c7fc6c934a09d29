/*
 * gaps_view.h - which modules lack names or debug information, and why. A write that fails is left
 * to the stream's error flag. Any thread.
 */
#ifndef MPROF_GAPS_VIEW_H
#define MPROF_GAPS_VIEW_H

#include "json.h"
#include "summary.h"

#include <stdio.h>

/* One line for each of the first modules; nothing if there are none. */
void gaps_text(const struct image *image, FILE *out);

/* "modules": [{"module", "missing", "reason"}] */
void gaps_json(struct json *j, const struct image *image);

#endif
