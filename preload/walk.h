/*
 * walk.h - the stack walk: exact memo + rules.
 *
 * A stack that comes back is found as a whole (walk_cache.h) and not walked. A walk is a pure
 * function of the registers at its start and the stack slots it reads. The memo is the last stack
 * that was walked, outermost first. Where a new walk meets a frame of it with equal registers, the
 * rest is *compared*: every slot that the old walk had read.
 *
 * So the result is exact, and its cost is that of what has changed. It is the difference from the
 * previous stack: keep the outermost `keep` frames, push the others. Frames that the chunk has
 * shown before carry the number under which it knows them (`number`, see below), so that event.c
 * can name a whole stack.
 *
 * Any thread; a memo belongs to one thread at a time.
 */
#ifndef MPROF_WALK_H
#define MPROF_WALK_H

#include "arch_x86_64.h"
#include "walk_cache.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A frame of the last stack. Most code uses the frame pointer's register for data, so it is
 * compared only where the walk further out depends on it:
 *
 *   gaps[k] = gaps[k - 1] + 1 where the step goes by fp, and further than most frames are large
 *   fp_matters[k] = uses_fp[k] || (fp_below[k - 1] == 0 && fp_matters[k - 1])
 *
 * `number` is the spool's number for the stack that ends here. Numbers rise for ever, and those of
 * the present chunk begin at memo.first_number:
 *
 *   number is right  <=>  number >= first_number, and `outer` is the number of the frame further
 *                         out (0 for the outermost), whose own number is right
 */
struct memo_frame {
    uintptr_t pc, sp, fp;
    uint32_t id; /* of the pc in the spool's table; SPOOL_FRAME_RAW: write the pc itself */
    uint32_t number, outer;
    uint32_t part;       /* walk_cache.h: of the stack from here outwards; 0 none */
    uint16_t fp_below;   /* sp - address of the slot that held fp; 0: fp was not restored here */
    uint8_t reached;     /* enum reached (step.h): compared only if REACHED_BY_SLOTS */
    uint8_t uses_fp;     /* the way to the caller depends on fp */
    uint16_t fp_matters; /* the way to the caller or further out depends on fp, else it is stale */
    uint16_t gaps;       /* steps from here outwards that may lead to another stack */
};

/*
 * Two halves of `capacity` frames: one holds the last stack, outermost first; the next one grows in
 * the other. frames[0].id == SPOOL_FRAME_UNKNOWN: what lies further out could not be walked. block
 * and flipped change by one store each, so that a jump out of a handler leaves a memo that can be
 * used after walk_reset.
 */
struct memo_block {
    uint32_t capacity;
    uint32_t unused[11];
    struct memo_frame frames[];
};

struct named;

struct memo {
    struct walk_cache cache;
    /* The decoder's stack, if it is one of the cache's. NULL: it is the last stack below if it has
     * as many frames (stream.depth), else nobody knows. */
    const struct walk_cache_stack *shown;
    struct memo_block *block; /* NULL at first */
    uint32_t flipped;         /* which half is the last stack */
    uint32_t count;
    uint32_t generation;
    /* What ended the last stack: a word that is no return address, and where it lies. Slot 0: it
     * was a rule; MEMO_NO_END: nobody knows, so the next one is walked to its end. */
    uintptr_t end_slot, end_word;
    uint32_t first_number, next_number; /* given out in this chunk: [first, next) */
    uint32_t numbered;                  /* first_number when the last stack got its numbers */
    uint32_t named_bits;                /* there are 2^named_bits places */
    struct named *named;                /* walk_numbers.h; NULL at first */
    /*
     * The thread's own stack, as far as it is known:
     *   all pages in [stack_low, stack_end) can be read; stack_end 0: nothing is known
     *   stack_hole, below stack_low, cannot be read: what is below it is another stack
     */
    uintptr_t stack_low, stack_end, stack_hole;
};

/* The last stack, outermost first: m->count frames. */
static inline struct memo_frame *memo_frames(const struct memo *m)
{
    return m->block->frames + (m->flipped ? m->block->capacity : 0);
}

#define MEMO_NO_END    UINTPTR_MAX
#define WALK_DEPTH_MAX (1u << 18) /* frames; deeper stacks are truncated */

struct walk {
    uint32_t keep;   /* outermost frames that are as before */
    uint32_t push;   /* new frames after them */
    uint32_t before; /* frames before the walk: pop = before - keep */
};

/* A thread begins: its own stack ends at `end` (0 unknown), and sp is where it stands. */
void walk_new_stack(struct memo *m, uintptr_t sp, uintptr_t end);

/* Walks from these registers and leaves the stack in memo_frames(m). */
struct walk walk_stack(struct memo *m, uintptr_t pc, uintptr_t sp, uintptr_t fp);

/* Does a walk from `from` meet a frame further out with this sp and pc? */
enum walk_found { WALK_NOT_FOUND, WALK_FOUND, WALK_UNKNOWN /* it could not go far enough */ };
enum walk_found walk_finds(const struct memo *m, struct registers from, uintptr_t sp, uintptr_t pc);

/* Does a frame of a hook (hook.h) lie among the nearest callers, `from` the first of them, with no
 * signal handler in between? memo NULL: of a thread without a state. */
int walk_meets_hook(const struct memo *m, struct registers from);

/* Does the last stack, of at least one frame, lead more than `most` times to what may be another
 * stack? */
int walk_leads_over_gaps(const struct memo *m, uint32_t most);

/* Forgets the last stack, so that the next one comes whole. */
static inline void walk_forget(struct memo *m)
{
    m->count = 0;
    m->shown = NULL;
}

/* The same after an interrupted walk: nothing that was remembered can be trusted. */
void walk_reset(struct memo *m);

/* A new chunk begins, which knows no stacks. Returns how many numbers the one before gave out. */
uint32_t walk_new_chunk(struct memo *m);

/* Finds the numbers of the frames from `from` on; the number of the frame outside `from` must be
 * right. Returns the first frame without one: the stack that ends in it has not been shown, or is
 * forgotten. */
uint32_t walk_find_numbers(struct memo *m, uint32_t from);

/* Gives numbers to the frames from `from` on, which are about to be shown for the first time. */
void walk_give_numbers(struct memo *m, uint32_t from);

#endif
