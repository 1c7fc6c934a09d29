/*
 * classes.h - the classes of blocks, each a pair (stack, size), numbered from 1. Class 0 is no
 * class. The array is what the writer and the events refer to. One owner, one thread.
 */
#ifndef MPROF_CLASSES_H
#define MPROF_CLASSES_H

#include "event.h"
#include "intmap.h"

#include <stddef.h>

struct classes {
    struct event_class *list;
    size_t count, capacity;
    size_t most;       /* beyond it, new ones have no stack and few sizes */
    uint64_t left_out; /* how often that happened */
    uint32_t *latest;  /* by stack: the class used last; most stacks have one size at a time */
    size_t latest_capacity;
    struct intmap numbers;    /* stack << 32 | size number -> class */
    struct intmap long_sizes; /* sizes of 2 GiB and more -> 1 << 31 | their number */
};

void classes_init(struct classes *classes);
void classes_clear(struct classes *classes);
uint32_t classes_find_slow(struct classes *classes, uint32_t stack, uint64_t size);

static inline uint32_t classes_find(struct classes *classes, uint32_t stack, uint64_t size)
{
    uint32_t latest = stack < classes->latest_capacity ? classes->latest[stack] : 0;
    if (__builtin_expect(latest && classes->list[latest].size == size, 1))
        return latest;
    return classes_find_slow(classes, stack, size);
}

#endif
