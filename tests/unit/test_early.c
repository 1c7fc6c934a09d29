/* test_early.c - events whose times are earlier than what they record: each pattern by hand, and
 * random histories with random errors against what is known to have happened. */
#include "collect_fixture.h"

#include "early.h"

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

static void test_what_is_owed_expires(void **state)
{
    (void)state;
    free_too_early(1100000);
    expect(1, 1, 2, 1);
}

static void test_what_nobody_settles_is_unmatched(void **state)
{
    struct builder_stream *s[2];
    (void)state;

    two_streams(s);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    builder_free_block(s[1], 100, 0x1000);
    builder_free_block(s[0], 300, 0x1000);
    expect(1, 0, 2, 0);
}

/* A free of one's own a second time, or long after, is owed nothing: what is allocated stays. */
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

/* ---- reallocs ---- */

static void expect_live(uint64_t frees, uint64_t blocks, uint64_t bytes)
{
    struct totals totals;
    struct quality quality = collected(&totals);

    assert_int_equal(quality.unmatched_frees, 0);
    assert_int_equal(quality.implied_frees, 0);
    assert_int_equal(totals.frees, frees);
    assert_int_equal(totals.live_at_end_blocks, blocks);
    assert_int_equal(totals.live_at_end_bytes, bytes);
}

static void begin_realloc(struct builder_stream *s, uint64_t time, uint64_t address)
{
    builder_plain(s, time, SPOOL_REALLOC_BEGIN, address, 0);
}

static void end_realloc(struct builder_stream *s, uint64_t time, uint64_t address, uint64_t size)
{
    builder_stacked(s, time, SPOOL_REALLOC_MOVED, address, size, FRAMES(1));
}

/* Thread 1 frees at 100 what thread 0 allocates at 700; thread 0 moves the block that was there. */
static void test_an_early_free_and_a_realloc(void **state)
{
    (void)state;
    for (uint64_t far = 5000; far <= 60000; far *= 12) {
        struct builder_stream *s[2];
        two_streams(s);
        builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
        builder_free_block(s[1], 100, 0x1000);
        begin_realloc(s[0], 300, 0x1000);
        end_realloc(s[0], 400, 0x2000, 200);
        builder_alloc(s[0], 700, 0x1000, 50, FRAMES(1));
        builder_alloc(s[1], far, 0x1000, 60, FRAMES(1));
        expect_live(2, 2, 260);
    }
}

/* Thread 1's realloc begins at 100, of what thread 0 allocates at 700. */
static void early_realloc(int moved)
{
    struct builder_stream *s[2];

    two_streams(s);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    begin_realloc(s[1], 100, 0x1000);
    builder_free_block(s[0], 300, 0x1000);
    builder_alloc(s[0], 700, 0x1000, 50, FRAMES(1));
    if (moved)
        end_realloc(s[1], 900, 0x2000, 200);
    else
        builder_plain(s[1], 900, SPOOL_REALLOC_FAILED, 0, 0);
}

static void test_an_early_realloc(void **state)
{
    (void)state;
    early_realloc(1);
    expect_live(2, 1, 200);
    early_realloc(0);
    expect_live(1, 1, 50); /* not the 40 bytes that were taken first */
}

static void test_both_realloc(void **state)
{
    struct builder_stream *s[2];
    (void)state;

    two_streams(s);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    begin_realloc(s[1], 100, 0x1000);
    begin_realloc(s[0], 300, 0x1000);
    end_realloc(s[0], 400, 0x3000, 200);
    builder_alloc(s[0], 700, 0x1000, 50, FRAMES(1));
    end_realloc(s[1], 900, 0x2000, 200);
    builder_alloc(s[1], 5000, 0x1000, 60, FRAMES(1));
    expect_live(2, 3, 460);
}

/* A realloc that begins before the allocation of its block seems to be there. */
static void test_a_realloc_before_its_block(void **state)
{
    (void)state;
    for (int failed = 0; failed <= 1; failed++) {
        struct builder_stream *s[2];
        two_streams(s);
        begin_realloc(s[1], 100, 0x1000);
        builder_alloc(s[0], 300, 0x1000, 50, FRAMES(1));
        if (failed)
            builder_plain(s[1], 900, SPOOL_REALLOC_FAILED, 0, 0);
        else
            end_realloc(s[1], 900, 0x2000, 200);
        expect_live(failed ? 0 : 1, 1, failed ? 50 : 200);
    }
}

