/*
 * nameless_view.h - which modules lack names that debug symbols would bring, and where these are to
 * be had. A write that fails is left to the stream's error flag. Any thread.
 */
#ifndef MPROF_NAMELESS_VIEW_H
#define MPROF_NAMELESS_VIEW_H

#include "summary.h"

#include <stdio.h>

#define NAMELESS_SHOWN 4

struct nameless {
    const struct object *object;
    size_t functions; /* of process 0, in the series, without a name */
    char *package;    /* Debian's, which has the object; NULL unknown */
};

/* Fills the list with the modules that most functions without a name lie in, of those that have
 * allocated in the series. Modules of which gaps_text gives another reason are left out. Returns
 * how many modules there are; the list ends after NAMELESS_SHOWN. Captures of version 1 do not know
 * their modules' build ids: 0. */
size_t nameless_find(const struct image *image, enum series series,
                     struct nameless list[NAMELESS_SHOWN]);

/* Nothing where count, the result of nameless_find, is 0. */
void nameless_text(const struct nameless *list, size_t count, FILE *out);

#endif
