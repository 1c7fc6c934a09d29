/* test_match.c - what each kind of event does to the figures, case by case: frees matched or not,
 * reallocs, mappings, cut stacks. */
#include "collect_fixture.h"

enum { MAIN = 1, WORK = 2, OTHER = 3 };

static struct spool_builder b;
static struct builder_stream *s;

static int set_up(void **state)
{
    (void)state;
    builder_init(&b);
    s = builder_stream(&b, 0, 0);
    return 0;
}

static void expect_totals(const struct collector *c, uint64_t allocations, uint64_t frees,
                          uint64_t bytes, uint64_t peak, uint64_t live_bytes, uint64_t live_blocks)
{
    const struct totals *t = &process_of(c, 0)->totals;
    assert_int_equal(t->allocations, allocations);
    assert_int_equal(t->frees, frees);
    assert_int_equal(t->allocated_bytes, bytes);
    assert_int_equal(t->peak_bytes, peak);
    assert_int_equal(t->live_at_end_bytes, live_bytes);
    assert_int_equal(t->live_at_end_blocks, live_blocks);
    check_sums(collector_image(c));
}

static void expect_quality(const struct collector *c, uint64_t unmatched, uint64_t implied)
{
    assert_int_equal(process_of(c, 0)->quality.unmatched_frees, unmatched);
    assert_int_equal(process_of(c, 0)->quality.implied_frees, implied);
}

static void test_allocations_and_frees(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN, WORK));
    builder_alloc(s, 20, 0x2000, 50, FRAMES(MAIN, OTHER));
    builder_free_block(s, 30, 0x1000);
    builder_alloc(s, 40, 0x1000, 0, FRAMES(MAIN)); /* malloc(0) is a block, too */
    struct collector *c = collect(&b);
    expect_totals(c, 3, 1, 150, 150, 50, 2);
    expect_quality(c, 0, 0);
    assert_int_equal(process_of(c, 0)->totals.peak_ns, 20);
    assert_int_equal(usage_of(c, 0, WORK)->heap.self.own_peak_bytes, 100);
    assert_int_equal(usage_of(c, 0, WORK)->heap.self.at_peak_bytes, 100);
    assert_int_equal(usage_of(c, 0, OTHER)->heap.inclusive.live_at_end_bytes, 50);
    assert_int_equal(usage_of(c, 0, MAIN)->heap.inclusive.own_peak_bytes, 150);
    assert_int_equal(usage_of(c, 0, MAIN)->heap.self.allocations, 1);
    assert_int_equal(process_of(c, 0)->leak_count, 2);
    assert_int_equal(process_of(c, 0)->leaks[0].bytes, 50);
    assert_int_equal(process_of(c, 0)->leaks[0].first_ns, 20);
    collector_free(c);
}

/* realloc in one step: 100 -> 300 never shows 400; it counts as one allocation and one free. */
static void test_realloc_grows_without_a_false_peak(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN, WORK));
    builder_plain(s, 20, SPOOL_REALLOC_BEGIN, 0x1000, 0);
    builder_stacked(s, 25, SPOOL_REALLOC_MOVED, 0x5000, 300, FRAMES(MAIN, OTHER));
    builder_plain(s, 30, SPOOL_REALLOC_BEGIN, 0x5000, 0); /* shrinks in place */
    builder_stacked(s, 35, SPOOL_REALLOC_MOVED, 0x5000, 10, FRAMES(MAIN, OTHER));
    builder_free_block(s, 40, 0x5000);
    struct collector *c = collect(&b);
    const struct process *p = process_of(c, 0);
    expect_totals(c, 3, 3, 410, 300, 0, 0);
    expect_quality(c, 0, 0);
    assert_int_equal(p->totals.peak_ns, 25);
    assert_int_equal(usage_of(c, 0, WORK)->heap.self.own_peak_bytes, 100);
    assert_int_equal(usage_of(c, 0, OTHER)->heap.self.own_peak_bytes, 300);
    assert_int_equal(usage_of(c, 0, WORK)->heap.self.at_peak_bytes, 0);
    assert_int_equal(p->totals.temporary, 1); /* the last one: realloc, then free */
    assert_int_equal(usage_of(c, 0, OTHER)->heap.self.temporary, 1);
    for (size_t i = 1; i < p->heap_count; i++) /* no false dip either */
        assert_true(p->heap[i].min_bytes == 0 ? i == p->heap_count - 1 : 1);
    collector_free(c);
}

