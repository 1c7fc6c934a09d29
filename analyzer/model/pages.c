/* pages.c - pages of a sparse array. */
#include "pages.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

char *pages_add(struct pages *p, uint32_t i, size_t element_bytes)
{
    size_t page = i / PAGES_ENTRIES;

    if (page >= p->count)
        p->list = xgrow(p->list, &p->count, page + 1, sizeof *p->list);
    /* Aligned so that an entry of 64 bytes is one cache line. Any size times 64 is a multiple
     * of 64. */
    p->list[page] = xaligned(64, PAGES_ENTRIES * element_bytes);
    memset(p->list[page], 0, PAGES_ENTRIES * element_bytes);
    return p->list[page];
}

void pages_copy(struct pages *to, const struct pages *from, size_t element_bytes)
{
    for (uint32_t i = pages_next(from, 0); i < pages_end(from);
         i = pages_next(from, i + PAGES_ENTRIES))
        memcpy(pages_add(to, i, element_bytes), from->list[i / PAGES_ENTRIES],
               PAGES_ENTRIES * element_bytes);
}

void pages_clear(struct pages *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->list[i]);
    free(p->list);
    memset(p, 0, sizeof *p);
}
