/*
 * The cache of whole stacks: on stacks made by hand, whose every word is known, and on real ones
 * beside libunwind (walk_dance.h). test_walk_cache_tiny.c is the same with tables in which
 * everything collides.
 */
#include "stack_machine.h"

#include <sys/mman.h>

static struct walk_cache_stack *cached(struct machine *x, struct registers r)
{
    return walk_cache_find(&x->memo.cache, r, x->memo.generation,
                           (struct walk_cache_bounds){x->memo.stack_low, x->memo.stack_end});
}

/* What is found must be what was added under that number. */
static void look_and_add(struct machine *x)
{
    struct registers r = walked(x);
    const struct walk_cache_stack *k = cached(x, r);
    x->looked++;
    if (k) {
        x->found++;
        assert_int_equal(k->frames, x->count);
        assert_true(sum_of[k->number] == sum(x));
        return;
    }
    uint32_t number = ++x->numbers % STACKS;
    sum_of[number] = sum(x);
    memo_frames(&x->memo)[x->count - 1].number = number;
    walk_cache_add(&x->memo, r, x->keep);
}

/* Goes in and out at random, at most so deep, and looks at the stack each time. */
static void wander(struct machine *x, uint32_t deepest, unsigned steps)
{
    while (steps-- > 0) {
        if (x->count < 2 || (x->count < deepest && chance(x, 2)))
            call(x);
        else
            go_back(x);
        if (x->count >= 2)
            look_and_add(x);
    }
}

static void what_is_found_is_on_the_stack(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct machine *x = machine_new(seed);
        wander(x, 2 + (uint32_t)seed * 2, 20000);
        assert_true(x->looked > 5000);
        machine_end(x);
    }
}

#ifndef MPROF_TINY_TABLES
static void stacks_that_come_back_are_found(void **state)
{
    (void)state;
    struct machine *x = machine_new(7);
    wander(x, 3, 50000); /* 12 * 2 functions and places: 14,000 stacks of three frames at most */
    unsigned before = x->found, looked = x->looked;
    assert_true(before > looked / 2);
    machine_end(x);
}
#endif

/* One call path, of which another slot differs each time. */
static void each_slot_can_part_stacks(void **state)
{
    (void)state;
    struct machine *x = machine_new(3);
    while (x->count < 20)
        call(x);
    struct registers r = walked(x);
    for (int turn = 0; turn < 3; turn++)
        for (uint32_t i = 0; i + 1 < x->count; i++) {
            uint64_t *slot = (uint64_t *)(x->frame[i].sp + ARCH_RA_OFFSET);
            x->frame[i].pc ^= 8;
            *slot = x->frame[i].pc;
            walked(x);
            look_and_add(x);
#ifndef MPROF_TINY_TABLES
            assert_non_null(cached(x, r));
#endif
            x->frame[i].pc ^= 8;
            *slot = x->frame[i].pc;
            assert_true(turn == 0 || cached(x, r) == NULL || cached(x, r)->frames == x->count);
        }
    machine_end(x);
}

static struct machine *machine_of(uint32_t frames)
{
    struct machine *x = machine_new(11);
    while (x->count < frames)
        call(x);
    return x;
}

static const struct walk_cache_part *outer_of(const struct machine *x,
                                              const struct walk_cache_part *part)
{
    return part->outer ? walk_cache_at(&x->memo.cache, part->outer) : NULL;
}