static void test_realloc_fails_or_frees(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN));
    builder_plain(s, 20, SPOOL_REALLOC_BEGIN, 0x1000, 0);
    builder_plain(s, 25, SPOOL_REALLOC_FAILED, 0, 0);
    builder_free_block(s, 30, 0x1000); /* the next heap event: a failed realloc is none */
    builder_alloc(s, 40, 0x2000, 7, FRAMES(MAIN));
    builder_plain(s, 50, SPOOL_REALLOC_BEGIN, 0x2000, 0);
    builder_plain(s, 55, SPOOL_REALLOC_FREED, 0, 0);
    struct collector *c = collect(&b);
    expect_totals(c, 2, 2, 107, 100, 0, 0);
    expect_quality(c, 0, 0);
    assert_int_equal(process_of(c, 0)->totals.temporary, 1);
    collector_free(c);
}

static void test_realloc_of_the_unknown(void **state)
{
    (void)state;
    builder_plain(s, 20, SPOOL_REALLOC_BEGIN, 0x9000, 0);
    builder_stacked(s, 25, SPOOL_REALLOC_MOVED, 0x5000, 300, FRAMES(MAIN));
    builder_plain(s, 30, SPOOL_REALLOC_BEGIN, 0xa000, 0);
    builder_plain(s, 35, SPOOL_REALLOC_FREED, 0, 0);
    builder_plain(s, 40, SPOOL_REALLOC_BEGIN, 0xb000, 0);
    builder_plain(s, 45, SPOOL_REALLOC_FAILED, 0, 0);
    struct collector *c = collect(&b);
    expect_totals(c, 1, 2, 300, 300, 300, 1);
    expect_quality(c, 2, 0);
    collector_free(c);
}

/* An allocation that failed is counted by its stack, and is nothing else. */
static void test_failed_allocations(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN, WORK));
    builder_alloc(s, 20, 0, 5000, FRAMES(MAIN, WORK));
    builder_plain(s, 30, SPOOL_REALLOC_BEGIN, 0x1000, 0);
    builder_plain(s, 35, SPOOL_REALLOC_FAILED, 0, 0);
    builder_alloc(s, 36, 0, UINT64_MAX, FRAMES(MAIN, OTHER));
    builder_alloc(s, 40, 0, 7000, FRAMES(MAIN, WORK));
    builder_free_block(s, 50, 0x1000); /* the thread's next heap event: temporary */
    struct collector *c = collect(&b);
    const struct process *p = process_of(c, 0);
    expect_totals(c, 1, 1, 100, 100, 0, 0);
    expect_quality(c, 0, 0);
    assert_int_equal(p->totals.temporary, 1);
    assert_int_equal(p->totals.failed, 3);
    assert_int_equal(p->failure_count, 2);
    const struct failure *other = &p->failures[0], *work = &p->failures[1];
    assert_int_equal(other->count, 1);
    assert_true(other->bytes == UINT64_MAX && other->largest_bytes == UINT64_MAX);
    assert_int_equal(other->first_ns, 36);
    assert_int_equal(work->count, 2);
    assert_int_equal(work->bytes, 12000);
    assert_int_equal(work->largest_bytes, 7000);
    assert_int_equal(work->first_ns, 20);
    assert_int_equal(work->last_ns, 40);
    uint32_t node = work->stack, inner = 0;
    const struct frame *frame = stack_next_frame(collector_image(c), &node, &inner);
    assert_int_equal(frame->function, usage_of(c, 0, WORK)->function);
    assert_null(usage_of(c, 0, OTHER));
    collector_free(c);
}

