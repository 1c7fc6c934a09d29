/* drops.c - see drops.h. */
#include "drops.h"

#include <string.h>

static void forget_oldest(struct drops *d)
{
    size_t parts = d->calls[1].first;

    d->parts.count -= parts;
    memmove(d->parts.list, d->parts.list + parts, d->parts.count * sizeof *d->parts.list);
    d->count--;
    memmove(d->calls, d->calls + 1, d->count * sizeof *d->calls);
    for (unsigned i = 0; i < d->count; i++)
        d->calls[i].first -= parts;
}

void drops_begin(struct drops *d, const struct range *range)
{
    if (d->count == DROPS_MAX)
        forget_oldest(d);
    d->calls[d->count++] = (struct drop){range->begin, range->end, d->parts.count};
}

const struct drop *drops_last(const struct drops *d, struct range_list *parts)
{
    const struct drop *last = d->count ? &d->calls[d->count - 1] : NULL;

    *parts = (struct range_list){0};
    if (last && last->first < d->parts.count) {
        parts->list = d->parts.list + last->first;
        parts->count = d->parts.count - last->first;
    }
    return last;
}

void drops_end(struct drops *d)
{
    if (d->count)
        d->parts.count = d->calls[--d->count].first;
}

void drops_forget(struct drops *d)
{
    d->count = 0;
    d->parts.count = 0;
}

void drops_clear(struct drops *d)
{
    range_list_clear(&d->parts);
    d->count = 0;
}
