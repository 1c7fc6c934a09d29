/*
 * tree.h - the stack tree of an image, and which functions a stack contains.
 *
 * A stack is a node; its parent is the stack without the innermost location. Node 0 is the empty
 * stack. A second tree holds what the figures of functions need: a call path is the distinct
 * functions of a stack, each at its outermost occurrence, outermost first. However deep a
 * recursion, and from however many lines a function calls on, the call path is one and short.
 *
 *   calls(n)  = calls(parent(n)) and the functions of n's location that are not in it yet
 *   charge(n) = the same without hidden leaf frames: what an allocation on n counts for
 *
 * Owner: the tree owns image->stacks, which it lets grow; image->functions, frames and locations
 * are the caller's and must hold a location before it is pushed. Function 0 stands for "unknown": a
 * stack without any function counts as that. One thread.
 */
#ifndef MPROF_TREE_H
#define MPROF_TREE_H

#include "intmap.h"
#include "summary.h"

/* Logical frames a location can have: bits of stack_node.fresh. */
#define LOCATION_FRAMES_MAX 64

/* What an allocation on a stack counts for. */
struct charge {
    uint32_t calls; /* call path without hidden leaf frames, never 0 */
    uint32_t self;  /* the function that allocates */
};

struct stack_node {
    uint64_t fresh;           /* bit i: frame i of the location is the outermost of its function */
    uint32_t parent;          /* as in image->stacks */
    uint32_t depth;           /* locations on the stack */
    uint32_t frame_first;     /* of the location, so that image->frames is one step away */
    uint32_t frame_count;     /* at most LOCATION_FRAMES_MAX */
    uint32_t latest;          /* the child asked for last: most often also the next one */
    uint32_t latest_location; /* its location */
    uint32_t calls;           /* call path */
    struct charge charge;     /* calls 0: not asked for yet */
    uint32_t truncated;       /* 1: what lies further out is unknown */
};

/* A node of the call paths. Node 0 is the empty path. */
struct call {
    uint32_t parent;
    uint32_t function; /* the innermost */
    uint32_t depth;    /* functions on the path */
};

struct tree {
    struct image *image;
    size_t stack_capacity;
    size_t most;       /* stacks; beyond it, new ones end in "what lies further out is unknown" */
    uint64_t left_out; /* how often that happened */
    struct stack_node *nodes;
    size_t node_capacity;
    struct intmap children; /* parent << 32 | location -> node */
    /* Children asked for lately, by hash: a stack tree is too large for the processor's caches. */
    struct recent_child {
        uint32_t parent, location, child;
    } * recent;
    struct call *calls;
    size_t call_count, call_capacity;
    struct intmap call_children;            /* parent << 32 | function -> call */
    uint32_t *stack_marks, *location_marks; /* tree_count_unresolved: seen in pass `mark` */
    size_t stack_mark_capacity, location_mark_capacity;
    uint32_t mark;
};

void tree_init(struct tree *tree, struct image *image);
void tree_clear(struct tree *tree); /* also releases image->stacks */

uint32_t tree_find_child(struct tree *tree, uint32_t parent, uint32_t location);

/* The stack that is `parent` with `location` called from it. */
static inline uint32_t tree_child(struct tree *tree, uint32_t parent, uint32_t location)
{
    struct stack_node *node = &tree->nodes[parent];
    if (__builtin_expect(node->latest_location == location && node->latest != 0, 1))
        return node->latest;
    return tree_find_child(tree, parent, location);
}

/* Locations without a name on the given stacks, each once: call tree_start_count, then this for
 * each stack, and add up. */
void tree_start_count(struct tree *tree);
uint64_t tree_count_unresolved(struct tree *tree, uint32_t stack);

struct charge tree_find_charge(struct tree *tree, uint32_t stack);

static inline struct charge tree_charge(struct tree *tree, uint32_t stack)
{
    struct charge charge = tree->nodes[stack].charge;
    return __builtin_expect(charge.calls != 0, 1) ? charge : tree_find_charge(tree, stack);
}

#endif
