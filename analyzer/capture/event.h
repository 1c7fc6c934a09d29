/*
 * event.h - what happened, in order: the events that the collector derives from a spool and that a
 * capture stores. Each names a class, the pair (stack, size); the stack tree and the classes belong
 * to the image.
 */
#ifndef MPROF_EVENT_H
#define MPROF_EVENT_H

#include "blocks.h"

#include <stdint.h>

enum event_kind {
    EVENT_ALLOC,          /* a block of class `class` */
    EVENT_FREE,           /* of a block of class `class` */
    EVENT_FREE_TEMPORARY, /* the same, and its allocation was the thread's previous heap event */
    EVENT_REALLOC_FREE, /* the releasing half of a realloc: an EVENT_ALLOC of this thread follows at
                           once as the next event, or nothing where realloc(p, 0) freed */
    EVENT_FREE_IMPLIED, /* an allocation came at an address still live: not counted as a free */
    EVENT_FREE_INHERITED, /* of a block older than the process; class: that of the parent's
                             allocation */
    EVENT_FREE_UNMATCHED, /* class 0 */
    EVENT_MAP,            /* a mapping; the class's size is its length */
    EVENT_UNMAP,          /* `bytes` of a mapping of class `class` */
};

struct event {
    enum event_kind kind;
    uint32_t thread; /* serial within the process */
    uint32_t class;
    uint64_t ns;    /* since the image's start, never falling within a process */
    uint64_t bytes; /* EVENT_UNMAP: how much was unmapped; else the class's size */
    /* The block, as the number of its allocation in the process: from 1, in the order of events. 0
     * where it is not the process's own, where it was allocated before the place from which a
     * capture is read, and where the capture does not say. */
    uint64_t block;
    uint32_t owner; /* of a freed block, where `block` is known: serial of the thread that allocated
                       it */
    struct block_name name; /* for the writer: the freed block's */
};

/* Does an event of this kind free a block of the process's own? */
static inline int event_frees(enum event_kind kind)
{
    return kind >= EVENT_FREE && kind <= EVENT_FREE_IMPLIED;
}

static inline int event_maps(enum event_kind kind)
{
    return kind == EVENT_MAP || kind == EVENT_UNMAP;
}

/* What a class is. Class 0 is no class. */
struct event_class {
    uint32_t stack;
    uint64_t size;
};

#endif
