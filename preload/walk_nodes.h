/*
 * walk_nodes.h - what the walk remembers of frames that it has met: nodes, and the numbers under
 * which the chunk knows the stacks that end in them (walk.h).
 *
 * Any thread; a memo, with its tables, belongs to one thread at a time.
 */
#ifndef MPROF_WALK_NODES_H
#define MPROF_WALK_NODES_H

#include "rules.h"
#include "step.h"
#include "walk.h"

/*
 * A direct-mapped table: a node lies where the hash of {pc, sp} says, and the next one that belongs
 * there overwrites it. Everything in it but the numbers follows from {pc, sp}, the loader's
 * generation and, where the rule uses it, fp.
 *
 *   outer_sp != 0: the caller's registers are {pc: slot below outer_sp, sp: outer_sp,
 *                  fp: slot at outer_sp - fp_below, or this frame's where fp_below is 0}
 */
struct node {
    uintptr_t pc, sp, fp;
    uintptr_t outer_sp;
    uint64_t rule; /* a word of rules.h */
    uint32_t generation;
    uint32_t next;          /* the caller's place in the table, last time */
    uint32_t number, outer; /* as in struct memo_frame */
    uint16_t fp_below;
    uint16_t uses_fp; /* the rule uses fp */
    uint32_t unused;
} __attribute__((aligned(64)));

/* The stack `outer` with one more frame: direct-mapped by these two. A node knows the last number
 * of its frame; this knows the others (the same frame reached another way). */
struct named {
    uint64_t frame; /* id, or for SPOOL_FRAME_RAW the pc with its top bit set */
    uint32_t outer, number;
};

#define NODE_NONE     UINT32_MAX
#define NODE_PATIENCE 8 /* misses per place before the table grows */

static inline uint32_t node_place(const struct memo *m, uintptr_t pc, uintptr_t sp)
{
    return (uint32_t)(((pc ^ sp << 20) * 0x9e3779b97f4a7c15ull) >> (64 - m->node_bits));
}

static inline int is_node_of(const struct node *x, const struct registers *r, uint32_t generation)
{
    return x->pc == r->pc && x->sp == r->sp && x->generation == generation &&
           (x->fp == r->fp || !x->uses_fp);
}

/* Makes a larger table; the old one's nodes are found anew. 0: no memory for the first. */
int nodes_grow(struct memo *m);
void nodes_clear(struct memo *m);

/* The node for the frame at s; made from the frame's rule where there is none. */
struct node *node_for(struct memo *m, const struct stepper *s, uint32_t generation);

#endif
