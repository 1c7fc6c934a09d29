/*
 * The self-check finds what is wrong: errors are planted in the rules, in the memo and in the stack
 * that a walk has left, and each must come out as a difference, told as format/spool.h says;
 * without them there is none. Its manners, too: errno, signals, forks, small stacks.
 */
#include "../../preload/cfi.h"

static struct rule lying_rule(const struct cfi_module *module, uintptr_t pc);
static struct rule true_rule(const struct cfi_module *module, uintptr_t pc);
#define cfi_rule true_rule
#include "../../preload/cfi.c"
#undef cfi_rule
#define cfi_rule lying_rule
#include "../../preload/loaded.c"
#include "../../preload/lookup.c"
#include "../../preload/module_facts.c"
#include "../../preload/objects.c"
#include "../../preload/rules.c"
#include "../../preload/selfcheck.c"
#include "../../preload/step.c"
#include "../../preload/unwind.c"
#include "../../preload/unwind_space.c"
#include "../../preload/walk.c"
#include "../../preload/walk_cache.c"
#include "../../preload/walk_numbers.c"
#include "../../preload/word.c"
#undef cfi_rule

#include "recorder_stubs.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define APART   __attribute__((noinline, noclone, optimize("omit-frame-pointer")))
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

/* ---- rules that lie, about one function ---- */

static void inner(void (*callback)(void *), void *argument);

static void (*lie)(struct rule *); /* NULL: the truth */
static uintptr_t liar;             /* the pc in `inner` that the lie is about */

static struct rule lying_rule(const struct cfi_module *module, uintptr_t pc)
{
    struct rule rule = true_rule(module, pc);
    if (lie && pc == liar - 1)
        lie(&rule);
    return rule;
}

/* ---- a stack, and what the check says of it ---- */

static struct thread thread;
static unsigned labels;
static uint64_t label_number;
static uint8_t label[SPOOL_PAGE];
static size_t label_bytes;
static void (*plant)(struct memo *); /* spoils what the walk has left */

void record_label(struct thread *t, uint64_t number, const void *payload, size_t bytes)
{
    assert_ptr_equal(t, &thread);
    assert_in_range(bytes, 12, sizeof label);
    labels++;
    label_number = number;
    label_bytes = bytes;
    memcpy(label, payload, bytes);
}

static __attribute__((noinline, optimize("no-omit-frame-pointer"))) void hook(void *argument)
{
    struct registers caller = arch_registers(ARCH_CALLER());
    liar = caller.pc;
    walk_stack(&thread.memo, caller.pc, caller.sp, caller.fp);
    if (plant)
        plant(&thread.memo);
    selfcheck(&thread, caller);
    if (plant)
        walk_reset(&thread.memo);
    KEEP(argument);
}

static APART void inner(void (*callback)(void *), void *argument)
{
    char room[136];
    KEEP(room);
    callback(argument);
    KEEP(room);
}

static APART void descend(int frames)
{
    if (frames > 0)
        descend(frames - 1);
    else
        inner(hook, NULL);
    KEEP(&frames);
}

static void expect_counts(unsigned compared, unsigned differ)
{
    assert_int_equal(process.checked, compared);
    assert_int_equal(process.differing, differ);
}

/* The label's words and frames; returns the first frame in which the two sides differ. */
struct told {
    uint32_t counts[2], left;
    uintptr_t frames[2][BEFORE + BEHIND];
};

static uint32_t read_label(struct told *t)
{
    uint32_t head[3], id, i = 0;
    const uint8_t *p = label + sizeof head;
    memcpy(head, label, sizeof head);
    *t = (struct told){.counts = {head[0], head[1]}, .left = head[2]};
    for (int side = 0; side < 2; side++)
        for (uint32_t k = 0; k < t->counts[side]; k++) {
            uint64_t pc = 0;
            assert_true(k < BEFORE + BEHIND);
            p = spool_decode_frame(p, &id, &pc);
            t->frames[side][k] = id == SPOOL_FRAME_RAW ? pc : pcs[id].pc;
        }
    assert_int_equal(p - label, label_bytes);
    assert_int_equal(label_number, SPOOL_LABEL_DIFFERENCE);
    while (i < t->counts[0] && i < t->counts[1] && t->frames[0][i] == t->frames[1][i])
        i++;
    return t->left + i;
}

