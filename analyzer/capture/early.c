/* early.c - releases that wait for their block, blocks that wait for their place. */
#include "early.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

void early_start(struct early *e)
{
    e->recent = xcalloc(EARLY_RECENT, sizeof *e->recent);
}

void early_clear(struct early *e)
{
    free(e->recent);
    free(e->owed);
    free(e->aside);
    memset(e, 0, sizeof *e);
}

/* ---- releases ---- */

/* Has another lane released the address just before? */
static int was_released(const struct early *e, uint64_t address, uint64_t ns,
                        const struct lane *lane)
{
    size_t known = e->next < EARLY_RECENT ? e->next : EARLY_RECENT;

    for (size_t i = 1; i <= known; i++) {
        const struct early_recent *r = &e->recent[(e->next - i) % EARLY_RECENT];
        if (ns - r->ns > EARLY_NS)
            return 0;
        if (r->address == address && r->lane != lane)
            return 1;
    }
    return 0;
}

void early_owe(struct early *e, struct owed owed, uint64_t ns)
{
    owed.until_ns = ns + EARLY_NS;
    owed.exchanged |= was_released(e, owed.address, ns, owed.lane);
    e->owed = xgrow(e->owed, &e->owed_capacity, e->owed_count + 1, sizeof *e->owed);
    e->owed[e->owed_count++] = owed;
}

static void forget_owed(struct early *e, size_t i)
{
    e->owed_count--;
    memmove(e->owed + i, e->owed + i + 1, (e->owed_count - i) * sizeof *e->owed);
}

int early_realloc_ends(struct early *e, const struct lane *lane, int failed)
{
    for (size_t i = e->owed_count; i-- > 0;)
        if (e->owed[i].lane == lane && e->owed[i].is_open) {
            e->owed[i].is_open = 0;
            if (failed)
                forget_owed(e, i);
            return 1;
        }
    return 0;
}

int early_settle(struct early *e, uint64_t address, const struct lane *lane, struct owed *owed)
{
    for (size_t i = 0; i < e->owed_count; i++)
        if (e->owed[i].address == address && (e->owed[i].lane != lane || e->owed[i].exchanged)) {
            *owed = e->owed[i];
            forget_owed(e, i);
            return 1;
        }
    return 0;
}

int early_expired_owed(struct early *e, uint64_t ns)
{
    for (size_t i = 0; i < e->owed_count; i++)
        if (e->owed[i].until_ns < ns && !e->owed[i].is_open) {
            forget_owed(e, i);
            return 1;
        }
    return 0;
}

/* ---- blocks ---- */

void early_put_aside(struct early *e, uint64_t address, uint32_t block, uint64_t ns)
{
    e->aside = xgrow(e->aside, &e->aside_capacity, e->aside_count + 1, sizeof *e->aside);
    e->aside[e->aside_count++] = (struct aside){address, ns + EARLY_NS, block};
}

static uint32_t take_aside(struct early *e, size_t i)
{
    uint32_t block = e->aside[i].block;

    e->aside_count--;
    memmove(e->aside + i, e->aside + i + 1, (e->aside_count - i) * sizeof *e->aside);
    return block;
}

uint32_t early_take_aside(struct early *e, uint64_t address)
{
    for (size_t i = 0; i < e->aside_count; i++)
        if (e->aside[i].address == address)
            return take_aside(e, i);
    return 0;
}

uint32_t early_expired_aside(struct early *e, uint64_t ns)
{
    for (size_t i = 0; i < e->aside_count; i++)
        if (e->aside[i].until_ns < ns)
            return take_aside(e, i);
    return 0;
}
