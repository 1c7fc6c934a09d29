/*
 * loaded.h - the loaded objects: ranges, build ids, generations, and the table of pcs in the spool.
 *
 * Loading and unloading are noticed without wrapping dlopen: ld.so's own malloc and free pass
 * through our hooks, and an event whose caller lies in ld.so raises the generation. What was learnt
 * in an older generation is checked once more (objects.h) before it is used again.
 *
 * Any thread, any signal handler. A try-lock keeps threads from registering an object twice;
 * whoever cannot have it registers the object all the same (loaded.c).
 */
#ifndef MPROF_LOADED_H
#define MPROF_LOADED_H

#include "cfi.h"
#include "own.h"

#include <stdint.h>

extern OWN uint32_t loaded_generation;
extern OWN uintptr_t loader_start, loader_end;     /* ld.so's text */
extern OWN uintptr_t noticed_start, noticed_bytes; /* callers that may be the loader at work */

extern OWN uintptr_t allocator_start, allocator_bytes; /* the object whose malloc is behind ours */

void loaded_changed(void); /* the loader is at work: begins a new generation */

/* Does a call from here mean that the loader is at work? */
static inline int loaded_would_notice(uintptr_t caller)
{
    return __builtin_expect(caller - noticed_start < noticed_bytes, 0);
}

static inline void loaded_notice(uintptr_t caller)
{
    if (loaded_would_notice(caller))
        loaded_changed();
}

/* ld.so's own malloc and free go to a malloc before ours, past our hooks: any event may then mean
 * that the loader has been at work. */
void loaded_notice_all(void);

/* Finds ld.so. Call once, at the start. */
void loaded_start(void);

/* Finds the object that this function, the malloc behind ours, lies in. The C library is none: its
 * malloc's own mappings do not come by our hooks, and it calls what the program has given it, which
 * may end in a jump to one of them. */
void loaded_find_allocator(uintptr_t function);

/* Is the caller part of the allocator? What it maps is made of blocks, and they are recorded. */
static inline int loaded_is_allocator(uintptr_t caller)
{
    return __builtin_expect(caller - allocator_start < allocator_bytes, 0);
}

/* Finds the module that holds pc: returns 1 and sets *module, for the rules, and *serial, its
 * serial in the spool (0: no place for it); returns 0 where there is none. */
int loaded_module(uintptr_t pc, struct cfi_module *module, uint32_t *serial);

/* Gives pc a new id in the spool's table and commits it; SPOOL_FRAME_RAW when the table is full. */
uint32_t loaded_pc_id(uintptr_t pc, uint32_t module, int exact);

void loaded_after_fork(void);

#endif
