/*
 * live.h - the blocks that are live in one process, by address.
 *
 * A radix: a page holds the slots of 64 KiB of address space, a map leads to the pages. A fork
 * shares all pages with the child; a page is copied when one side changes it (as the kernel does
 * with the memory itself), so a fork costs pointers only.
 *
 * Owner: the table owns its pages, shared ones by reference count. Not for two threads at once.
 * Cost: insert, find and remove are one map look-up and one slot.
 */
#ifndef MPROF_LIVE_H
#define MPROF_LIVE_H

#include <stdint.h>

struct block {
    uint64_t ns;         /* of the allocation */
    uint32_t class;      /* its stack and size; never 0 */
    uint16_t generation; /* how many forks lie between the first process and its owner */
    uint16_t thread;     /* low bits of the allocating thread's serial */
};

struct live_table;

struct live_table *live_new(void);
struct live_table *live_fork(struct live_table *parent); /* a copy */
void live_free(struct live_table *table);                /* NULL is allowed */

/* The block at this address, NULL if none; valid until the table changes. */
const struct block *live_find(const struct live_table *table, uint64_t address);

/* Puts a block where none is. */
void live_insert(struct live_table *table, uint64_t address, struct block block);

/* Takes the block out; 0 if there was none, and *block is not touched then. */
int live_remove(struct live_table *table, uint64_t address, struct block *block);

/* Calls visit(context, address, block) for each block, in no order to rely on. */
void live_walk(const struct live_table *table,
               void (*visit)(void *context, uint64_t address, const struct block *block),
               void *context);

#endif