/* Killed inside realloc: the block is live. The begin alone changes nothing. */
static void test_realloc_never_ended(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN));
    builder_alloc(s, 15, 0x2000, 60, FRAMES(MAIN));
    builder_plain(s, 20, SPOOL_REALLOC_BEGIN, 0x1000, 0);
    builder_plain(s, 30, SPOOL_REALLOC_BEGIN, 0x2000, 0); /* the first was jumped out of */
    struct collector *c = collect(&b);
    expect_totals(c, 2, 0, 160, 160, 160, 2);
    expect_quality(c, 0, 0);
    collector_free(c);
}

/* The race that needs begin and end: while thread 0's realloc has released 0x1000 but not yet said
 * where it went, thread 1 gets 0x1000. */
static void test_realloc_race(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1);
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN, WORK));
    builder_plain(s, 20, SPOOL_REALLOC_BEGIN, 0x1000, 0);
    builder_alloc(t, 22, 0x1000, 40, FRAMES(OTHER));
    builder_free_block(t, 23, 0x1000);
    builder_alloc(t, 24, 0x1000, 41, FRAMES(OTHER));
    builder_stacked(s, 30, SPOOL_REALLOC_MOVED, 0x5000, 200, FRAMES(MAIN, WORK));
    builder_free_block(s, 40, 0x1000); /* frees thread 1's block */
    struct collector *c = collect(&b);
    expect_totals(c, 4, 3, 381, 241, 200, 1);
    expect_quality(c, 0, 0);
    assert_int_equal(process_of(c, 0)->thread_count, 2);
    assert_int_equal(process_of(c, 0)->totals.temporary, 1);
    collector_free(c);
}

static void test_unmatched_and_implied(void **state)
{
    (void)state;
    builder_free_block(s, 5, 0x1000);
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN, WORK));
    builder_alloc(s, 20, 0x1000, 30, FRAMES(MAIN, OTHER));
    builder_free_block(s, 30, 0x1000);
    builder_free_block(s, 40, 0x1000);
    struct collector *c = collect(&b);
    expect_totals(c, 2, 3, 130, 100, 0, 0);
    expect_quality(c, 2, 1);
    assert_int_equal(usage_of(c, 0, WORK)->heap.self.live_at_end_bytes, 0);
    collector_free(c);
}

/* Two processors' clocks differ: the free that made room has a later time than the allocation. */
static void test_free_with_a_later_time(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1);
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN, WORK));
    builder_alloc(s, 11, 0x2000, 1, FRAMES(MAIN, WORK));
    builder_free_block(s, 25, 0x2000);
    builder_free_block(s, 26, 0x1000);
    builder_alloc(t, 20, 0x1000, 30, FRAMES(OTHER));
    struct collector *c = collect(&b);
    expect_totals(c, 3, 2, 131, 101, 30, 1);
    expect_quality(c, 0, 0);
    collector_free(c);
}

/* The other way: what thread 0 allocates and hands over is freed by thread 1 "before". And while
 * that is put right, the same is to be done once more: thread 0 got 0x2000 from thread 2. */
static void test_free_with_an_earlier_time(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1), *u = builder_stream(&b, 0, 2);
    builder_free_block(t, 20, 0x1000);
    builder_plain(t, 30, SPOOL_REALLOC_BEGIN, 0x3000, 0);
    builder_stacked(t, 35, SPOOL_REALLOC_MOVED, 0x3000, 7, FRAMES(OTHER));
    builder_free_block(s, 21, 0x2000);
    builder_alloc(s, 22, 0x1000, 100, FRAMES(MAIN, WORK));
    builder_alloc(u, 23, 0x2000, 50, FRAMES(MAIN));
    builder_alloc(u, 31, 0x3000, 3, FRAMES(MAIN));
    builder_alloc(s, 40, 0x1000, 1, FRAMES(MAIN, WORK));
    struct collector *c = collect(&b);
    expect_totals(c, 5, 3, 161, 100, 8, 2);
    expect_quality(c, 0, 0);
    collector_free(c);
}

