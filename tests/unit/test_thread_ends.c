/* test_thread_ends.c - when the function that a thread runs in ends: with its thread. */
#include "collect_fixture.h"

enum { MAIN = 1, SERVE = 2, OTHER = 3 };

static struct spool_builder b;
static struct builder_stream *s;

static int set_up(void **state)
{
    (void)state;
    builder_init(&b);
    s = builder_stream(&b, 0, 0);
    return 0;
}

static void expect_end(const struct collector *c, uint32_t function, uint64_t ns, uint64_t level)
{
    const struct span *span = &usage_of(c, 0, function)->heap.span;
    assert_true(span->valid);
    assert_int_equal(span->end_ns, ns);
    assert_int_equal(span->end_level, level);
}

/* Two threads at once. SERVE is over with a free, which has no stack; main with the process. */
static void threads_at_once(void)
{
    struct builder_stream *t = builder_stream(&b, 0, 1);
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    builder_alloc(t, 20, 0x2000, 100, FRAMES(SERVE));
    builder_alloc(t, 30, 0x3000, 20, FRAMES(SERVE, OTHER));
    builder_free_block(t, 40, 0x2000);
    builder_alloc(s, 50, 0x4000, 1000, FRAMES(MAIN));
    builder_free_block(s, 60, 0x4000);
}

static void expect_ends(uint64_t main_ns)
{
    struct collector *c = collect(&b);
    expect_end(c, MAIN, main_ns, 30);
    expect_end(c, SERVE, 40, 30);
    expect_end(c, OTHER, 30, 130);
    collector_free(c);
}

static void test_killed(void **state)
{
    (void)state;
    threads_at_once();
    expect_ends(60);
}

static void test_exit(void **state)
{
    (void)state;
    threads_at_once();
    b.processes[0].end_kind = SPOOL_END_EXIT;
    b.processes[0].end_ticks = BUILDER_START + 90;
    expect_ends(90);
}

/* The initial thread has got a second serial, but its tid is the process's pid. */
static void test_second_serial(void **state)
{
    (void)state;
    b.processes[0].pid = 5001; /* as the builder says of thread 1 */
    threads_at_once();
    struct collector *c = collect(&b);
    expect_end(c, SERVE, 60, 30);
    expect_end(c, OTHER, 30, 130);
    collector_free(c);
}

/* The stream's next thread comes late. */
static void test_next_thread(void **state)
{
    (void)state;
    threads_at_once();
    struct builder_stream *t = builder_stream(&b, 0, 2);
    builder_alloc(t, 65, 0x5000, 1, FRAMES(SERVE));
    builder_thread(t, 70, 3);
    builder_alloc(t, 80, 0x6000, 2000, FRAMES(SERVE));
    builder_alloc(s, 90, 0x7000, 1, FRAMES(MAIN));
    struct collector *c = collect(&b);
    expect_end(c, SERVE, 80, 2031);
    assert_int_equal(usage_of(c, 0, SERVE)->heap.span.thread, 3);
    collector_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_killed, set_up),
        cmocka_unit_test_setup(test_exit, set_up),
        cmocka_unit_test_setup(test_second_serial, set_up),
        cmocka_unit_test_setup(test_next_thread, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