/* One stack of 3 + some frames is compared and differs first in frame `frame`. */
static void expect_difference_at(uint32_t frame)
{
    struct told t;
    descend(3);
    expect_counts(1, 1);
    assert_int_equal(labels, 1);
    assert_int_equal(read_label(&t), frame);
}

static int set_up(void **state)
{
    (void)state;
    start_recorder();
    return ready ? 0 : -1;
}

static int reset(void **state)
{
    extern void *__libc_stack_end;
    (void)state;
    walk_reset(&thread.memo);
    thread.memo.stack_end = (uintptr_t)__libc_stack_end + SPOOL_PAGE;
    loaded_generation++; /* no rule is believed any more */
    memset(rule_tiers, 0, sizeof rule_tiers);
    memset(tier_modules, 0, sizeof tier_modules);
    process.checked = process.differing = 0;
    counter = reported = labels = 0;
    lie = NULL;
    plant = NULL;
    selfcheck_start(1);
    return 0;
}

/* ---- the truth ---- */

static void equal_stacks(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        descend(i);
    expect_counts(100, 0);
    assert_int_equal(labels, 0);
}

static void every_third(void **state)
{
    (void)state;
    selfcheck_start(3);
    for (int i = 0; i < 10; i++)
        descend(i);
    expect_counts(3, 0);
    selfcheck_start(0);
    descend(1);
    expect_counts(3, 0);
}

/* ---- errors ---- */

static void larger_frame(struct rule *rule)
{
    rule->cfa_offset += 8;
}

static void smaller_frame(struct rule *rule)
{
    rule->cfa_offset -= 16;
}

static void other_base(struct rule *rule)
{
    rule->base_fp = !rule->base_fp;
}

static void no_rule(struct rule *rule)
{
    rule->kind = RULE_NONE;
}

static void outermost(struct rule *rule)
{
    rule->kind = RULE_END;
}

/* The frame itself is right, its caller is not. */
static void lying_rules(void **state)
{
    static void (*const lies[])(struct rule *) = {larger_frame, smaller_frame, other_base, no_rule,
                                                  outermost};
    for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
        reset(state);
        lie = lies[i];
        expect_difference_at(1);
    }
}

static struct memo_frame *innermost(struct memo *m, uint32_t i)
{
    return &memo_frames(m)[m->count - 1 - i];
}

static void other_pc(struct memo *m)
{
    innermost(m, 2)->pc++;
    innermost(m, 2)->id = SPOOL_FRAME_RAW;
}

static void missing_frame(struct memo *m)
{
    memmove(innermost(m, 1), innermost(m, 0), sizeof(struct memo_frame));
    m->count--;
}

static void frame_too_many(struct memo *m)
{
    m->count++;
    memmove(innermost(m, 1), innermost(m, 2), 2 * sizeof(struct memo_frame));
    innermost(m, 2)->pc = 0x1234;
    innermost(m, 2)->id = SPOOL_FRAME_RAW;
}

static void wrong_frames(void **state)
{
    static void (*const plants[])(struct memo *) = {other_pc, missing_frame, frame_too_many};
    for (unsigned i = 0; i < sizeof plants / sizeof *plants; i++) {
        reset(state);
        plant = plants[i];
        expect_difference_at(plant == missing_frame ? 1 : 2);
    }
}

/* At the outer end; how deep that is the test's own start decides. */
static void shorten(struct memo *m)
{
    memmove(memo_frames(m), memo_frames(m) + 1, --m->count * sizeof(struct memo_frame));
}

static void lengthen(struct memo *m)
{
    memmove(memo_frames(m) + 1, memo_frames(m), m->count++ * sizeof(struct memo_frame));
}

static void cut(struct memo *m)
{
    memo_frames(m)[0].id = SPOOL_FRAME_UNKNOWN;
}

static void wrong_ends(void **state)
{
    static void (*const plants[])(struct memo *) = {shorten, lengthen, cut};
    struct told t;
    descend(3);
    for (unsigned i = 0; i < sizeof plants / sizeof *plants; i++) {
        uint32_t depth = thread.memo.count;
        reset(state);
        plant = plants[i];
        descend(3);
        expect_counts(1, 1);
        assert_int_equal(read_label(&t), plant == lengthen ? depth : depth - 1);
        plant = NULL;
        descend(3);
    }
}