/* Far ahead is another life of the address: the free was truly not seen. */
static void test_no_search_far_ahead(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1);
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN, WORK));
    builder_alloc(s, 20, 0x1000, 30, FRAMES(MAIN, WORK));
    builder_free_block(t, 10000000, 0x1000);
    struct collector *c = collect(&b);
    expect_totals(c, 2, 1, 130, 100, 0, 0);
    expect_quality(c, 0, 1);
    collector_free(c);
}

/* Temporary: freed by the next heap event of the same thread, whoever acts in between elsewhere. */
static void test_temporary(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1);
    builder_alloc(s, 10, 0x1000, 1, FRAMES(MAIN, WORK)); /* temporary */
    builder_alloc(t, 11, 0x2000, 1, FRAMES(OTHER));      /* freed by another thread: not */
    builder_free_block(s, 12, 0x1000);
    builder_free_block(s, 13, 0x2000);
    builder_alloc(s, 20, 0x1000, 1, FRAMES(MAIN, WORK)); /* something between: not */
    builder_alloc(s, 21, 0x3000, 1, FRAMES(MAIN, WORK)); /* realloc'd: not */
    builder_plain(s, 22, SPOOL_REALLOC_BEGIN, 0x3000, 0);
    builder_plain(s, 23, SPOOL_REALLOC_FREED, 0, 0);
    builder_free_block(s, 24, 0x1000);
    builder_alloc(s, 30, 0x1000, 1, FRAMES(MAIN, WORK)); /* a mapping is no heap event: temporary */
    builder_stacked(s, 31, SPOOL_RANGE_MAP, 0x700000, 4096, FRAMES(MAIN));
    builder_free_block(s, 32, 0x1000);
    builder_alloc(s, 40, 0x4000, 1, FRAMES(MAIN, WORK)); /* not: reused by the other thread */
    builder_free_block(t, 41, 0x4000);
    builder_alloc(t, 42, 0x4000, 1, FRAMES(OTHER));
    builder_free_block(s, 43, 0x4000);
    struct collector *c = collect(&b);
    assert_int_equal(process_of(c, 0)->totals.temporary, 2);
    assert_int_equal(usage_of(c, 0, WORK)->heap.self.temporary, 2);
    expect_totals(c, 7, 7, 7, 2, 0, 0);
    expect_quality(c, 0, 0);
    collector_free(c);
}

/* A signal handler's stream: another stream, the same thread. */
static void test_temporary_over_two_streams(void **state)
{
    (void)state;
    struct builder_stream *nested = builder_stream(&b, 0, 0);
    builder_alloc(s, 10, 0x1000, 1, FRAMES(MAIN, WORK));
    builder_alloc(nested, 11, 0x2000, 1, FRAMES(OTHER)); /* between: 0x1000 is not temporary */
    builder_free_block(nested, 12, 0x2000);
    builder_free_block(s, 13, 0x1000);
    struct collector *c = collect(&b);
    assert_int_equal(process_of(c, 0)->totals.temporary, 1);
    assert_int_equal(usage_of(c, 0, OTHER)->heap.self.temporary, 1);
    assert_int_equal(process_of(c, 0)->thread_count, 1);
    collector_free(c);
}

static void expect_mapped(const struct collector *c, uint64_t maps, uint64_t unmaps,
                          uint64_t peak_pages, uint64_t end_pages)
{
    const struct totals *t = &process_of(c, 0)->totals;
    assert_int_equal(t->maps, maps);
    assert_int_equal(t->unmaps, unmaps);
    assert_int_equal(t->mapped_peak_bytes, peak_pages * 4096);
    assert_int_equal(t->mapped_at_end_bytes, end_pages * 4096);
    assert_int_equal(t->allocations, 0);
    assert_int_equal(t->peak_bytes, 0);
}

