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
    uint64_t segment;    /* where the shared memory that it is of would begin */
    uint32_t segment_id; /* a segment's number + 1, or ranges_anonymous_id(); 0: it is not shared */
    uint32_t segment_pages;
    uint32_t class; /* stack and length of the call that made it what it is */
    uint32_t stack;
    uint32_t account;         /* of the thread that made that call (threads.h) */
    uint8_t kind;             /* enum range_kind */
    uint8_t huge_shift;       /* its pages are of 1 << huge_shift bytes; 0: they are not huge */
    uint8_t is_inherited : 1; /* from before a fork: in no figure of the process's own */
    uint8_t lost_access : 1;  /* inherited memory, reserved for now: what comes back is inherited */
    uint8_t is_second : 1;    /* shared, and memory in another place, which it could be here */
};

/* Ranges in any order. */
struct range_list {
    struct range *list;
    size_t count, capacity;
};

#define RANGES_LEAF       128
#define RANGES_PAGE_SHIFT 12 /* the kernel maps pages of 1 << RANGES_PAGE_SHIFT bytes */

struct ranges {
    struct ranges_leaf **leaves;
    size_t leaf_count, leaf_capacity;
    size_t count;             /* ranges */
    uint64_t mappings;        /* numbers given out */
    uint64_t longest_segment; /* bytes, of all that there were */
    struct intmap shared;     /* segment_id, if it may be in several places -> bytes of it in the
                                 set, + 1 */
};

/* [address, address + bytes) in whole pages, cut off at the end of the address space. */
struct range range_of_pages(uint64_t address, uint64_t bytes);

/* `end`, in whole pages of what `range` has. */
uint64_t range_round_up(const struct range *range, uint64_t end);

void range_list_add(struct range_list *list, struct range range);
void range_list_clear(struct range_list *list); /* releases its memory */

/* The first range that ends above `address`, NULL where there is none; good until the next change.
 */
const struct range *ranges_above(const struct ranges *set, uint64_t address);

/* Adds a range that overlaps no other. */
void ranges_add(struct ranges *set, struct range range);

/* Adds [begin, end) to a set of which no more is asked than what lies in it. */
void ranges_cover(struct ranges *set, uint64_t begin, uint64_t end);

/* Adds a part of a range, which becomes one again with parts of the same beside it. */
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

/* The id of the shared memory without a name that mapping number `mapping` has made. */
uint32_t ranges_anonymous_id(uint64_t mapping);

/* It gets a second place: from now on its bytes are counted. Those of segments always are. */
void ranges_share(struct ranges *set, uint32_t segment_id);

/* How many bytes of it are in the set; 0 where it cannot be in several places. */
uint64_t ranges_of_segment(const struct ranges *set, uint32_t segment_id);

/* Makes `to`, which is empty, a copy of what a forked child inherits. */
void ranges_inherit(struct ranges *to, const struct ranges *from);

void ranges_clear(struct ranges *set); /* releases its memory */

#endif
