/*
 * given.h - reads what the program has passed to a hook, before the kernel has looked at it.
 *
 * It may be no memory at all: then the kernel answers EFAULT, and the program must get that answer.
 * So each page is asked for before it is read (sys.h). Only what another thread unmaps at that very
 * moment goes unnoticed. Any thread; no allocation, no errno.
 */
#ifndef MPROF_GIVEN_H
#define MPROF_GIVEN_H

#include "sys.h"

#include <stddef.h>
#include <stdint.h>

/* The page that was asked for last: texts and arrays mostly lie next to each other. */
struct given {
    uintptr_t page;
};
#define GIVEN_NOTHING ((struct given){UINTPTR_MAX})

/* Can `bytes` (1 to SYS_PAGE) at p be read? */
static inline int given_is_there(struct given *g, const void *p, size_t bytes)
{
    uintptr_t first = (uintptr_t)p / SYS_PAGE, last = ((uintptr_t)p + bytes - 1) / SYS_PAGE;
    if (first == g->page && last == g->page)
        return 1;
    g->page = UINTPTR_MAX;
    if (!sys_all_readable(p, bytes))
        return 0;
    g->page = last;
    return 1;
}

/* Length of the text, or `most` where it is longer; GIVEN_REFUSED where it cannot be read. */
#define GIVEN_REFUSED SIZE_MAX
size_t given_length(struct given *g, const char *text, size_t most);

/* 1 if the text begins with `with`; 0 also where it cannot be read. */
int given_begins(struct given *g, const char *text, const char *with);

#endif