/* Each part of what a walk depends on, changed alone. */
static void check_any_change(struct machine *x, struct registers r)
{
    uint32_t words = 0;
    for (uint64_t *word = (uint64_t *)r.sp; word < x->stack + WORDS; word++) {
        bool held = false;
        const struct walk_cache_stack *k = cached(x, r);
        assert_non_null(k);
        for (const struct walk_cache_part *part = &k->inner; part; part = outer_of(x, part))
            for (uint32_t i = 0; i < words_of(part); i++)
                held |= x->stack + WORDS - place_at(part, i) == word;
        *word ^= 1;
        assert_int_equal(cached(x, r) == NULL, held);
        *word ^= 1;
        words += held;
    }
    assert_true(words >= x->count - 1);
    assert_null(cached(x, (struct registers){r.pc + 1, r.sp, r.fp}));
    assert_null(cached(x, (struct registers){r.pc, r.sp + 8, r.fp}));
    assert_int_equal(cached(x, (struct registers){r.pc, r.sp, r.fp + 8}) == NULL,
                     memo_frames(&x->memo)[x->count - 1].fp_matters != 0);
    x->memo.generation++;
    assert_null(cached(x, r));
}

static void any_change_is_a_miss(void **state)
{
    (void)state;
    struct machine *x = machine_of(30);
    struct registers r = walked(x);
    walk_cache_add(&x->memo, r, x->keep);
    check_any_change(x, r);
    machine_end(x);
}

#ifndef MPROF_TINY_TABLES
static uint32_t parts_of(const struct machine *x, const struct walk_cache_stack *k)
{
    uint32_t parts = 0;
    for (const struct walk_cache_part *part = &k->inner; part; part = outer_of(x, part))
        parts++;
    return parts;
}

static void any_change_of_a_shared_part_is_a_miss(void **state)
{
    (void)state;
    struct machine *x = machine_of(30);
    struct registers r = {0};
    for (uint32_t outer = 10; outer <= 20; outer += 10) {
        while (x->count > outer)
            go_back(x);
        while (x->count < 30)
            call(x);
        r = walked(x);
        walk_cache_add(&x->memo, r, x->keep);
        while (x->count > outer + 5)
            go_back(x);
        while (x->count < 30)
            call(x);
        r = walked(x);
        walk_cache_add(&x->memo, r, x->keep);
    }
    assert_int_equal(parts_of(x, cached(x, r)), 4);
    check_any_change(x, r);
    machine_end(x);
}
#endif

/* A new chunk gives other numbers. */
static void a_number_is_renewed(void **state)
{
    (void)state;
    struct machine *x = machine_of(10);
    struct registers r = walked(x);
    for (uint32_t number = 1; number < 5; number++) {
        memo_frames(&x->memo)[x->count - 1].number = number;
        walk_cache_add(&x->memo, r, x->keep);
        assert_int_equal(cached(x, r)->number, number);
    }
    assert_true(x->memo.cache.arena_used <=
                ARENA_EMPTY + sizeof(struct walk_cache_stack) + part_bytes(2 * x->count));
    machine_end(x);
}

static void what_cannot_be_held(void **state)
{
    (void)state;
    struct machine *x = machine_of(10);
    struct registers r = walked(x);
    memo_frames(&x->memo)[4].reached = REACHED_OTHERWISE;
    walk_cache_add(&x->memo, r, x->keep);
    assert_null(cached(x, r));
    walked(x);
    memo_frames(&x->memo)[x->count - 1].gaps = 2; /* one of three stacks may be gone */
    walk_cache_add(&x->memo, r, x->keep);
    assert_null(cached(x, r));
    memo_frames(&x->memo)[x->count - 1].gaps = 1;
    x->memo.stack_end += 2 * GAP_MIN; /* the same, where the last one's end is not the thread's */
    walk_cache_add(&x->memo, r, x->keep);
    assert_null(cached(x, r));
    x->memo.stack_end -= 2 * GAP_MIN;
    walk_cache_add(&x->memo, r, x->keep);
    assert_non_null(cached(x, r)); /* the thread's own, and the present one */
    walk_cache_clear(&x->memo);
    walked(x);
    x->memo.stack_end = x->frame[0].sp - 8; /* its outer end is not on the thread's stack */
    walk_cache_add(&x->memo, r, x->keep);
    assert_null(cached(x, r));
    x->memo.stack_end = (uintptr_t)(x->stack + WORDS);
    x->memo.stack_low = r.sp + 8;
    walk_cache_add(&x->memo, r, x->keep);
    assert_null(cached(x, r));
    x->memo.stack_low = (uintptr_t)x->stack;
    walk_cache_add(&x->memo, r, x->keep);
    x->memo.shown = cached(x, r);
    assert_non_null(x->memo.shown);
    walk_cache_clear(&x->memo);
    assert_null(x->memo.shown); /* another stack may come to lie there */
    assert_null(cached(x, r));
    machine_end(x);
}

