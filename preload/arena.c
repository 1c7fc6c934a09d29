/* arena.c - slabs carved by an atomic add; a block's size is in the word before it. */
#include "arena.h"
#include "sys.h"

uintptr_t arena_slabs[ARENA_SLABS];
static uint64_t used[ARENA_SLABS];

/* The slab, mapped on first use; the loser of a race unmaps its own. */
static uintptr_t slab(unsigned i)
{
    uintptr_t base = __atomic_load_n(&arena_slabs[i], __ATOMIC_ACQUIRE);
    if (base)
        return base;
    void *fresh = sys_pages(ARENA_SLAB);
    if (!fresh)
        return 0;
    if (__atomic_compare_exchange_n(&arena_slabs[i], &base, (uintptr_t)fresh, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return (uintptr_t)fresh;
    sys_unmap(fresh, ARENA_SLAB);
    return base;
}

void *arena_alloc(size_t alignment, size_t bytes)
{
    if (alignment < 16)
        alignment = 16;
    if (bytes > ARENA_SLAB / 2 || alignment > 65536)
        return NULL;
    uint64_t need = (16 + alignment + bytes + 15) & ~15ull;
    for (unsigned i = 0; i < ARENA_SLABS; i++) {
        uintptr_t base = slab(i);
        if (!base)
            return NULL;
        uint64_t at = __atomic_fetch_add(&used[i], need, __ATOMIC_RELAXED);
        if (at + need <= ARENA_SLAB) {
            uintptr_t p = (base + at + 16 + alignment - 1) & ~(alignment - 1);
            ((size_t *)p)[-1] = bytes;
            return (void *)p;
        }
    }
    return NULL;
}

size_t arena_size(const void *block)
{
    return ((const size_t *)block)[-1];
}

int arena_owns_slow(const void *p)
{
    for (unsigned i = 0; i < ARENA_SLABS && arena_slabs[i]; i++)
        if ((uintptr_t)p - arena_slabs[i] < ARENA_SLAB)
            return 1;
    return 0;
}
