/*
 * range_table.h - address ranges with an owner; which one covers an address?
 *
 * Fill it with range_table_add in any order, sort it once with range_table_finish, then ask. Ranges
 * may overlap and nest: the answer is the one that begins last, and of those the shortest, as a
 * nested function is meant and not the one around it. Ownership: the array belongs to the table; a
 * zeroed struct is an empty table. Threads: one.
 *
 *   items[i].low <= items[i+1].low
 *   items[i].reach = the highest `high` of items[0..i], so a search going back knows where to stop
 */
#ifndef MPROF_RANGE_TABLE_H
#define MPROF_RANGE_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { RANGE_NONE = UINT32_MAX };

struct range {
    uint64_t low, high; /* low <= address < high */
    uint64_t reach;
    uint32_t owner;
};

struct range_table {
    struct range *items;
    size_t count, capacity;
};

/* Adds a range; empty ones are left out. */
void range_table_add(struct range_table *table, uint64_t low, uint64_t high, uint32_t owner);
void range_table_finish(struct range_table *table);

/* The owner, or RANGE_NONE. */
uint32_t range_table_find(const struct range_table *table, uint64_t address);

/* Frees the array, not the struct. */
void range_table_clear(struct range_table *table);

#endif
