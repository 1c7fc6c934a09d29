/*
 * subject.h - a process of the spool while its events are being matched, and the lanes (one per
 * stream) in which they arrive.
 *
 * A subject begins when its parent forks (the first one at once) and owns its live blocks, its
 * ranges, its accounts and its lanes; subject_close releases them all once the figures have gone
 * into the image. One thread.
 */
#ifndef MPROF_SUBJECT_H
#define MPROF_SUBJECT_H

#include "birth.h"
#include "classes.h"
#include "drops.h"
#include "early.h"
#include "failures.h"
#include "heap.h"
#include "interrupted.h"
#include "live.h"
#include "ranges.h"
#include "spans.h"
#include "spool.h"
#include "timeline.h"

struct subject {
    uint32_t serial, parent;
    int begun, closed;
    int has_entry;              /* `entry` was valid when last looked at */
    int has_chunks;             /* it wrote something */
    uint32_t first_stream;      /* whose chunk was seen first */
    int has_streams;            /* it has several */
    int is_gone;                /* it was dead or another image when last checked */
    struct spool_process entry; /* zeros until it is valid */

    struct live_table *live; /* NULL: there is none, and none is needed */
    struct blocks blocks;    /* its own */
    struct early early;
    struct birth birth;             /* as a child that is being forked */
    struct interrupted interrupted; /* calls that it has from its parent */
    struct subject **unborn;        /* children that this process is forking */
    size_t unborn_count, unborn_capacity;
    struct ranges mapped;
    struct ranges known; /* where something was mapped or dropped, as far as we were told */
    struct heap heap;
    struct failures failures;
    struct quality quality;   /* inherited_bytes: of those not freed so far */
    uint64_t inherited_freed; /* blocks */
    struct samples samples;
    uint64_t rss_mark; /* the kernel's highest, as far as it was read */
    uint64_t begin_ns, last_ns;
    uint64_t lived_ns;     /* somebody saw that it lived until then */
    const char *exec_path; /* of the last exec it tried, NULL none */
    struct ending ending;  /* as the caller saw it */

    struct intmap thread_numbers; /* serial -> index in `threads` + 1 */
    uint64_t *threads; /* the number of the block that its previous heap event allocated, or 0:
                          freeing that block is temporary */
    size_t thread_count, thread_capacity;
    struct event *told; /* events that the writer has not got yet */
    size_t told_count, told_capacity;
    struct lane **lanes;
    size_t lane_count, lane_capacity;
};

struct lane {
    struct subject *subject;
    uint32_t stream; /* its number in the spool */
    struct path path;
    int restarts;    /* a new chunk: the next stack comes whole */
    int resumes;     /* the present event has waited; its stack is already taken in */
    uint32_t *nodes; /* of the tree, by the chunk's own numbers */
    size_t node_count, node_capacity;
    int has_thread, is_initial; /* the process's first thread, which main runs in */
    size_t thread;              /* index in subject->threads */
    struct heap_moment last;    /* the stream's previous event */
    struct heap_moment shown;   /* the same with a stack */

    int realloc_open; /* between REALLOC_BEGIN and its end */
    uint64_t realloc_address;
    uint32_t realloc_block; /* the block that was at the address (live.h), 0 none */
    struct drops drops;     /* between RANGE_BEGINs and their ends */
};

struct subject *subject_new(uint32_t serial);

/* What a block of the parent's is to a child: an inherited one of its class; 0 none. */
static inline uint32_t subject_block_in_child(const struct subject *parent, uint32_t block)
{
    if (!block || block & LIVE_INHERITED)
        return block;
    return LIVE_INHERITED | parent->blocks.list[block].class;
}

/* with_blocks 0: it will never need to know what it inherited, only how much. parent NULL: the
 * first process, or one whose parent is unknown. */
void subject_begin(struct subject *s, struct subject *parent, uint64_t ns, int with_blocks);

/* Releases the blocks inherited by a process that has recorded nothing. */
void subject_forget_inherited(struct subject *s);

/* A new lane. who: the mark of its activations. */
struct lane *subject_lane(struct subject *s, uint32_t stream, uint32_t who);

/* From `ns` on, the lane's events are this thread's. What the one before has begun is settled
 * (match_thread). */
void lane_thread(struct lane *lane, struct tree *tree, const struct thread_facts *facts,
                 uint64_t ns);

/* A thread that the process already had has got a name. */
void subject_thread_name(struct subject *s, const struct thread_facts *facts, uint64_t ns);

static inline void subject_lived(struct subject *s, uint64_t ns)
{
    if (ns > s->lived_ns)
        s->lived_ns = ns;
}

/* The kernel says that the resident set was this high once. */
static inline void subject_high_water(struct subject *s, uint64_t mark)
{
    s->rss_mark = mark > s->rss_mark ? mark : s->rss_mark;
}

/* Puts back what a REALLOC_BEGIN took out: it failed, or its end was never seen. */
void lane_put_back_block(struct lane *lane);

/* Puts the figures into *process and releases what they came from. `block` is called for each block
 * live at the end (for none if the process exec'd). */
void subject_close(struct subject *s, struct tree *tree, const struct classes *classes,
                   struct process *process,
                   void (*block)(void *context, uint32_t process, uint64_t address,
                                 const struct block *block),
                   void *context);
void subject_free(struct subject *s); /* NULL is allowed */

#endif
