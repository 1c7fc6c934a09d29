/*
 * spans.h - the stack of one stream as it changes, and the activations of its frames.
 *
 * A frame that persists from stack to stack is one activation of its function: it begins at the
 * first event whose stack has it and ends at the last one. Frees have no stack, so nobody knows
 * whose they are: those after it count as somebody else's. Only the function that the thread runs
 * in, and what called it, end with the thread: the initial one's with the process, another's at
 * its own last event, with or without a stack.
 * A frame that is replaced by one of the same function, with all further out unchanged, is the same
 * activation at another line. Of each function, the activation is kept that contains the function's
 * own inclusive peak (that of the outermost occurrence, where it calls itself), and all are
 * counted. Calls that follow each other from the same line, without an event with another stack in
 * between, look like one: they are one activation.
 *
 * A change is path_begin or path_rebase, then path_push .., then path_end. Not for two threads at
 * once; the path owns its arrays (path_clear). A zeroed struct is an empty path.
 */
#ifndef MPROF_SPANS_H
#define MPROF_SPANS_H

#include "heap.h"
#include "tree.h"

/* A moment, and what lived then. */
struct heap_moment {
    uint64_t ns, heap_bytes, mapped_bytes;
};

struct activation { /* of one logical frame */
    struct heap_moment begin;
    uint32_t function;
    uint32_t outermost; /* no frame further out is of the same function */
};

/* One physical frame: the stack down to it, and where its activations end in the list. */
struct path_step {
    uint32_t node;
    uint32_t activations; /* of this frame and all further out */
};

struct path {
    uint32_t who;    /* the stream's mark in the figures */
    uint32_t thread; /* serial of the thread whose stack this is */
    struct path_step *steps;
    uint32_t depth;
    size_t step_capacity;
    struct activation *activations;
    uint32_t activation_count; /* = steps[depth - 1].activations between changes */
    size_t activation_capacity;
    /* during a change */
    uint32_t old_depth, kept;
    uint32_t pivot; /* the old node at `kept`, the first that was replaced; 0 none */
    int closed;     /* all activations have ended; the next change begins them anew */
};

/* Begins a change: the `pop` innermost frames go. restart: the whole stack will be pushed anew (and
 * is compared with the old one: what is the same persists). */
void path_begin(struct path *path, uint32_t pop, int restart);
/* Begins a change: the stack becomes that of `node`. */
void path_rebase(struct path *path, const struct tree *tree, uint32_t node);
void path_push(struct path *path, struct tree *tree, uint32_t location);

/* Completes the change: new activations begin at `now`; those gone ended at `shown`, the stream's
 * previous event with a stack. */
void path_end(struct path *path, const struct tree *tree, struct heap *heap, struct heap_moment now,
              struct heap_moment shown);

/* Ends all activations: the stream's thread or the process is over. The thread's outermost function
 * ends at `last`, the thread's end as far as it is known, the others at `shown`. The stack stays
 * (the next change is relative to it); its frames begin anew with the next change. */
void path_close(struct path *path, const struct tree *tree, struct heap *heap,
                struct heap_moment shown, struct heap_moment last);

static inline uint32_t path_leaf(const struct path *path)
{
    return path->depth ? path->steps[path->depth - 1].node : 0;
}

void path_clear(struct path *path); /* releases its memory */

#endif
