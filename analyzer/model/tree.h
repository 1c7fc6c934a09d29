/*
 * tree.h - the stack tree of an image, and which functions a stack contains.
 *
 * A stack is a node; its parent is the stack without the innermost location. Node 0 is the empty
 * stack. Beside each node stands what makes "is this function already on the stack?" cheap however
 * deep the recursion: which of its logical frames are the outermost of their function (fresh), and
 * the nearest node outwards that has any.
 *
 *   functions on stack n = fresh frames of near(n), of near(parent(near(n))), ...
 *   distinct(n)          = their number
 *
 * Owner: the tree owns image->stacks, which it lets grow; image->functions, frames and locations
 * are the caller's and must hold a location before it is pushed. function 0 stands for "unknown":
 * a stack without any function counts as that. One thread.
 */
#ifndef MPROF_TREE_H
#define MPROF_TREE_H

#include "intmap.h"
#include "summary.h"

/* Logical frames a location can have: bits of stack_node.fresh. */
#define LOCATION_FRAMES_MAX 64

struct stack_node {
    uint64_t fresh;       /* bit i: frame i of the location is the outermost of its function */
    uint32_t near;        /* nearest node, this one included, with fresh != 0; 0 none */
    uint32_t distinct;    /* functions on the stack */
    uint32_t depth;       /* locations on the stack */
    uint32_t truncated;   /* 1: what lies further out is unknown */
    uint32_t frame_first; /* of the location, so that image->frames is one step away */
    uint32_t frame_count; /* at most LOCATION_FRAMES_MAX */
    uint32_t latest;      /* the child asked for last: most often it is the one asked for next */
};

/* The functions of a stack, each once, hidden leaf frames left out. */
struct stack_functions {
    const uint32_t *list;
    uint32_t count; /* 0: not asked for yet */
    uint32_t self;  /* the function that allocated */
};

struct tree {
    struct image *image;
    size_t stack_capacity;
    struct stack_node *nodes;
    size_t node_capacity;
    struct stack_functions *functions;
    size_t functions_capacity;
    struct intmap children; /* parent << 32 | location -> node */
    struct arena *lists;
    uint32_t *stack_marks, *location_marks; /* tree_count_unresolved: seen in pass `mark` */
    size_t stack_mark_capacity, location_mark_capacity;
    uint32_t mark;
};

void tree_init(struct tree *tree, struct image *image);
void tree_clear(struct tree *tree); /* image->stacks goes, too */

uint32_t tree_add_child(struct tree *tree, uint32_t parent, uint32_t location);

/* The stack that is `parent` with `location` called from it. */
static inline uint32_t tree_child(struct tree *tree, uint32_t parent, uint32_t location)
{
    uint32_t latest = tree->nodes[parent].latest;
    if (latest && tree->image->stacks[latest].location == location)
        return latest;
    uint64_t known = intmap_get(&tree->children, (uint64_t)parent << 32 | location);
    uint32_t child = known ? (uint32_t)known : tree_add_child(tree, parent, location);
    return tree->nodes[parent].latest = child;
}

/* Locations without a name on the given stacks, each once: call tree_start_count, then this for
 * each stack, and add up. */
void tree_start_count(struct tree *tree);
uint64_t tree_count_unresolved(struct tree *tree, uint32_t stack);

const struct stack_functions *tree_functions_slow(struct tree *tree, uint32_t stack);

static inline const struct stack_functions *tree_functions(struct tree *tree, uint32_t stack)
{
    if (__builtin_expect(stack < tree->functions_capacity && tree->functions[stack].count, 1))
        return &tree->functions[stack];
    return tree_functions_slow(tree, stack);
}

#endif
