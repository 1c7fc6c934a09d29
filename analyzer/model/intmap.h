/*
 * intmap.h - a map of 64-bit keys to 64-bit values that are not 0.
 *
 * Open addressing with linear probing, at most half full; a zeroed struct is an empty map. Entries
 * are never removed one by one. One owner, one thread. Cost of a hit: one multiplication and
 * usually one cache line.
 */
#ifndef MPROF_INTMAP_H
#define MPROF_INTMAP_H

#include <stddef.h>
#include <stdint.h>

struct intmap_entry {
    uint64_t key;
    uint64_t value; /* 0: the slot is empty */
};

struct intmap {
    struct intmap_entry *slots;
    size_t count;
    unsigned bits; /* 1 << bits slots, 0: none yet */
};

void intmap_clear(struct intmap *map); /* releases its memory */

/* The place of this key's value, made with value 0 where there was none. Give it a value other than
 * 0 before the next call; it is good until then. */
uint64_t *intmap_place(struct intmap *map, uint64_t key);

static inline size_t intmap_hash(uint64_t key, unsigned bits)
{
    key ^= key >> 32;
    return (size_t)(key * 0x9e3779b97f4a7c15ull >> (64 - bits));
}

/* The key's value, 0 where it has none. */
static inline uint64_t intmap_get(const struct intmap *map, uint64_t key)
{
    if (map->bits == 0)
        return 0;
    size_t mask = ((size_t)1 << map->bits) - 1;
    for (size_t i = intmap_hash(key, map->bits);; i = (i + 1) & mask) {
        const struct intmap_entry *slot = &map->slots[i];
        if (slot->value == 0 || slot->key == key)
            return slot->value;
    }
}

#endif