static void far_steps_by_fp_are_gaps(void **state)
{
    (void)state;
    struct memo_frame f[] = {
        {.sp = 5 * GAP_MIN, .uses_fp = 1},     {.sp = 4 * GAP_MIN, .uses_fp = 1},
        {.sp = 3 * GAP_MIN - 8, .uses_fp = 1}, {.sp = GAP_MIN, .uses_fp = 0},
        {.sp = 9 * GAP_MIN, .uses_fp = 0},     {.sp = 8, .uses_fp = 1}};
    const uint16_t gaps[] = {0, 0, 1, 1, 1, 2};
    for (uint32_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        settle_frame(f, i);
        assert_int_equal(f[i].gaps, gaps[i]);
    }
}

static void memory_is_bounded(void **state)
{
    (void)state;
    struct machine *x = machine_new(5);
    size_t most = 0;
    for (int i = 0; i < 100; i++) {
        wander(x, DEEPEST, 1000);
        size_t bytes = bucket_bytes(x->memo.cache.bucket_shift) + x->memo.cache.arena_bytes;
        assert_true(x->memo.cache.arena_used <= x->memo.cache.arena_bytes);
        most = bytes > most ? bytes : most;
    }
    assert_true(most <= 640u << 10);
    machine_end(x);
}

/* Whatever a table holds, a look-up ends and finds nothing false. */
static void any_table(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct machine *x = machine_new(seed);
        wander(x, 20, 2000);
        struct walk_cache_way *way = x->memo.cache.buckets->way;
        uint32_t count = WALK_CACHE_WAYS << (64 - x->memo.cache.bucket_shift);
        for (uint32_t i = 0; i < count; i++) { /* shuffled */
            struct walk_cache_way *other = &way[chance(x, count)], swap = *other;
            other->ref = way[i].ref;
            way[i].ref = swap.ref;
            way[i].tag = chance(x, 4) ? way[i].tag : swap.tag;
        }
        wander(x, 20, 2000);
        machine_end(x);
    }
}

#ifndef MPROF_TINY_TABLES
/* One place that allocates for all, as a wrapper of malloc's does. */
static void what_came_once_was_not_seen(void **state)
{
    (void)state;
    struct machine *x = machine_of(10);
    unsigned seen = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        x->frame[8].pc = 0x20000 + i * 8;
        struct registers r = walked(x);
        seen += (unsigned)walk_cache_has_seen(&x->memo, r);
    }
    assert_int_equal(seen, 0);
    assert_true(walk_cache_has_seen(&x->memo, walked(x)));
    machine_end(x);
}
#endif

/* A word that is no return address ends the stack: it belongs to what must be as it was. */
static void the_word_at_the_end(void **state)
{
    (void)state;
    struct machine *x = machine_of(10);
    uint64_t *end = x->stack + WORDS - 1;
    x->memo.end_slot = (uintptr_t)end;
    struct registers r = walked(x);
    walk_cache_add(&x->memo, r, x->keep);
    assert_non_null(cached(x, r));
    assert_true(walk_cache_agrees(&x->memo, r.sp, cached(x, r)));
    *end = 0x5000;
    assert_null(cached(x, r));
    x->memo.end_slot = MEMO_NO_END;
    walk_cache_add(&x->memo, r, x->keep);
    assert_null(cached(x, r));
    machine_end(x);
}

/* The thread's own stack has gone but for its end; it stands on another one, further in. Nothing is
 * read of what lies between, whatever the table says. */
