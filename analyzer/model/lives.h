/*
 * lives.h - the images that one process had one after the other, each become by exec.
 *
 * Of a family whose starters are found. Owns nothing, single-threaded.
 */
#ifndef MPROF_LIVES_H
#define MPROF_LIVES_H

#include "family.h"

/* Which image the process had before this one; KIN_NONE: it is the first that is known. */
size_t lives_before(const struct family *family, size_t i);

/* The earlier image of the process that held most of the series at its peak, if that is more than
 * `i` held; KIN_NONE: none is known to have done so. */
size_t lives_bigger_before(const struct family *family, size_t i, enum series series);

#endif