static void test_ranges(void **state)
{
    (void)state;
    builder_stacked(s, 10, SPOOL_RANGE_MAP, 0x100000, 10 * 4096, FRAMES(MAIN));    /* 10 */
    builder_stacked(s, 11, SPOOL_RANGE_MAP, 0x200000, 3 * 4096 + 1, FRAMES(MAIN)); /* 14 */
    builder_plain(s, 20, SPOOL_RANGE_BEGIN, 0x102000, 4096);                       /* middle */
    builder_plain(s, 21, SPOOL_RANGE_DROPPED, 0, 0);                               /* 13 */
    builder_plain(s, 30, SPOOL_RANGE_BEGIN, 0x200000, 4096);
    builder_plain(s, 31, SPOOL_RANGE_FAILED, 0, 0);                                /* 13 */
    builder_plain(s, 40, SPOOL_RANGE_BEGIN, 0x108000, 0x200000 - 0x108000 + 4096); /* over both */
    builder_plain(s, 41, SPOOL_RANGE_DROPPED, 0, 0);                               /* 10 */
    builder_plain(s, 50, SPOOL_RANGE_BEGIN, 0x900000, 4096); /* nothing there */
    builder_plain(s, 51, SPOOL_RANGE_DROPPED, 0, 0);
    struct collector *c = collect(&b);
    expect_mapped(c, 2, 3, 14, 10);
    collector_free(c);
}

/* mremap and MAP_FIXED: the old goes and the new comes in one step. */
static void test_ranges_replaced(void **state)
{
    (void)state;
    builder_stacked(s, 10, SPOOL_RANGE_MAP, 0x100000, 4 * 4096, FRAMES(MAIN));
    builder_plain(s, 20, SPOOL_RANGE_BEGIN, 0x100000, 4 * 4096);
    builder_stacked(s, 21, SPOOL_RANGE_MAP, 0x800000, 6 * 4096, FRAMES(MAIN)); /* moved and grown */
    builder_plain(s, 30, SPOOL_RANGE_BEGIN, 0x802000, 2 * 4096);
    builder_stacked(s, 31, SPOOL_RANGE_MAP, 0x802000, 2 * 4096, FRAMES(MAIN, WORK)); /* fixed */
    builder_stacked(s, 40, SPOOL_RANGE_MAP, 0x805000, 4096, FRAMES(MAIN)); /* its begin was lost */
    builder_plain(s, 50, SPOOL_RANGE_BEGIN, 0x800000, 4096);               /* killed in munmap */
    struct collector *c = collect(&b);
    expect_mapped(c, 4, 2, 6, 6);
    collector_free(c);
}

/* While one thread's munmap is under way another one gets the addresses. */
static void test_ranges_race(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1);
    builder_stacked(s, 10, SPOOL_RANGE_MAP, 0x100000, 4 * 4096, FRAMES(MAIN));
    builder_plain(s, 20, SPOOL_RANGE_BEGIN, 0x100000, 4 * 4096);
    builder_stacked(t, 21, SPOOL_RANGE_MAP, 0x100000, 2 * 4096, FRAMES(OTHER));
    builder_plain(s, 22, SPOOL_RANGE_DROPPED, 0, 0);
    struct collector *c = collect(&b);
    expect_mapped(c, 2, 1, 4, 2); /* they were free by then */
    collector_free(c);
}

static void test_truncated_stacks(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 1, FRAMES(SPOOL_FRAME_UNKNOWN, WORK));
    builder_alloc(s, 20, 0x2000, 1, FRAMES(SPOOL_FRAME_UNKNOWN));
    builder_alloc(s, 30, 0x3000, 1, 0, NULL);
    builder_alloc(s, 40, 0x4000, 1, FRAMES(MAIN));
    builder_alloc(s, 50, 0x5000, 1, FRAMES(MAIN, 60000)); /* an id that was never given out */
    builder_alloc(s, 60, 0x6000, 1, FRAMES(MAIN, SPOOL_FRAME_RAW)); /* 0xabc001, see the builder */
    struct collector *c = collect(&b);
    expect_totals(c, 6, 0, 6, 6, 6, 6);
    assert_int_equal(process_of(c, 0)->quality.truncated_stacks, 3);
    /* WORK, MAIN, the unknown address, the raw pc: nothing has a symbol here */
    assert_int_equal(process_of(c, 0)->quality.unresolved_frames, 4);
    collector_free(c);
}

