/* blocks.c - naming live blocks and finding them by their names. */
#include "blocks.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

uint32_t blocks_more(struct blocks *b)
{
    if (b->count == 0)
        b->count = 1;
    if (b->count == BLOCKS_MAX)
        xalloc_too_many("blocks alive at once in a process", BLOCKS_MAX - 1);
    if (b->count >= b->capacity) { /* not xgrow: nobody needs it zeroed */
        b->capacity = b->capacity ? b->capacity * 2 : 256;
        b->list = xrealloc(b->list, b->capacity * sizeof *b->list);
        b->list[0] = (struct block){0};
    }
    b->list[b->count].younger = 0; /* no other one is vacant */
    return (uint32_t)b->count++;
}

void blocks_more_owners(struct blocks *b)
{
    b->owners = xgrow(b->owners, &b->owner_capacity, b->capacity, sizeof *b->owners);
}

void blocks_note_birth(struct blocks *b, uint32_t block)
{
    b->by_birth =
        xgrow(b->by_birth, &b->birth_capacity, (size_t)b->births + 1, sizeof *b->by_birth);
    b->by_birth[b->list[block].birth] = block;
}

void blocks_add_unknown(struct blocks *b, uint32_t class)
{
    struct block_class *c = blocks_class(b, class);
    uint32_t block = blocks_add(b, class, c, 0);

    b->list[block].number = 0;
    b->allocations--;
    c->allocations--;
}

void blocks_follow_births(struct blocks *b)
{
    b->follows_births = 1;
}

void blocks_each_class(struct blocks *b,
                       void (*visit)(void *context, uint32_t class, struct block_class *c),
                       void *context)
{
    for (uint32_t i = pages_next(&b->classes, 0); i < pages_end(&b->classes);
         i = pages_next(&b->classes, i + 1)) {
        struct block_class *c = blocks_class(b, i);
        if (c->live)
            visit(context, i, c);
    }
}

void blocks_begin_segment(struct blocks *b)
{
    b->births = b->last_birth = 0;
    for (uint32_t i = pages_next(&b->classes, 0); i < pages_end(&b->classes);
         i = pages_next(&b->classes, i + 1)) {
        struct block_class *c = blocks_class(b, i);
        c->younger = c->older = 0;
        for (uint32_t k = c->oldest; k; k = b->list[k].younger) {
            b->list[k].birth = ++b->births;
            if (b->follows_births)
                blocks_note_birth(b, k);
        }
    }
}

static uint32_t younger(const struct blocks *b, uint32_t i)
{
    return b->list[i].younger;
}

static uint32_t older(const struct blocks *b, uint32_t i)
{
    return b->list[i].older;
}

/* Goes from the place of the class's last free towards the age of the last free in any class. */
static uint32_t find_near(const struct blocks *b, const struct block_class *c)
{
    uint32_t i = c->younger ? c->younger : c->youngest;
    unsigned steps = 0;

    for (; i && b->list[i].birth < b->last_birth && steps < BLOCK_NEAR_STEPS; steps++)
        i = younger(b, i);
    for (;
         i && older(b, i) && b->list[older(b, i)].birth > b->last_birth && steps < BLOCK_NEAR_STEPS;
         steps++)
        i = older(b, i);
    return i;
}

/* How many places `block` is away from `from`, BLOCK_STEPS where that is too far. */
static unsigned count_younger(const struct blocks *b, uint32_t from, uint32_t block)
{
    unsigned steps = 0;
    while (from && from != block && ++steps < BLOCK_STEPS)
        from = younger(b, from);
    return from == block ? steps : BLOCK_STEPS;
}

static unsigned count_older(const struct blocks *b, uint32_t from, uint32_t block)
{
    unsigned steps = 0;
    while (from && from != block && ++steps < BLOCK_STEPS)
        from = older(b, from);
    return from == block ? steps : BLOCK_STEPS;
}

struct block_name blocks_name_slow(const struct blocks *b, const struct block_class *c,
                                   uint32_t block)
{
    uint32_t near;
    unsigned steps;

    if (c->youngest == block)
        return (struct block_name){BLOCK_YOUNGEST, 0};
    if (c->younger == block)
        return (struct block_name){BLOCK_YOUNGER, 0};
    if (c->older == block)
        return (struct block_name){BLOCK_OLDER, 0};
    if (c->oldest == block)
        return (struct block_name){BLOCK_OLDEST, 0};
    near = find_near(b, c);
    if (near == block)
        return (struct block_name){BLOCK_NEAR, 0};
    if (near && older(b, near) == block)
        return (struct block_name){BLOCK_NEAR_OLDER, 0};
    if ((steps = count_younger(b, c->younger, block)) < BLOCK_STEPS)
        return (struct block_name){BLOCK_YOUNGER_MORE + steps, 0};
    if ((steps = count_older(b, c->older, block)) < BLOCK_STEPS)
        return (struct block_name){BLOCK_OLDER_MORE + steps, 0};
    if ((steps = count_older(b, c->youngest, block)) < BLOCK_STEPS)
        return (struct block_name){BLOCK_YOUNGEST_MORE + steps, 0};
    return (struct block_name){BLOCK_BIRTH, b->list[block].birth};
}

static uint32_t go(const struct blocks *b, uint32_t from, unsigned steps,
                   uint32_t (*next)(const struct blocks *b, uint32_t i))
{
    for (; from && steps > 0; steps--)
        from = next(b, from);
    return from;
}

static uint32_t find_birth(const struct blocks *b, const struct block_class *c, uint32_t birth)
{
    uint32_t i = b->by_birth && birth <= b->births ? b->by_birth[birth] : 0;

    if (i == 0 || b->list[i].class == 0 || b->list[i].birth != birth)
        return 0;
    return pages_find(&b->classes, b->list[i].class, sizeof *c) == c ? i : 0;
}

uint32_t blocks_find(const struct blocks *b, const struct block_class *c, struct block_name name)
{
    uint32_t near;

    switch (name.place) {
    case BLOCK_YOUNGEST:
        return c->youngest;
    case BLOCK_YOUNGER:
        return c->younger;
    case BLOCK_OLDER:
        return c->older;
    case BLOCK_OLDEST:
        return c->oldest;
    case BLOCK_NEAR:
        return find_near(b, c);
    case BLOCK_NEAR_OLDER:
        near = find_near(b, c);
        return near ? older(b, near) : 0;
    case BLOCK_BIRTH:
        return find_birth(b, c, name.birth);
    default:
        break;
    }
    if (name.place < BLOCK_YOUNGER_MORE || name.place >= BLOCK_PLACES)
        return 0;
    if (name.place < BLOCK_OLDER_MORE)
        return go(b, c->younger, name.place - BLOCK_YOUNGER_MORE, younger);
    if (name.place < BLOCK_YOUNGEST_MORE)
        return go(b, c->older, name.place - BLOCK_OLDER_MORE, older);
    return go(b, c->youngest, name.place - BLOCK_YOUNGEST_MORE, older);
}

void blocks_clear(struct blocks *b)
{
    free(b->list);
    free(b->owners);
    free(b->by_birth);
    pages_clear(&b->classes);
    memset(b, 0, sizeof *b);
}