static void another_stack_is_left_alone(void **state)
{
    (void)state;
    struct machine *x = machine_new(17);
    wander(x, DEEPEST, 20000);
    struct walk_cache *c = &x->memo.cache;
    for (uint32_t i = 0; i < 1u << (64 - c->bucket_shift); i++) /* what every small key leads to */
        for (uint32_t tag = 1; tag <= 3; tag += 2)
            c->buckets[i].way[tag / 2] = (struct walk_cache_way){tag, new_branch(c, 10 + i % 1000)};
    x->memo.stack_low = x->memo.stack_end - 64;
    assert_int_equal(mprotect(x->stack + WORDS / 2, WORDS / 2 * sizeof *x->stack, PROT_NONE), 0);
    for (uintptr_t pc = 0x10000; pc < 0x10000 + FUNCTIONS * 64; pc += 8)
        for (uint64_t *sp = x->stack; sp < x->stack + WORDS / 2; sp++)
            assert_null(cached(x, (struct registers){pc, (uintptr_t)sp, 0}));
    machine_end(x);
}

/* ---- real stacks ---- */

struct cached_dance {
    struct dancer dancer;
    unsigned rounds;
};

static void *dance_cached(void *argument)
{
    struct cached_dance *c = argument;
    struct dancer *d = &c->dancer;
    void *stack = malloc(4 << 20);
    use_alternate_stack(stack);
    walk_new_stack(&d->memo, (uintptr_t)__builtin_frame_address(0), (uintptr_t)pthread_self());
    uint64_t random = d->random;
    for (unsigned i = 0; i < c->rounds; i++) { /* the same dance again and again */
        d->random = random;
        d->budget = 1000;
        dance(d);
    }
    stack_t off = {.ss_flags = SS_DISABLE};
    sigaltstack(&off, NULL);
    free(stack);
    return NULL;
}

/* Most of these stacks can be held: of frames with a gap there is only one kind. Those of all
 * shapes are on another stack most of the time. */
static shape *const held_shapes[] = {
    plain,       with_frame_pointer, busy,       with_array,   with_alloca,
    large_frame, pushes_arguments,   asm_pushes, asm_remembers};

static struct cached_dance cached_dance_new(unsigned i)
{
    struct cached_dance c = {dancer_new(50 + i, 0), 20};
    if (i % 2) {
        c.dancer.shapes = held_shapes;
        c.dancer.shape_count = COUNT(held_shapes);
    }
    return c;
}

static void dances_in_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t ids[THREADS];
    struct cached_dance dances[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        dances[i] = cached_dance_new(i);
        assert_int_equal(pthread_create(&ids[i], NULL, dance_cached, &dances[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(ids[i], NULL);
        assert_int_equal(dances[i].dancer.truncated, 0);
#ifndef MPROF_TINY_TABLES

        assert_true(dances[i].dancer.found > (i % 2 ? dances[i].dancer.checks / 4 : 0));
#endif
        dancer_end(&dances[i].dancer);
    }
    expect_no_difference();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_is_on_the_stack),
#ifndef MPROF_TINY_TABLES
        cmocka_unit_test(stacks_that_come_back_are_found),
#endif
        cmocka_unit_test(each_slot_can_part_stacks),
        cmocka_unit_test(any_change_is_a_miss),
#ifndef MPROF_TINY_TABLES
        cmocka_unit_test(any_change_of_a_shared_part_is_a_miss),
#endif
        cmocka_unit_test(a_number_is_renewed),
        cmocka_unit_test(what_cannot_be_held),
        cmocka_unit_test(far_steps_by_fp_are_gaps),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(any_table),
        cmocka_unit_test(another_stack_is_left_alone),
        cmocka_unit_test(the_word_at_the_end),
#ifndef MPROF_TINY_TABLES
        cmocka_unit_test(what_came_once_was_not_seen),
#endif
        cmocka_unit_test_setup(dances_of_all_shapes, reset),
        cmocka_unit_test_setup(dances_in_threads, reset),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
