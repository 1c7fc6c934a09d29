/*
 * ranges.h - the mapped address ranges of one process, in order of address, without overlap.
 *
 *   leaves[i] holds 1 .. RANGES_LEAF ranges in their order; all of it lies below leaves[i + 1]
 *
 * A zeroed struct is an empty set. One owner, one thread. Cost: a search takes log n steps, a
 * change moves what lies above in its leaf. Where a leaf must be added or goes, the pointers to the
 * leaves above move as well: n / 128 of them, once in some 64 changes.
 */
#ifndef MPROF_RANGES_H
#define MPROF_RANGES_H

#include "intmap.h"

#include <stddef.h>
#include <stdint.h>

enum range_kind {
    RANGE_MEMORY,   /* private or shared, without a file, and has been writable */
    RANGE_RESERVED, /* address space: not writable so far, or not accessible any more */
    RANGE_FILE,     /* a file, or a second view of pages that have another place */
    RANGE_KINDS
};

struct range {
    uint64_t begin, end;
    uint64_t ns;         /* since when it is of its kind */
    uint64_t mapping;    /* number of the mapping that it is of, in this process */
    uint64_t segment;    /* where the shared segment that it is of would begin */
    uint32_t segment_id; /* + 1; 0: it is of none */
    uint32_t class;      /* stack and length of the call that made it what it is */
    uint32_t stack;
    uint32_t account;     /* of the thread that made that call (threads.h) */
    uint8_t kind;         /* enum range_kind */
    uint8_t is_inherited; /* from before a fork: in no figure of the process's own */
    uint8_t lost_access;  /* inherited memory, reserved for now: what comes back is inherited */
    uint8_t is_second;    /* of a segment that is memory in another place, and could be here */
};

/* Ranges in any order. */
struct range_list {
    struct range *list;
    size_t count, capacity;
};

#define RANGES_LEAF 128

struct ranges {
    struct ranges_leaf **leaves;
    size_t leaf_count, leaf_capacity;
    size_t count;             /* ranges */
    uint64_t mappings;        /* numbers given out */
    uint64_t longest_segment; /* bytes, of all that there were */
    struct intmap segments;   /* segment_id -> bytes of it in the set, + 1 */
};

/* [address, address + bytes) in whole pages, cut off at the end of the address space. */
struct range range_of_pages(uint64_t address, uint64_t bytes);

void range_list_add(struct range_list *list, struct range range);
void range_list_clear(struct range_list *list); /* releases its memory */

/* The first range that ends above `address`, NULL where there is none; good until the next change.
 */
const struct range *ranges_above(const struct ranges *set, uint64_t address);

/* Adds a range that overlaps no other. */
void ranges_add(struct ranges *set, struct range range);

/* The same for a part of a range, which becomes one again with parts of the same beside it. */
void ranges_join(struct ranges *set, struct range part);

/* Takes [begin, end) out of the set, splitting ranges that reach beyond; the parts taken are
 * appended to `taken`. Returns how many. */
size_t ranges_take(struct ranges *set, uint64_t begin, uint64_t end, struct range_list *taken);

/* Takes what is left in its place of the mapping that the part was of when it was looked up. */
void ranges_take_same(struct ranges *set, const struct range *part, struct range_list *taken);

/* Appends the parts within [begin, end), which stay. */
void ranges_look(const struct ranges *set, uint64_t begin, uint64_t end, struct range_list *found);

/* The same for all that is left of the shared segment that would begin at `address`. */
void ranges_look_segment(const struct ranges *set, uint64_t address, struct range_list *found);

/* How many bytes of a shared segment are in the set. */
uint64_t ranges_of_segment(const struct ranges *set, uint32_t segment_id);

/* Makes `to`, which is empty, a copy of what a forked child inherits. */
void ranges_inherit(struct ranges *to, const struct ranges *from);

void ranges_clear(struct ranges *set); /* releases its memory */

#endif
