/*
 * given.h - reading what the program gave to a hook, before the kernel has looked at it.
 *
 * It may be no memory at all: then the kernel answers EFAULT, and the program shall hear of that.
 * So each page is asked for before it is read (sys.h). Only what another thread unmaps in that very
 * moment is not noticed.
 */
#ifndef MPROF_GIVEN_H
#define MPROF_GIVEN_H

#include "sys.h"

#include <stddef.h>
#include <stdint.h>

/* The page that was asked for last: texts and arrays mostly lie beside each other. */
struct given {
    uintptr_t page;
};
#define GIVEN_NOTHING ((struct given){UINTPTR_MAX})

/* Can `bytes` at p be read, 1 to SYS_PAGE of them? */
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

/* Bytes of the text, `most` where it is longer; GIVEN_REFUSED where it cannot be read. */
#define GIVEN_REFUSED SIZE_MAX
size_t given_length(struct given *g, const char *text, size_t most);

/* 1 if the text begins so; 0 also where it cannot be read. */
int given_begins(struct given *g, const char *text, const char *with);

#endif
