/*
 * loaded.h - the loaded objects: ranges, build ids, generations, and the table of pcs in the spool.
 *
 * Loading and unloading are noticed without wrapping dlopen: ld.so's own malloc and free pass
 * through our hooks, and an event whose caller lies in ld.so raises the generation. Knowledge of an
 * older generation is checked once more (objects.h) before it is used again.
 *
 * Any thread, any signal handler; a try-lock guards the list of modules, and whoever finds it taken
 * goes without (SPOOL_FRAME_RAW).
 */
#ifndef MPROF_LOADED_H
#define MPROF_LOADED_H

#include "cfi.h"

#include <stdint.h>

extern uint32_t loaded_generation;
extern uintptr_t loader_start, loader_end;     /* ld.so's text */
extern uintptr_t noticed_start, noticed_bytes; /* whose events may come from the loader at work */

void loaded_changed(void); /* the loader is at work: a new generation */

static inline void loaded_notice(uintptr_t caller)
{
    if (__builtin_expect(caller - noticed_start < noticed_bytes, 0))
        loaded_changed();
}

/* What ld.so allocates and frees goes past our hooks, to a malloc before ours: then it may have
 * been at work before any event. */
void loaded_notice_all(void);

/* Finds ld.so; called once at the start. */
void loaded_start(void);

/* The module that holds pc: 1, *module for the rules, and its serial in the spool (0: no place for
 * it); 0 where there is none. */
int loaded_module(uintptr_t pc, struct cfi_module *module, uint32_t *serial);

/* A new id for pc in the spool's table, committed; SPOOL_FRAME_RAW when the table is full. */
uint32_t loaded_pc_id(uintptr_t pc, uint32_t module, int exact);

void loaded_after_fork(void);

#endif
