/*
 * walk_dance.h - a dance of shapes (walk_shapes.h), and the check of one stack against libunwind's,
 * frame by frame: pc and stack pointer. The walk, the reader of .eh_frame and the list of loaded
 * objects are the recorder's own sources; the spool they write to is memory here.
 */
#ifndef TESTS_WALK_DANCE_H
#define TESTS_WALK_DANCE_H

#include "../../preload/cfi.c"
#include "../../preload/loaded.c"
#include "../../preload/lookup.c"
#include "../../preload/module_facts.c"
#include "../../preload/objects.c"
#include "../../preload/rules.c"
#include "../../preload/step.c"
#include "../../preload/unwind.c"
#include "../../preload/unwind_space.c"
#include "../../preload/walk.c"
#include "../../preload/walk_cache.c"
#include "../../preload/walk_numbers.c"
#include "../../preload/word.c"

#include "recorder_stubs.h"
#include "walk_shapes.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- a dance, and the check of one stack ---- */

struct dancer {
    struct memo memo;
    uint64_t random;
    shape *const *shapes;
    unsigned shape_count;
    int deepest;
    unsigned pause;     /* one step in so many is a check, on average */
    unsigned budget;    /* steps left */
    unsigned checks;    /* stacks compared */
    unsigned kept;      /* frames that the memo spared */
    unsigned truncated; /* stacks whose outer end the walk did not reach */
    unsigned found;     /* stacks that the cache knew */
    uintptr_t *before;  /* pcs of the last stack, outermost first */
    uint32_t before_count, before_capacity;
};

__thread struct dancer *walk_dancing;
__thread int walk_depth;
static __thread volatile sig_atomic_t in_check; /* no libunwind inside libunwind */
static unsigned differences;                    /* of all threads */
static char first_difference[256];

static void differ(const char *what, uint32_t frame, uint32_t count, uintptr_t ours,
                   uintptr_t theirs)
{
    if (__atomic_fetch_add(&differences, 1, __ATOMIC_RELAXED) == 0)
        snprintf(first_difference, sizeof first_difference,
                 "%s at frame %u of %u: %#lx, libunwind has %#lx", what, frame, count, ours,
                 theirs);
}

/* What the walk says it kept must be what the last stack had there. */
static void check_delta(struct dancer *d, const struct walk *w)
{
    const struct memo *m = &d->memo;
    const struct memo_frame *frames = memo_frames(m);
    if (w->before != d->before_count || w->keep > w->before || w->keep + w->push != m->count)
        differ("delta", w->keep, m->count, w->before, d->before_count);
    for (uint32_t i = 0; i < w->keep && i < d->before_count; i++)
        if (d->before[i] != frames[i].pc)
            differ("kept", i, m->count, frames[i].pc, d->before[i]);
    if (d->before_capacity < m->count) {
        d->before_capacity = m->count * 2;
        d->before = realloc(d->before, sizeof *d->before * d->before_capacity);
    }
    for (uint32_t i = w->keep < m->count ? w->keep : 0; i < m->count; i++)
        d->before[i] = frames[i].pc;
    d->before_count = m->count;
    d->kept += w->keep;
}

struct check {
    const struct memo *memo;
    uint32_t left; /* frames not compared yet, the outermost first */
    uint32_t last; /* 1 where frame 0 is the mark of an unknown rest */
    bool over;
};

static int check_frame(void *context, uintptr_t pc, uintptr_t sp, const struct unwind_view *view)
{
    struct check *c = context;
    const struct memo_frame *f = &memo_frames(c->memo)[c->left - 1];
    uint32_t count = c->memo->count, i = count - c->left;
    (void)view;
    c->over = true;
    if (c->left == c->last) {
        if (!c->last)
            differ("too short", i, count, 0, pc);
        return 0;
    }
    if (f->pc != pc || f->sp != sp) {
        differ("frame", i, count, f->pc, pc);
        return 0;
    }
    if (f->id != SPOOL_FRAME_RAW && pcs[f->id].pc != pc)
        differ("id", i, count, pcs[f->id].pc, pc);
    c->left--;
    c->over = false;
    return 1;
}

