/*
 * arena.h - memory for the recorder's own work: for what is wanted before there is a malloc, and
 * for what dlopen and libunwind allocate on our behalf. Blocks are never given back and their
 * addresses are recognised for ever, so no allocation or free of ours is ever half recorded.
 *
 * Any thread, any signal handler; lock-free.
 */
#ifndef MPROF_ARENA_H
#define MPROF_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_SLAB  (1u << 20) /* address space that even a program with limits can spare */
#define ARENA_SLABS 256

extern uintptr_t arena_slabs[ARENA_SLABS]; /* 0: not there yet; filled in order */

/* Zeroed memory, or NULL when all slabs are full. alignment: a power of two. */
void *arena_alloc(size_t alignment, size_t bytes);
size_t arena_size(const void *block);
int arena_owns_slow(const void *p);

/* One comparison while there is only one slab, as nearly always. */
static inline int arena_owns(const void *p)
{
    if ((uintptr_t)p - arena_slabs[0] < ARENA_SLAB)
        return arena_slabs[0] != 0;
    return __builtin_expect(arena_slabs[1] != 0, 0) && arena_owns_slow(p);
}

#endif
