/*
 * ranges.h - the mapped address ranges of one process, in order of address, without overlap.
 *
 *   list[i].begin < list[i].end <= list[i + 1].begin
 *
 * A zeroed struct is an empty set. One owner, one thread. Cost: a binary search, and moving what
 * lies above (programs have few mappings).
 */
#ifndef MPROF_RANGES_H
#define MPROF_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t begin, end;
    uint32_t class; /* what it was mapped as */
};

struct ranges {
    struct range *list;
    size_t count, capacity;
};

/* [address, address + bytes) in whole pages, cut off at the end of the address space. */
struct range range_of_pages(uint64_t address, uint64_t bytes);

/* Adds a range that overlaps no other. */
void ranges_add(struct ranges *set, struct range range);

/* Takes [begin, end) out of the set, splitting ranges that reach beyond; the parts taken are
 * appended to `taken`, a list in its own order and no set. Returns how many parts. */
size_t ranges_take(struct ranges *set, uint64_t begin, uint64_t end, struct ranges *taken);

void ranges_clear(struct ranges *set); /* releases its memory */

#endif
