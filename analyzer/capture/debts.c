/* debts.c - frees that wait for their block. */
#include "debts.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

void debts_start(struct debts *d)
{
    d->recent = xcalloc(DEBTS_RECENT, sizeof *d->recent);
}

int debts_owe(struct debts *d, uint64_t address, uint64_t ns, uint32_t who)
{
    const struct recent_free *r = d->recent ? &d->recent[address / 16 % DEBTS_RECENT] : NULL;

    if (!r || r->address != address || r->who == who || ns - r->ns > DEBTS_WINDOW_NS)
        return 0;
    d->list = xgrow(d->list, &d->capacity, d->count + 1, sizeof *d->list);
    d->list[d->count++] = (struct debt){address, ns + DEBTS_WINDOW_NS};
    return 1;
}

int debts_settle(struct debts *d, uint64_t address)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->list[i].address == address) {
            d->list[i] = d->list[--d->count];
            return 1;
        }
    return 0;
}

size_t debts_expired(struct debts *d, uint64_t ns)
{
    size_t before = d->count;

    for (size_t i = 0; i < d->count;)
        if (d->list[i].until_ns < ns)
            d->list[i] = d->list[--d->count];
        else
            i++;
    return before - d->count;
}

void debts_clear(struct debts *d)
{
    free(d->recent);
    free(d->list);
    memset(d, 0, sizeof *d);
}
