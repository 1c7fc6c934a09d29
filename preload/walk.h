/*
 * walk.h - the stack walk: rule cache + exact memo.
 *
 * A walk is a pure function of the registers at its start and the stack slots it reads. The memo
 * keeps the last walk of a thread; a new one goes by rules from the leaf until its registers equal
 * a frame of the memo, then *compares* the slots that the rest of the old walk had read. So the
 * result is exact and costs by what changed, and it is the difference to the stack before: keep the
 * outermost `keep` frames, push the others.
 *
 * The rule cache is process-wide and lock-free: {return address -> rule, pc id}. Its entries know
 * the loader generation they were last valid in (loaded.h).
 *
 * Cost: 18-64 ns an unchanged stack at depths 12-67. Any thread; a memo belongs to one thread at a
 * time.
 */
#ifndef MPROF_WALK_H
#define MPROF_WALK_H

#include "arch_x86_64.h"

#include <stddef.h>
#include <stdint.h>

/* MEMO_EXACT: the pc itself was executing when a signal came, so it is no return address. */
enum memo_opaque { MEMO_COMPARABLE = 0, MEMO_OPAQUE = 1, MEMO_EXACT = 2 };

struct memo_frame {
    uintptr_t pc, sp, fp;
    uint32_t id;       /* of the pc in the spool's table; SPOOL_FRAME_RAW: write the pc itself */
    uint16_t fp_below; /* sp - address of the slot that held fp; 0: fp was not restored here */
    uint16_t
        opaque; /* enum memo_opaque: came by another way than the two slots; cannot be compared */
};

/*
 * Two halves of `capacity` frames: one holds the last stack, outermost first, in the other the next
 * one grows. frames[0].id == SPOOL_FRAME_UNKNOWN: what lies further out could not be walked. block
 * and flipped change by one store each, so that a jump out of a handler leaves a memo that can be
 * used after walk_forget.
 */
struct memo_block {
    uint32_t capacity;
    uint32_t unused[7];
    struct memo_frame frames[];
};

struct memo {
    struct memo_block *block; /* NULL at first */
    uint32_t flipped;         /* which half is the last stack */
    uint32_t count;
    uint32_t generation;
    uintptr_t stack_end; /* highest address of the thread's own stack, 0 unknown */
};

/* The last stack, outermost first: m->count frames. */
static inline struct memo_frame *memo_frames(const struct memo *m)
{
    return m->block->frames + (m->flipped ? m->block->capacity : 0);
}

#define WALK_DEPTH_MAX (1u << 18) /* frames; deeper stacks are truncated */

struct walk {
    uint32_t keep;   /* outermost frames that are as before */
    uint32_t push;   /* new frames behind them */
    uint32_t before; /* frames before the walk: pop = before - keep */
};

/* Walks from `from` and leaves the stack in memo_frames(m). */
struct walk walk_stack(struct memo *m, struct registers from);

/* Whether a walk from `from` comes by a frame, further out than `from`, whose sp and pc are these.
 */
enum walk_found { WALK_NOT_FOUND, WALK_FOUND, WALK_UNKNOWN /* it could not go far enough */ };
enum walk_found walk_finds(const struct memo *m, struct registers from, uintptr_t sp, uintptr_t pc);

/* The memo no longer says anything (another thread's, or an interrupted walk). */
void walk_forget(struct memo *m);

#endif
