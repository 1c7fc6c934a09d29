/* test_debts.c - frees whose block another one took, whose time was too early. */
#include "collect_fixture.h"

static struct spool_builder b;

/* Thread 0 and thread 1 of one process, a stream each. */
static void two_streams(struct builder_stream *s[2])
{
    builder_init(&b);
    s[0] = builder_stream(&b, 0, 0);
    s[1] = builder_stream(&b, 0, 1);
}

static struct quality collected(struct totals *totals)
{
    struct collector *c;
    int fd = builder_file(&b);

    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    struct quality quality = collector_image(c)->processes[0].quality;
    *totals = collector_image(c)->processes[0].totals;
    collector_free(c);
    close(fd);
    builder_free(&b);
    return quality;
}

static void expect(uint64_t unmatched, uint64_t implied, uint64_t frees, uint64_t live)
{
    struct totals totals;
    struct quality quality = collected(&totals);

    assert_int_equal(quality.unmatched_frees, unmatched);
    assert_int_equal(quality.implied_frees, implied);
    assert_int_equal(totals.frees, frees);
    assert_int_equal(totals.live_at_end_blocks, live);
}

/* Thread 1's free, in truth of what thread 0 allocates at `again`, has the time 100. */
static void free_too_early(uint64_t again)
{
    struct builder_stream *s[2];

    two_streams(s);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    builder_free_block(s[1], 100, 0x1000);
    builder_free_block(s[0], 300, 0x1000);
    builder_alloc(s[0], again, 0x1000, 50, FRAMES(1));
    builder_alloc(s[1], again + 5000, 0x1000, 60, FRAMES(1));
}

static void test_a_free_that_was_taken_is_owed(void **state)
{
    (void)state;
    free_too_early(700);
    expect(0, 0, 2, 1);
    free_too_early(900000);
    expect(0, 0, 2, 1);
}

static void test_a_debt_expires(void **state)
{
    (void)state;
    free_too_early(1100000);
    expect(1, 1, 2, 1);
}

static void test_a_debt_that_nobody_settles_is_unmatched(void **state)
{
    struct builder_stream *s[2];
    (void)state;

    two_streams(s);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    builder_free_block(s[1], 100, 0x1000);
    builder_free_block(s[0], 300, 0x1000);
    expect(1, 0, 2, 0);
}

/* A free of one's own a second time, or long after, is no debt: what is allocated then stays. */
static void test_a_second_free_is_unmatched(void **state)
{
    struct builder_stream *s[2];
    (void)state;

    two_streams(s);
    builder_alloc(s[0], 10, 0x1000, 40, FRAMES(1));
    builder_free_block(s[0], 100, 0x1000);
    builder_free_block(s[0], 300, 0x1000);
    builder_alloc(s[0], 500, 0x1000, 50, FRAMES(1));
    expect(1, 0, 2, 1);
    two_streams(s);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    builder_free_block(s[1], 100, 0x1000);
    builder_free_block(s[0], 1200000, 0x1000);
    builder_alloc(s[0], 1200500, 0x1000, 50, FRAMES(1));
    expect(1, 0, 2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_free_that_was_taken_is_owed),
        cmocka_unit_test(test_a_debt_expires),
        cmocka_unit_test(test_a_debt_that_nobody_settles_is_unmatched),
        cmocka_unit_test(test_a_second_free_is_unmatched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