/* ---- allocations ---- */

/* Thread 0's allocation at 100 is in truth later than thread 1's free at `freed`. */
static void early_allocation(uint64_t freed)
{
    struct builder_stream *s[2];

    two_streams(s);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    builder_alloc(s[0], 100, 0x1000, 50, FRAMES(1));
    builder_free_block(s[1], freed, 0x1000);
}

static void test_an_early_allocation_waits(void **state)
{
    (void)state;
    early_allocation(300);
    expect_live(1, 1, 50);
    early_allocation(90000);
    expect_live(1, 1, 50);
}

/* Thread 0's allocation at 100 is in truth later than all that thread 1 does. */
static void test_a_block_steps_aside(void **state)
{
    struct builder_stream *s[2];
    (void)state;

    two_streams(s);
    builder_alloc(s[0], 100, 0x1000, 50, FRAMES(1));
    builder_alloc(s[1], 200, 0x1000, 40, FRAMES(1));
    builder_free_block(s[1], 300, 0x1000);
    expect_live(1, 1, 50);
}

/* A free that was never recorded: the next block's allocation waits in vain, once. */
static void test_an_old_block_goes_unseen(void **state)
{
    struct builder_stream *s[2];
    (void)state;

    two_streams(s);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    builder_alloc(s[0], 5000000, 0x1000, 50, FRAMES(1));
    builder_alloc(s[0], 5000100, 0x2000, 50, FRAMES(1));
    builder_free_block(s[1], 5000200, 0x2000);
    builder_free_block(s[0], 5500000, 0x1000);
    expect(0, 1, 2, 0);
}

/* What the wake of a stream that waited brings is in order of time again. */
static void test_many_blocks_pass_by(void **state)
{
    struct builder_stream *s[2];
    (void)state;

    two_streams(s);
    struct builder_stream *t = builder_stream(&b, 0, 2);
    builder_alloc(s[1], 10, 0x1000, 40, FRAMES(1));
    builder_free_block(s[1], 100, 0x1000);
    begin_realloc(s[0], 300, 0x1000);
    end_realloc(s[0], 400, 0x2000, 200);
    builder_alloc(s[0], 700, 0x1000, 50, FRAMES(1));
    builder_free_block(s[0], 710, 0x2000);
    builder_alloc(s[1], 5000, 0x1000, 60, FRAMES(1));
    for (uint64_t i = 0; i < 16; i++)
        builder_alloc(s[0], 6000 + i, 0x4000 + 64 * i, 40, FRAMES(1));
    for (uint64_t i = 0; i < 16; i++)
        builder_free_block(t, 8000 + i, 0x4000 + 64 * i);
    builder_free_block(t, 9000, 0x1000);
    for (uint64_t i = 0; i < 16; i++)
        builder_alloc(t, 9100 + i, 0x4000 + 64 * i, 40, FRAMES(1));
    expect_live(20, 16, 640);
}

/* ---- any history ---- */

enum { LANES = 4, ADDRESSES = 6, STEPS = 60, STEP_NS = 400, ERROR_NS = 1500, HISTORIES = 3000 };

/* Which times are wrong. */
enum errors {
    OF_RELEASES,   /* what recorders leave: an allocation's time is read behind a fence */
    OF_ALL_SELDOM, /* what they left before, one at a time */
};

static uint64_t random_state;

static uint64_t random_below(uint64_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % n;
}

struct history {
    enum errors errors;
    uint64_t next_error; /* none before this time */
    struct builder_stream *lanes[LANES];
    uint64_t last[LANES]; /* the time written last */
    uint64_t live[ADDRESSES];
    uint64_t frees, now;
};

/* The time as a processor may have read it: early now and then, but in the lane's own order. */
static uint64_t time_of(struct history *h, size_t lane, int releases)
{
    uint64_t error = random_below(3) ? 0 : random_below(ERROR_NS);

    if (h->errors == OF_RELEASES ? !releases : h->now < h->next_error)
        error = 0;
    if (error)
        h->next_error = h->now + 3 * ERROR_NS;
    uint64_t time = h->now - error;
    if (time < h->last[lane])
        time = h->last[lane];
    return h->last[lane] = time;
}

