/*
 * pages.h - a large array of which little is used: entries come in pages of 64, zeroed, made when
 * first written. So a process pays only for those of an image's stacks and functions that it
 * touches.
 *
 * The element size is given with each call, always the same for one array. A zeroed struct is
 * empty. Entries never move. One owner, one thread. Cost: one load more than an array.
 */
#ifndef MPROF_PAGES_H
#define MPROF_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define PAGES_ENTRIES 64u

struct pages {
    char **list; /* NULL: a page without entries */
    size_t count;
};

char *pages_add(struct pages *p, uint32_t i, size_t element_bytes);
/* Makes `to`, which is empty, a copy. */
void pages_copy(struct pages *to, const struct pages *from, size_t element_bytes);
void pages_clear(struct pages *p); /* releases its memory */

/* Entry i, NULL where its page was never written. */
static inline void *pages_find(const struct pages *p, uint32_t i, size_t element_bytes)
{
    size_t page = i / PAGES_ENTRIES;
    if (page >= p->count || !p->list[page])
        return NULL;
    return p->list[page] + i % PAGES_ENTRIES * element_bytes;
}

/* Entry i, made if it is not there. */
static inline void *pages_place(struct pages *p, uint32_t i, size_t element_bytes)
{
    size_t page = i / PAGES_ENTRIES;
    char *entries = page < p->count ? p->list[page] : NULL;
    if (__builtin_expect(!entries, 0))
        entries = pages_add(p, i, element_bytes);
    return entries + i % PAGES_ENTRIES * element_bytes;
}

/* Where the last page ends. */
static inline uint32_t pages_end(const struct pages *p)
{
    return (uint32_t)(p->count * PAGES_ENTRIES);
}

/* The first entry at or after i whose page exists; pages_end(p) where there is none. */
static inline uint32_t pages_next(const struct pages *p, uint32_t i)
{
    while (i < pages_end(p) && !p->list[i / PAGES_ENTRIES])
        i = (i / PAGES_ENTRIES + 1) * PAGES_ENTRIES;
    return i;
}

#endif