static void other_sp(struct memo *m)
{
    innermost(m, 2)->sp += 16;
}

static void wrong_stack_pointer(void **state)
{
    (void)state;
    plant = other_sp;
    descend(3);
    expect_counts(1, 1);
    assert_int_equal(labels, 1);
}

static unsigned bad_depth;

static void pc_far_out(struct memo *m)
{
    innermost(m, bad_depth)->pc ^= 1;
    innermost(m, bad_depth)->id = SPOOL_FRAME_RAW;
}

/* Equal frames are left out, but for those next to the difference. */
static void far_from_the_leaf(void **state)
{
    struct told t;
    for (bad_depth = 5; bad_depth < 5000; bad_depth = bad_depth * 3 + 1) {
        reset(state);
        plant = pc_far_out;
        descend(6000);
        expect_counts(1, 1);
        assert_int_equal(read_label(&t), bad_depth);
        assert_int_equal(t.left, bad_depth > BEFORE ? bad_depth - BEFORE : 0);
        assert_int_equal(t.counts[0], bad_depth - t.left + BEHIND);
        assert_int_equal(t.counts[1], t.counts[0]);
    }
}

static void only_so_many_are_told(void **state)
{
    (void)state;
    plant = other_pc;
    for (int i = 0; i < REPORTS_MAX + 10; i++)
        descend(2);
    expect_counts(REPORTS_MAX + 10, REPORTS_MAX + 10);
    assert_int_equal(labels, REPORTS_MAX);
}

/* ---- manners ---- */

static void leaves_errno_and_signals(void **state)
{
    sigset_t before, after, some;
    (void)state;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &some, &before);
    errno = 77;
    descend(5);
    assert_int_equal(errno, 77);
    pthread_sigmask(SIG_SETMASK, &before, &after);
    assert_true(sigismember(&after, SIGUSR1) && !sigismember(&after, SIGUSR2));
    assert_false(own_work());
    expect_counts(1, 0);
}

static void *on_small_stack(void *unused)
{
    thread.memo.stack_end = (uintptr_t)pthread_self();
    descend(10);
    return unused;
}

static void smallest_stack(void **state)
{
    pthread_attr_t attributes;
    pthread_t id;
    (void)state;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN), 0);
    assert_int_equal(pthread_create(&id, &attributes, on_small_stack, NULL), 0);
    pthread_join(id, NULL);
    pthread_attr_destroy(&attributes);
    expect_counts(1, 0);
}

/* While a fork is under way nothing is asked of libunwind; in a child that found it at work, never.
 */
static void forks(void **state)
{
    (void)state;
    unwind_fork_begin();
    descend(2);
    expect_counts(0, 0);
    unwind_fork_end();
    descend(2);
    expect_counts(1, 0);
    taken = 1;
    owner = 1; /* another thread */
    unwind_after_fork();
    descend(2);
    expect_counts(1, 0);
    taken = 0;
    owner = 0;
    ready = 1;
    unwind_after_fork();
    descend(2);
    expect_counts(2, 0);
}

/* Who cannot have it within a moment goes without. */
static void somebody_has_it(void **state)
{
    (void)state;
    taken = 1;
    owner = 1;
    descend(2);
    expect_counts(0, 0);
    taken = 0;
    owner = 0;
    descend(2);
    expect_counts(1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(equal_stacks, reset),
        cmocka_unit_test_setup(every_third, reset),
        cmocka_unit_test_setup(lying_rules, reset),
        cmocka_unit_test_setup(wrong_frames, reset),
        cmocka_unit_test_setup(wrong_ends, reset),
        cmocka_unit_test_setup(wrong_stack_pointer, reset),
        cmocka_unit_test_setup(far_from_the_leaf, reset),
        cmocka_unit_test_setup(only_so_many_are_told, reset),
        cmocka_unit_test_setup(leaves_errno_and_signals, reset),
        cmocka_unit_test_setup(smallest_stack, reset),
        cmocka_unit_test_setup(forks, reset),
        cmocka_unit_test_setup(somebody_has_it, reset),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
