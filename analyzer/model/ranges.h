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

enum range_kind {
    RANGE_MEMORY,   /* private or shared, without a file, and has been writable */
    RANGE_RESERVED, /* address space: not writable so far, or not accessible any more */
    RANGE_FILE,     /* a file, or a second view of pages that have another place */
};

struct range {
    uint64_t begin, end;
    uint64_t ns;      /* since when it is of its kind */
    uint64_t segment; /* where the shared segment begins that it is of, 0 none */
    uint32_t class;   /* stack and length of the call that made it what it is */
    uint32_t stack;
    uint32_t account; /* of the thread that made that call (threads.h) */
    enum range_kind kind;
    int is_inherited; /* from before a fork: in no figure of the process's own */
    int lost_access;  /* inherited memory that is reserved for now: what comes back is inherited */
};

struct ranges {
    struct range *list;
    size_t count, capacity;
};

/* [address, address + bytes) in whole pages, cut off at the end of the address space. */
struct range range_of_pages(uint64_t address, uint64_t bytes);

/* The first range that ends above `address`; set->count where there is none. */
size_t ranges_above(const struct ranges *set, uint64_t address);

/* Adds a range that overlaps no other. */
void ranges_add(struct ranges *set, struct range range);

/* Adds a part that was taken, where nothing else lies now: with neighbours that it was one with it
 * is one again. Its pieces for which there is no place are appended to `covered`, a list. */
void ranges_put_back(struct ranges *set, struct range part, struct ranges *covered);

/* Takes [begin, end) out of the set, splitting ranges that reach beyond; the parts taken are
 * appended to `taken`, a list in its own order and no set. Returns how many parts. */
size_t ranges_take(struct ranges *set, uint64_t begin, uint64_t end, struct ranges *taken);

/* The same for all that is left of the shared segment that was attached at `address`. */
void ranges_take_segment(struct ranges *set, uint64_t address, struct ranges *taken);

/* Makes `to`, which is empty, a copy of what a forked child inherits. */
void ranges_inherit(struct ranges *to, const struct ranges *from);

void ranges_clear(struct ranges *set); /* releases its memory */

#endif
