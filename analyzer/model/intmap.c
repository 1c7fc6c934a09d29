/* intmap.c - a map of 64-bit keys to 64-bit values: growth and insertion. */
#include "intmap.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static struct intmap_entry *find_slot(struct intmap_entry *slots, unsigned bits, uint64_t key)
{
    size_t mask = ((size_t)1 << bits) - 1;
    size_t i = intmap_hash(key, bits);

    while (slots[i].value != 0 && slots[i].key != key)
        i = (i + 1) & mask;
    return &slots[i];
}

static void grow(struct intmap *map)
{
    unsigned bits = map->bits ? map->bits + 1 : 4;
    struct intmap_entry *slots = xcalloc((size_t)1 << bits, sizeof *slots);

    for (size_t i = 0; map->bits && i < (size_t)1 << map->bits; i++)
        if (map->slots[i].value != 0)
            *find_slot(slots, bits, map->slots[i].key) = map->slots[i];
    free(map->slots);
    map->slots = slots;
    map->bits = bits;
}

uint64_t *intmap_place(struct intmap *map, uint64_t key)
{
    if (map->bits == 0 || map->count >= (size_t)1 << (map->bits - 1))
        grow(map);
    struct intmap_entry *slot = find_slot(map->slots, map->bits, key);
    if (slot->value == 0) {
        slot->key = key;
        map->count++;
    }
    return &slot->value;
}

void intmap_clear(struct intmap *map)
{
    free(map->slots);
    memset(map, 0, sizeof *map);
}
