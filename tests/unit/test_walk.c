/*
 * The recorder's stack walk against libunwind's, frame by frame, in every situation that a program
 * can put its stack into: all shapes of frames, threads, signals, deep stacks.
 */
#include "walk_dance.h"

static void dances_of_simple_shapes(void **state)
{
    (void)state;
    struct dancer d = dancer_new(1, 40000);
    d.shapes = simple_shapes;
    d.shape_count = COUNT(simple_shapes);
    dance(&d);
    expect_no_difference();
    assert_true(d.checks > 10000);
    assert_true(d.kept > d.checks * 4); /* the memo works */
    assert_int_equal(d.truncated, 0);
    dancer_end(&d);
}

/* A memo that was forgotten, or has outlived other stacks, gives the same. */
static void forgotten_memo(void **state)
{
    (void)state;
    struct dancer d = dancer_new(9, 0);
    for (int i = 0; i < 300; i++) {
        d.budget = 20;
        dance(&d);
        if (i % 3 == 0) {
            walk_forget(&d.memo);
            d.before_count = 0;
        }
        if (i % 7 == 0)
            loaded_generation++;
    }
    expect_no_difference();
    assert_int_equal(d.truncated, 0);
    dancer_end(&d);
}

static void *dance_in_thread(void *argument)
{
    struct dancer *d = argument;
    void *stack = malloc(4 << 20);
    use_alternate_stack(stack);
    d->memo.stack_end = (uintptr_t)pthread_self();
    dance(d);
    stack_t off = {.ss_flags = SS_DISABLE};
    sigaltstack(&off, NULL);
    free(stack);
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t ids[THREADS];
    struct dancer dancers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        dancers[i] = dancer_new(20 + (uint64_t)i, 5000);
        assert_int_equal(pthread_create(&ids[i], NULL, dance_in_thread, &dancers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(dancers[i].truncated, 0);
        assert_true(dancers[i].checks > 500);
        dancer_end(&dancers[i]);
    }
    expect_no_difference();
}

/* A timer interrupts the dance anywhere, in the middle of prologues, too. */
static struct dancer interrupting;

static void interrupt(int number)
{
    (void)number;
    if (!in_check)
        check(&interrupting);
}

static void interrupted_anywhere(void **state)
{
    (void)state;
    struct dancer d = dancer_new(33, 0);
    d.shapes = steady_shapes;
    d.shape_count = COUNT(steady_shapes);
    d.pause = 1000;
    interrupting = dancer_new(34, 0);
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 20000 && interrupting.checks < 1500; i++) {
        d.budget = 500;
        dance(&d);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN);
    expect_no_difference();
    assert_true(interrupting.checks > 100);
    assert_int_equal(interrupting.truncated, 0);
    dancer_end(&d);
    dancer_end(&interrupting);
}

/* ---- deep stacks ---- */

struct descent {
    struct dancer dancer;
    unsigned frames, check_every;
};

static __attribute__((noinline)) void descend(struct descent *s, unsigned left)
{
    if (left % s->check_every == 0)
        check(&s->dancer);
    if (left > 0)
        descend(s, left - 1);
    if (left % s->check_every == 1)
        check(&s->dancer);
    KEEP(s);
}

static void *descend_in_thread(void *argument)
{
    struct descent *s = argument;
    s->dancer.memo.stack_end = (uintptr_t)pthread_self();
    descend(s, s->frames);
    return NULL;
}

static void run_descent(struct descent *s)
{
    pthread_attr_t attributes;
    pthread_t id;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 20);
    assert_int_equal(pthread_create(&id, &attributes, descend_in_thread, s), 0);
    pthread_join(id, NULL);
    pthread_attr_destroy(&attributes);
}

static void deep_recursion(void **state)
{
    (void)state;
    struct descent s = {.dancer = dancer_new(1, 0), .frames = 30000, .check_every = 500};
    run_descent(&s);
    expect_no_difference();
    assert_int_equal(s.dancer.truncated, 0);
    assert_true(s.dancer.checks > 100);
    dancer_end(&s.dancer);
}

/* A stack of every depth, by rules where it is new, then by nodes, and stacks of some depths at
 * once. The memo has room for 84 frames, then for 336, then for 1344. */
static void every_depth_about_the_memos_room(void **state)
{
    (void)state;
    for (unsigned every = 1; every < 100; every += every < 70 ? 69 : 1) {
        struct descent s = {.dancer = dancer_new(1, 0), .check_every = every};
        s.frames = every == 1 ? 1400 : 4 * every;
        run_descent(&s);
        expect_no_difference();
        assert_int_equal(s.dancer.truncated, 0);
        assert_true(s.dancer.checks > 4);
        dancer_end(&s.dancer);
    }
}

/* Deeper than the memo may grow: the inner frames are right, the outer end is marked unknown. */
static void deeper_than_the_limit(void **state)
{
    (void)state;
    struct descent s = {.dancer = dancer_new(1, 0), .frames = WALK_DEPTH_MAX * 5 / 2};
    s.check_every = s.frames / 3;
    run_descent(&s);
    expect_no_difference();
    assert_true(s.dancer.truncated > 0);
    assert_true(s.dancer.truncated < s.dancer.checks);
    dancer_end(&s.dancer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dances_of_simple_shapes, reset),
        cmocka_unit_test_setup(dances_of_all_shapes, reset),
        cmocka_unit_test_setup(forgotten_memo, reset),
        cmocka_unit_test_setup(threads, reset),
        cmocka_unit_test_setup(interrupted_anywhere, reset),
        cmocka_unit_test_setup(deep_recursion, reset),
        cmocka_unit_test_setup(every_depth_about_the_memos_room, reset),
        cmocka_unit_test_setup(deeper_than_the_limit, reset),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