/* The walk's stack against libunwind's. */
static void check_frames(struct dancer *d, struct registers from)
{
    struct check c = {.memo = &d->memo, .left = d->memo.count};
    c.last = c.left && memo_frames(c.memo)[0].id == SPOOL_FRAME_UNKNOWN;
    d->truncated += c.last;
    if (unwind_stack(from, check_frame, &c) == UNWOUND_NOT)
        differ("no libunwind", 0, c.left, 0, 0);
    else if (!c.over && c.left != c.last)
        differ("too long", c.memo->count - c.left, c.memo->count,
               memo_frames(c.memo)[c.left - 1].pc, 0);
}

/* A stack that the cache knows is the walk's, word by word. */
static void check_cached(struct dancer *d, const struct walk_cache_stack *k, struct registers from)
{
    d->found++;
    if (!walk_cache_agrees(&d->memo, from.sp, k))
        differ("cached", 0, d->memo.count, k->frames, d->memo.count);
}

static __attribute__((noinline, optimize("no-omit-frame-pointer"))) void check(struct dancer *d)
{
    struct registers from = arch_registers(ARCH_CALLER());
    in_check = 1;
    const struct walk_cache_stack *k =
        walk_cache_find(&d->memo.cache, from, loaded_generation,
                        (struct walk_cache_bounds){d->memo.stack_low, d->memo.stack_end});
    struct walk w = walk_stack(&d->memo, from.pc, from.sp, from.fp);
    check_delta(d, &w);
    check_frames(d, from);
    if (k)
        check_cached(d, k, from);
    walk_cache_add(&d->memo, from, w.keep);
    d->checks++;
    in_check = 0;
    __asm__ volatile("" : : : "memory");
}

static unsigned roll(struct dancer *d, unsigned sides)
{
    d->random = d->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(d->random >> 33) % sides;
}

__attribute__((noinline)) void walk_next(struct dancer *d, int depth)
{
    for (unsigned times = 1 + roll(d, 2); times > 0 && d->budget > 0; times--) {
        d->budget--;
        if (roll(d, d->pause) == 0)
            check(d);
        if (depth < d->deepest && roll(d, 8) != 0)
            d->shapes[roll(d, d->shape_count)](d, depth + 1);
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct dancer dancer_new(uint64_t seed, unsigned budget)
{
    return (struct dancer){.random = seed * 77 + 1,
                           .shapes = all_shapes,
                           .shape_count = COUNT(all_shapes),
                           .deepest = 25,
                           .pause = 3,
                           .budget = budget};
}

static void dance(struct dancer *d)
{
    while (d->budget > 0)
        walk_next(d, 0);
}

static void dancer_end(struct dancer *d)
{
    walk_cache_release(&d->memo);
    if (d->memo.block)
        sys_unmap(d->memo.block, block_bytes(d->memo.block->capacity));
    free(d->before);
}

static void expect_no_difference(void)
{
    if (differences)
        fail_msg("%u differences; the first: %s", differences, first_difference);
}

/* ---- the tests ---- */

static void *alternate_stack;

static void use_alternate_stack(void *memory)
{
    stack_t stack = {.ss_sp = memory, .ss_size = 4 << 20};
    assert_int_equal(sigaltstack(&stack, NULL), 0);
}

static int set_up(void **state)
{
    (void)state;
    struct sigaction here = {.sa_handler = handle_dancing, .sa_flags = SA_NODEFER};
    struct sigaction there = {.sa_handler = handle_dancing, .sa_flags = SA_ONSTACK | SA_NODEFER};
    start_recorder();
    alternate_stack = malloc(4 << 20);
    use_alternate_stack(alternate_stack);
    sigaction(SIGUSR1, &here, NULL);
    sigaction(SIGUSR2, &there, NULL);
    return ready ? 0 : -1;
}

static int reset(void **state)
{
    (void)state;
    differences = 0;
    return 0;
}

static void dances_of_all_shapes(void **state)
{
    (void)state;
    for (uint64_t seed = 2; seed < 6; seed++) {
        struct dancer d = dancer_new(seed, 10000);
        dance(&d);
        expect_no_difference();
        assert_true(d.checks > 1000);
        assert_int_equal(d.truncated, 0);
        dancer_end(&d);
    }
}

#endif
