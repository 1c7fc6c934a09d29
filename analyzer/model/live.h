/*
 * live.h - the blocks that are live in one process, by address.
 *
 * An address has a number: one of the process's own blocks (blocks.h) or, with LIVE_INHERITED set,
 * the class of a block that an ancestor had allocated before the process was forked. 0: nothing.
 *
 * A radix: a page holds the numbers of 64 KiB of address space, a map leads to the pages, and a
 * cache to those used last. A fork shares all pages with the child; a page is copied when one side
 * changes it (as the kernel does with the memory itself), so a fork costs only pointers. The
 * numbers in a page are its owner's; any other table takes their classes from the owner's blocks,
 * and copies those: so the owner's blocks must live as long as its table, and be freed after it.
 *
 *   page.owner is the table that may change it, while references == 1; NULL: all is inherited
 *
 * Owner: the table owns its pages, shared ones by reference count. Not for two threads at once.
 * Cost of a look-up: one entry of the cache and one slot of 4 bytes.
 */
#ifndef MPROF_LIVE_H
#define MPROF_LIVE_H

#include "blocks.h"
#include "intmap.h"

#include <stdint.h>

#define LIVE_INHERITED 0x80000000u

/*
 * An address becomes a key by rotating its lowest four bits to the top: so malloc's addresses,
 * multiples of 16, lie close together in a page of keys, and any other address still has a key of
 * its own.
 *
 *   page number = key / LIVE_SLOTS, slot = key % LIVE_SLOTS
 */
#define LIVE_SLOT_BITS 12
#define LIVE_SLOTS     (1u << LIVE_SLOT_BITS)
#define LIVE_CACHE     256u

struct live_table;

struct live_page {
    uint32_t references; /* tables that share it */
    uint32_t used;       /* slots that are not 0 */
    uint64_t number;
    struct live_table *owner;
    uint32_t slots[LIVE_SLOTS];
};

struct live_table {
    struct blocks *blocks; /* the process's own; belongs to the caller */
    struct intmap pages;   /* page number -> struct live_page * */
    size_t empty;          /* about how many pages became empty; bounds what they cost */
    struct live_page *cache[LIVE_CACHE]; /* by page number; only pages that this table may change */
};

struct live_table *live_new(struct blocks *blocks);
/* A copy for a forked child, whose own blocks will be in `blocks`. */
struct live_table *live_fork(struct live_table *parent, struct blocks *blocks);
void live_free(struct live_table *table); /* NULL is allowed */

struct live_page *live_find_page(struct live_table *table, uint64_t address, int make);
void live_emptied(struct live_table *table);

static inline uint64_t live_key(uint64_t address)
{
    return address >> 4 | address << 60;
}

/* The page of this address, ready to be changed; NULL where there is none and `make` is 0. */
static inline struct live_page *live_page(struct live_table *table, uint64_t address, int make)
{
    uint64_t number = live_key(address) >> LIVE_SLOT_BITS;
    struct live_page *page = table->cache[number % LIVE_CACHE];

    if (__builtin_expect(page && page->number == number, 1))
        return page;
    return live_find_page(table, address, make);
}

static inline uint32_t *live_slot(struct live_page *page, uint64_t address)
{
    return &page->slots[live_key(address) % LIVE_SLOTS];
}

/* Asks for the memory of a slot ahead of its use. */
static inline void live_prefetch(struct live_table *table, uint64_t address)
{
    struct live_page *page = table->cache[(live_key(address) >> LIVE_SLOT_BITS) % LIVE_CACHE];
    if (page)
        __builtin_prefetch(live_slot(page, address), 1);
}

/* What is at this address according to the cache alone; changes nothing. */
static inline uint32_t live_peek(const struct live_table *table, uint64_t address)
{
    uint64_t number = live_key(address) >> LIVE_SLOT_BITS;
    struct live_page *page = table->cache[number % LIVE_CACHE];
    return page && page->number == number ? *live_slot(page, address) : 0;
}

/* The number at this address, 0: nothing. */
static inline uint32_t live_find(struct live_table *table, uint64_t address)
{
    struct live_page *page = live_page(table, address, 0);
    return page ? *live_slot(page, address) : 0;
}

/* Puts a number, not 0, at an address that has none. */
static inline void live_insert(struct live_table *table, uint64_t address, uint32_t number)
{
    struct live_page *page = live_page(table, address, 1);
    *live_slot(page, address) = number;
    page->used++;
}

/* Takes out the number at this address and returns it. */
static inline uint32_t live_remove(struct live_table *table, uint64_t address)
{
    struct live_page *page = live_page(table, address, 0);

    if (!page)
        return 0;
    uint32_t *slot = live_slot(page, address), number = *slot;
    *slot = 0;
    if (number && --page->used == 0)
        live_emptied(table);
    return number;
}

/* Calls visit(context, address, number) for each block, in no particular order. `table` may be
 * NULL: no blocks. */
void live_walk(const struct live_table *table,
               void (*visit)(void *context, uint64_t address, uint32_t number), void *context);

#endif
