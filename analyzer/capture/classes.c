/* classes.c - numbering pairs of stack and size. */
#include "classes.h"
#include "capture_format.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define LONG_SIZE     (1u << 31)
#define ROUNDED_SIZES (1u << 13)

static uint32_t add_class(struct classes *c, uint32_t stack, uint64_t size)
{
    c->list = xgrow(c->list, &c->capacity, c->count + 1, sizeof *c->list);
    c->list[c->count] = (struct event_class){stack, size};
    return (uint32_t)c->count++;
}

void classes_init(struct classes *c)
{
    memset(c, 0, sizeof *c);
    c->most = CAPTURE_CLASS_MAX - ROUNDED_SIZES;
    add_class(c, 0, 0);
}

void classes_clear(struct classes *c)
{
    free(c->list);
    free(c->latest);
    intmap_clear(&c->numbers);
    intmap_clear(&c->long_sizes);
    memset(c, 0, sizeof *c);
}

/* A number of 32 bits for any size: itself, or its place among the long ones. */
static uint32_t size_number(struct classes *c, uint64_t size)
{
    if (size < LONG_SIZE)
        return (uint32_t)size;
    uint64_t *number = intmap_place(&c->long_sizes, size);
    if (!*number)
        *number = LONG_SIZE | (uint32_t)c->long_sizes.count;
    return (uint32_t)*number;
}

/* Keeps the highest seven bits: some 3,800 sizes stand for all. */
static uint64_t rounded(uint64_t size)
{
    int bits = size ? 64 - __builtin_clzll(size) : 0;
    return bits > 7 ? size >> (bits - 7) << (bits - 7) : size;
}

uint32_t classes_find_slow(struct classes *c, uint32_t stack, uint64_t size)
{
    uint64_t key = (uint64_t)stack << 32 | size_number(c, size);
    if (c->count >= c->most && !intmap_get(&c->numbers, key)) {
        c->left_out++;
        key = size_number(c, size = rounded(size));
        stack = 0;
    }
    uint64_t *number = intmap_place(&c->numbers, key);
    if (!*number)
        *number = add_class(c, stack, size);
    c->latest = xgrow(c->latest, &c->latest_capacity, (size_t)stack + 1, sizeof *c->latest);
    return c->latest[stack] = (uint32_t)*number;
}
