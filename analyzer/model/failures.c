/* failures.c - see failures.h. */
#include "failures.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void join(struct failure *to, const struct failure *more)
{
    to->count += more->count;
    to->bytes = sum_of(to->bytes, more->bytes);
    if (more->largest_bytes > to->largest_bytes)
        to->largest_bytes = more->largest_bytes;
    if (more->first_ns < to->first_ns)
        to->first_ns = more->first_ns;
    if (more->last_ns > to->last_ns)
        to->last_ns = more->last_ns;
}

void failures_add(struct failures *f, const struct failure *more)
{
    uint64_t *number = intmap_place(&f->numbers, more->stack);

    if (*number) {
        join(&f->list[*number - 1], more);
        return;
    }
    f->list = xgrow(f->list, &f->capacity, f->count + 1, sizeof *f->list);
    f->list[f->count] = *more;
    *number = ++f->count;
}

static int biggest_first(const void *a, const void *b)
{
    const struct failure *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->stack > y->stack) - (x->stack < y->stack);
}

void failures_fill(const struct failures *f, struct arena *memory, struct process *process)
{
    size_t bytes = f->count * sizeof *f->list;

    process->failures = arena_take(memory, bytes + sizeof *f->list);
    process->failure_count = f->count;
    if (f->count == 0)
        return;
    memcpy(process->failures, f->list, bytes);
    qsort(process->failures, f->count, sizeof *f->list, biggest_first);
}

void failures_clear(struct failures *f)
{
    intmap_clear(&f->numbers);
    free(f->list);
    memset(f, 0, sizeof *f);
}
