/*
 * stack_machine.h - stacks made by hand, whose every word is known, and what a walk would find on
 * them.
 *
 * A machine calls functions and returns at random; `walked` tells its memo what a walk from the
 * innermost frame finds, with the parts (walk_cache.h) that a real walk would have kept. For one
 * test at a time.
 */
#ifndef TESTS_STACK_MACHINE_H
#define TESTS_STACK_MACHINE_H

#include "walk_dance.h"

enum { WORDS = 4096, DEEPEST = 60, FUNCTIONS = 12, STACKS = 1 << 16 };

/* Which function a frame is of, and how it was called, follows from its pc. */
struct frame {
    uintptr_t pc, sp, fp;
    bool saves_fp, uses_fp;
};

struct machine {
    uint64_t *stack;
    struct memo memo;
    uint32_t keep;               /* outermost frames that are as at the walk before */
    struct frame frame[DEEPEST]; /* outermost first */
    uint32_t count;
    uint64_t random;
    uint32_t numbers; /* given out */
    unsigned looked, found;
};

/* What was added under each number: {pc, sp} of all frames, as one sum. */
static uint64_t sum_of[STACKS];

static uint32_t chance(struct machine *x, uint32_t sides)
{
    x->random ^= x->random << 13;
    x->random ^= x->random >> 7;
    x->random ^= x->random << 17;
    return (uint32_t)(x->random >> 20) % sides;
}

static struct machine *machine_new(uint64_t seed)
{
    struct machine *x = calloc(1, sizeof *x);
    x->stack = sys_pages(WORDS * sizeof *x->stack);
    x->random = seed * 0x9e3779b97f4a7c15ull + 1;
    x->memo.block = calloc(1, block_bytes(DEEPEST));
    x->memo.block->capacity = DEEPEST;
    x->memo.stack_low = (uintptr_t)x->stack;
    x->memo.stack_end = (uintptr_t)(x->stack + WORDS);
    return x;
}

static void machine_end(struct machine *x)
{
    walk_cache_release(&x->memo);
    sys_unmap(x->stack, WORDS * sizeof *x->stack);
    free(x->memo.block);
    free(x);
}

static uintptr_t machine_sp(const struct machine *x)
{
    return x->count ? x->frame[x->count - 1].sp : x->memo.stack_end - 64;
}

/* Calls a function from one of two places in the innermost one. */
static void call(struct machine *x)
{
    uint32_t function = chance(x, FUNCTIONS), place = chance(x, 2);
    uintptr_t slot = machine_sp(x) + ARCH_RA_OFFSET;
    struct frame f = {.saves_fp = function % 3 == 0, .uses_fp = function % 4 == 0};
    if (x->count) {
        *(uint64_t *)slot = x->frame[x->count - 1].pc;
        if (f.saves_fp)
            *(uint64_t *)(slot - 8) = x->frame[x->count - 1].fp;
    }
    f.pc = 0x10000 + function * 64 + place * 8;
    f.fp = f.saves_fp ? slot - 8 : x->count ? x->frame[x->count - 1].fp : 0;
    f.sp = slot - 8 * (2 + function % 5);
    x->frame[x->count++] = f;
}

static void go_back(struct machine *x)
{
    x->count--;
    if (x->count) /* it goes on, and calls from elsewhere next */
        x->frame[x->count - 1].pc ^= chance(x, 2) * 8;
}

/* Has the walk met this frame of the one before? */
static bool is_met(const struct memo_frame *old, const struct memo_frame *f)
{
    return old->pc == f->pc && old->sp == f->sp && (old->fp == f->fp || !f->fp_matters);
}

/* Was it left the same way, so that the frames further in may be met as well? */
static bool is_left_alike(const struct memo_frame *old, const struct memo_frame *f)
{
    return old->fp_below == f->fp_below && old->reached == f->reached;
}

/* Tells the memo what a walk would find. */
static struct registers walked(struct machine *x)
{
    struct memo_frame *to = memo_frames(&x->memo);
    bool meets = true;
    x->keep = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        const struct frame *f = &x->frame[i], *callee = i + 1 < x->count ? f + 1 : NULL;
        struct memo_frame old = i < x->memo.count ? to[i] : (struct memo_frame){0};
        to[i] = (struct memo_frame){.pc = f->pc,
                                    .sp = f->sp,
                                    .fp = f->fp,
                                    .uses_fp = f->uses_fp,
                                    .fp_below = callee && callee->saves_fp ? 16 : 0,
                                    .reached = callee ? REACHED_BY_SLOTS : REACHED_OTHERWISE};
        settle_frame(to, i);
        meets = meets && is_met(&old, &to[i]);
        to[i].part = meets ? old.part : 0;
        x->keep += meets;
        meets = meets && is_left_alike(&old, &to[i]);
    }
    x->memo.count = x->count;
    const struct frame *leaf = &x->frame[x->count - 1];
    return (struct registers){leaf->pc, leaf->sp, leaf->fp};
}

static uint64_t sum(const struct machine *x)
{
    uint64_t s = x->count;
    for (uint32_t i = 0; i < x->count; i++)
        s = (s ^ x->frame[i].pc ^ x->frame[i].sp << 24) * 0x9e3779b97f4a7c15ull;
    return s;
}

#endif