/* Each size has a stack of its own, so an exchange of blocks shows in a function's figures. */
static uint32_t stack_of(uint64_t size)
{
    return 1 + (uint32_t)(size % BUILDER_PCS);
}

/* In one lane: a block is freed if there is one, else allocated; or moved to a free address. */
static void step(struct history *h)
{
    size_t lane = random_below(LANES), a = random_below(ADDRESSES), to = random_below(ADDRESSES);
    struct builder_stream *s = h->lanes[lane];
    uint64_t size = 1000 + h->now / STEP_NS;

    h->now += 1 + random_below(STEP_NS);
    if (!h->live[a]) {
        builder_alloc(s, time_of(h, lane, 0), 0x1000 + 64 * a, size, FRAMES(stack_of(size)));
        h->live[a] = size;
        return;
    }
    h->frees++;
    if (h->live[to] || random_below(2)) {
        builder_free_block(s, time_of(h, lane, 1), 0x1000 + 64 * a);
        h->live[a] = 0;
        return;
    }
    begin_realloc(s, time_of(h, lane, 1), 0x1000 + 64 * a);
    h->live[a] = 0;
    h->now += 50;
    builder_stacked(s, time_of(h, lane, 0), SPOOL_REALLOC_MOVED, 0x1000 + 64 * to, size,
                    FRAMES(stack_of(size)));
    h->live[to] = size;
}

static void check_history(const struct history *h, struct collector *c)
{
    const struct process *p = process_of(c, 0);
    uint64_t by_pc[BUILDER_PCS + 1] = {0}, blocks = 0;

    assert_int_equal(p->quality.unmatched_frees, 0);
    assert_int_equal(p->quality.implied_frees, 0);
    assert_int_equal(p->totals.frees, h->frees);
    for (size_t a = 0; a < ADDRESSES; a++) {
        by_pc[stack_of(h->live[a])] += h->live[a];
        blocks += h->live[a] != 0;
    }
    assert_int_equal(p->totals.live_at_end_blocks, blocks);
    for (uint32_t pc = 1; pc <= BUILDER_PCS && h->errors == OF_RELEASES; pc++) {
        const struct function_usage *u = usage_of(c, 0, pc);
        if (pc != stack_of(0)) /* that of addresses where nothing lives */
            assert_int_equal(u ? u->heap.self.live_at_end_bytes : 0, by_pc[pc]);
    }
    check_sums(collector_image(c));
}

static void try_history(uint64_t seed, enum errors errors)
{
    struct history h = {.now = 10000, .errors = errors};

    random_state = seed;
    builder_init(&b);
    for (size_t i = 0; i < LANES; i++)
        h.lanes[i] = builder_stream(&b, 0, (uint32_t)i);
    for (int i = 0; i < STEPS; i++)
        step(&h);
    struct collector *c = collect(&b);
    check_history(&h, c);
    collector_free(c);
}

/* Every block that lives on is the right one. */
static void test_any_history_of_early_releases(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++)
        try_history(seed, OF_RELEASES);
}

/* Which of two blocks lives on may not follow from the times, but that one does. */
static void test_any_history_with_an_error_now_and_then(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++)
        try_history(seed, OF_ALL_SELDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_free_that_was_taken_is_owed),
        cmocka_unit_test(test_what_is_owed_expires),
        cmocka_unit_test(test_what_nobody_settles_is_unmatched),
        cmocka_unit_test(test_a_second_free_is_unmatched),
        cmocka_unit_test(test_an_early_free_and_a_realloc),
        cmocka_unit_test(test_an_early_realloc),
        cmocka_unit_test(test_both_realloc),
        cmocka_unit_test(test_a_realloc_before_its_block),
        cmocka_unit_test(test_an_early_allocation_waits),
        cmocka_unit_test(test_a_block_steps_aside),
        cmocka_unit_test(test_an_old_block_goes_unseen),
        cmocka_unit_test(test_many_blocks_pass_by),
        cmocka_unit_test(test_any_history_of_early_releases),
        cmocka_unit_test(test_any_history_with_an_error_now_and_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