static void test_sizes_beyond_reason(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, UINT64_MAX, FRAMES(MAIN));
    builder_alloc(s, 20, ~0ull, UINT64_MAX - 5, FRAMES(MAIN));
    builder_free_block(s, 30, ~0ull);
    builder_stacked(s, 40, SPOOL_RANGE_MAP, ~0ull - 10, UINT64_MAX, FRAMES(MAIN));
    builder_plain(s, 50, SPOOL_RANGE_BEGIN, 0, UINT64_MAX);
    builder_plain(s, 60, SPOOL_RANGE_DROPPED, 0, 0);
    struct collector *c = collect(&b);
    assert_int_equal(process_of(c, 0)->totals.allocations, 2);
    assert_int_equal(process_of(c, 0)->totals.frees, 1);
    collector_free(c);
}

/* What is live at an exec is no leak. */
static void test_exec(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN));
    struct spool_event e = {.kind = SPOOL_EXEC, .size = 7, .payload = (const uint8_t *)"/bin/ls"};
    builder_event(s, 20, e, NULL);
    b.processes[0].end_kind = SPOOL_END_EXEC;
    b.processes[0].end_ticks = BUILDER_START + 30;
    struct collector *c = collect(&b);
    const struct process *p = process_of(c, 0);
    assert_int_equal(p->ending.kind, END_EXEC);
    assert_string_equal(p->ending.exec, "/bin/ls");
    assert_int_equal(p->end_ns, 30);
    assert_int_equal(p->leak_count, 0);
    expect_totals(c, 1, 0, 100, 100, 0, 0);
    collector_free(c);
}

static void test_activation_of_the_peak(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN, WORK));
    builder_free_block(s, 20, 0x1000);
    builder_alloc(s, 30, 0x2000, 5, FRAMES(MAIN, OTHER));
    builder_next_chunk(s, 35); /* the stack comes again, whole; nothing ends */
    builder_alloc(s, 40, 0x3000, 20, FRAMES(MAIN, OTHER));
    builder_alloc(s, 50, 0x4000, 1, FRAMES(MAIN));
    b.processes[0].end_kind = SPOOL_END_EXIT;
    b.processes[0].end_ticks = BUILDER_START + 90;
    struct collector *c = collect(&b);
    const struct span *work = &usage_of(c, 0, WORK)->heap.span,
                      *other = &usage_of(c, 0, OTHER)->heap.span;
    const struct span *main_span = &usage_of(c, 0, MAIN)->heap.span;
    assert_true(work->valid && other->valid && main_span->valid);
    assert_int_equal(work->begin_ns, 10);
    assert_int_equal(work->end_ns, 10); /* the free may be main's */
    assert_int_equal(work->end_level, 10);
    assert_int_equal(other->begin_ns, 30);
    assert_int_equal(other->end_ns, 40);
    assert_int_equal(other->end_level, 25);
    assert_int_equal(main_span->begin_ns, 10);
    assert_int_equal(main_span->end_ns, 90);
    assert_int_equal(main_span->end_level, 26);
    collector_free(c);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_allocations_and_frees),
        TEST(test_realloc_grows_without_a_false_peak),
        TEST(test_realloc_fails_or_frees),
        TEST(test_realloc_of_the_unknown),
        TEST(test_failed_allocations),
        TEST(test_realloc_never_ended),
        TEST(test_realloc_race),
        TEST(test_unmatched_and_implied),
        TEST(test_free_with_a_later_time),
        TEST(test_free_with_an_earlier_time),
        TEST(test_no_search_far_ahead),
        TEST(test_temporary),
        TEST(test_temporary_over_two_streams),
        TEST(test_ranges),
        TEST(test_ranges_replaced),
        TEST(test_ranges_race),
        TEST(test_truncated_stacks),
        TEST(test_sizes_beyond_reason),
        TEST(test_exec),
        TEST(test_activation_of_the_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
