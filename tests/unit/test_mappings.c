/* test_mappings.c - what of a program's mappings is memory, since when, and whose. */
#include "mappings_fixture.h"

static void test_kinds(void **state)
{
    (void)state;
    map(10, 0, 10, BOTH, ANONYMOUS, WORK);
    map(20, 20, 25, PROT_NONE, ANONYMOUS | MAP_NORESERVE, WORK);
    map(30, 30, 33, PROT_READ, ANONYMOUS, WORK);
    map(40, 40, 42, BOTH, MAP_PRIVATE, WORK);
    map(50, 50, 51, BOTH, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, OTHER);
    range(s, 60, 60, 64, 0, OTHER); /* a recorder that did not say */
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){15, 8, 2});
    expect_peaks(c, (struct pages){15, 8, 2});
    assert_int_equal(process_of(c, 0)->totals.maps, 6);
    assert_int_equal(live_of(c, WORK), 10);
    assert_int_equal(live_of(c, OTHER), 5);
    check_sums(collector_image(c));
    collector_free(c);
}

/* Memory belongs to who made it writable, and stays memory while there is any access. */
static void test_protection(void **state)
{
    (void)state;
    map(10, 0, 100, PROT_NONE, ANONYMOUS, WORK);
    protect(20, 10, 40, BOTH, OTHER);                 /* memory 30, reserved 70 */
    protect(30, 20, 60, PROT_READ | PROT_EXEC, WORK); /* nothing changes */
    protect(40, 35, 50, PROT_NONE, WORK);             /* memory 25, reserved 75 */
    protect(50, 0, 15, BOTH, WORK);                   /* memory 35, reserved 65 */
    protect(60, 500, 600, BOTH, WORK);                /* nothing is there */
    drop(70, 12, 22, SPOOL_RANGE_DROPPED);            /* memory 25 */
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){25, 65, 0});
    expect_peaks(c, (struct pages){35, 100, 0});
    assert_int_equal(live_of(c, WORK), 10);
    assert_int_equal(live_of(c, OTHER), 15);
    assert_int_equal(usage_of(c, 0, OTHER)->mapped.self.own_peak_bytes, 30 * PAGE);
    assert_int_equal(process_of(c, 0)->totals.maps, 1);
    check_sums(collector_image(c));
    collector_free(c);
}

/* What is moved keeps its kind; the heap's peak and that of both come apart. */
static void test_moved(void **state)
{
    (void)state;
    map(10, 0, 4, PROT_NONE, ANONYMOUS, WORK);
    drop(20, 0, 4, SPOOL_NOTHING);
    range(s, 21, 50, 58, spool_range_of(SPOOL_RANGE_MOVED, 0, MREMAP_MAYMOVE), OTHER);
    map(30, 100, 110, BOTH, ANONYMOUS, WORK);
    drop(40, 100, 105, SPOOL_NOTHING);
    range(s, 41, 200, 205, spool_range_of(SPOOL_RANGE_MOVED, 0, MREMAP_MAYMOVE | MREMAP_DONTUNMAP),
          OTHER);
    range(s, 50, 300, 310, spool_range_of(SPOOL_RANGE_VIEW, 0, MREMAP_MAYMOVE), OTHER);
    builder_alloc(s, 60, 0x1000, 3 * PAGE, FRAMES(MAIN, OTHER));
    drop(70, 100, 110, SPOOL_RANGE_DROPPED);
    builder_alloc(s, 80, 0x9000, 4 * PAGE, FRAMES(MAIN, OTHER));
    struct collector *c = collect(&b);
    const struct totals *t = &process_of(c, 0)->totals;
    expect_end(c, 0, (struct pages){5, 8, 10});
    assert_int_equal(t->mapped_peak_bytes, 15 * PAGE);
    assert_int_equal(t->peak_bytes, 7 * PAGE);
    assert_int_equal(t->memory_peak_bytes, 18 * PAGE);
    assert_int_equal(t->memory_peak_ns, 60);
    assert_int_equal(t->mapped_then_bytes, 15 * PAGE);
    const struct function_usage *other = usage_of(c, 0, OTHER);
    assert_int_equal(other->memory.self.own_peak_bytes, 12 * PAGE);
    assert_int_equal(other->memory.self.at_peak_bytes, 8 * PAGE);
    assert_int_equal(other->mapped_then.self_bytes, 5 * PAGE);
    check_sums(collector_image(c));
    collector_free(c);
}

static void test_break_and_segments(void **state)
{
    (void)state;
    range(s, 10, 0, 8, spool_range_of(SPOOL_RANGE_BREAK, BOTH, 0), WORK);
    drop(20, 6, 8, SPOOL_RANGE_DROPPED);
    range(s, 30, 100, 110, spool_range_of(SPOOL_RANGE_SEGMENT, BOTH, 0), OTHER);
    range(s, 40, 110, 120, spool_range_of(SPOOL_RANGE_SEGMENT, PROT_READ, 0), OTHER);
    drop(50, 103, 105, SPOOL_RANGE_DROPPED);
    drop(60, 110, 110, SPOOL_RANGE_FAILED); /* size 0: the whole segment */
    drop(70, 100, 100, SPOOL_RANGE_DROPPED);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){6, 0, 10});
    collector_free(c);
}

/* A child's figures have of what it inherits only what it makes memory itself. */
static void test_fork(void **state)
{
    (void)state;
    map(10, 0, 10, BOTH, ANONYMOUS, WORK);
    map(11, 20, 40, PROT_NONE, ANONYMOUS, WORK);
    uint32_t child = builder_fork(&b, 0, 20, 0);
    builder_plain(s, 20, SPOOL_FORK, child, 0);
    struct builder_stream *parent = s;
    s = builder_stream(&b, child, 0);
    drop(30, 0, 5, SPOOL_RANGE_DROPPED);
    protect(40, 20, 27, BOTH, OTHER);
    protect(50, 5, 8, PROT_NONE, OTHER);
    protect(60, 5, 6, BOTH, OTHER); /* it is inherited still */
    map(70, 50, 52, BOTH, ANONYMOUS, OTHER);
    drop(80, 0, 100, SPOOL_RANGE_FAILED);
    s = parent;
    struct collector *c = collect(&b);
    expect_end(c, child, (struct pages){7 + 2, 0, 0});
    expect_end(c, 0, (struct pages){10, 20, 0});
    check_sums(collector_image(c));
    collector_free(c);
}

/* As a garbage collector does that takes away all access for a while: what was inherited is not the
 * child's, nor that one's child's. */
static void test_inherited_memory_comes_back(void **state)
{
    (void)state;
    map(10, 0, 100, BOTH, ANONYMOUS, WORK);
    map(11, 200, 300, BOTH, ANONYMOUS, WORK);
    protect(12, 200, 300, PROT_NONE, WORK); /* the parent gives it up, the child takes it */
    uint32_t child = builder_fork(&b, 0, 20, 0);
    builder_plain(s, 20, SPOOL_FORK, child, 0);
    s = builder_stream(&b, child, 0);
    for (uint64_t time = 30; time < 60; time += 10) {
        protect(time, 0, 100, PROT_NONE, OTHER);
        protect(time + 1, 0, 100, BOTH, OTHER);
    }
    protect(60, 200, 240, BOTH, OTHER);
    protect(61, 10, 90, PROT_NONE, OTHER);
    protect(62, 20, 30, PROT_READ, OTHER);
    protect(63, 20, 40, BOTH, OTHER);
    uint32_t grandchild = builder_fork(&b, child, 70, 0);
    builder_plain(s, 70, SPOOL_FORK, grandchild, 0);
    s = builder_stream(&b, grandchild, 0);
    protect(80, 0, 100, BOTH, OTHER);
    protect(90, 240, 250, BOTH, OTHER);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){100, 100, 0});
    expect_end(c, child, (struct pages){40, 0, 0});
    assert_int_equal(process_of(c, child)->totals.mapped_peak_bytes, 40 * PAGE);
    expect_end(c, grandchild, (struct pages){10, 0, 0});
    check_sums(collector_image(c));
    collector_free(c);
}

/* What is left at the end, by stack, in pieces. */
static void test_left(void **state)
{
    (void)state;
    map(10, 0, 30, BOTH, ANONYMOUS, WORK);
    map(20, 40, 45, BOTH, ANONYMOUS, OTHER);
    drop(30, 10, 20, SPOOL_RANGE_DROPPED);
    struct collector *c = collect(&b);
    const struct process *p = process_of(c, 0);
    assert_int_equal(p->mapped_leak_count, 2);
    assert_int_equal(p->mapped_leaks[0].bytes, 20 * PAGE);
    assert_int_equal(p->mapped_leaks[0].blocks, 2);
    assert_int_equal(p->mapped_leaks[0].first_ns, 10);
    assert_int_equal(p->mapped_leaks[1].bytes, 5 * PAGE);
    assert_int_equal(usage_of(c, 0, WORK)->mapped.self.live_at_end_blocks, 2);
    assert_int_equal(p->leak_count, 0);
    collector_free(c);
}

/* Calls that fail change nothing, also not the number of pieces; nor does one that leaves in its
 * place what it moves. What another call mapped beside it is another piece. */
static void test_failed_calls(void **state)
{
    (void)state;
    map(10, 0, 64, BOTH, ANONYMOUS, WORK);
    map(11, 64, 70, BOTH, ANONYMOUS, WORK);
    map(12, 70, 80, PROT_NONE, ANONYMOUS, WORK);
    for (uint64_t i = 0; i < 32; i++)
        drop(20 + 2 * i, i * 2, i * 2 + 1 + i % 3, SPOOL_RANGE_FAILED);
    drop(90, 60, 75, SPOOL_RANGE_FAILED); /* over all three */
    drop(92, 20, 30, SPOOL_NOTHING);
    range(s, 93, 200, 210, spool_range_of(SPOOL_RANGE_MOVED, 0, MREMAP_MAYMOVE | MREMAP_DONTUNMAP),
          OTHER);
    drop(95, 63, 65, SPOOL_NOTHING); /* its end never came */
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){80, 10, 0});
    assert_int_equal(usage_of(c, 0, WORK)->mapped.self.live_at_end_blocks, 2);
    assert_int_equal(usage_of(c, 0, OTHER)->mapped.self.live_at_end_blocks, 1);
    check_sums(collector_image(c));
    collector_free(c);
}

/* What another thread maps while a call is open lies there, whatever becomes of the call: it
 * failed, its end never came, or its thread ended within it. */
static void test_mapped_meanwhile(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1);
    map(10, 0, 8, BOTH, ANONYMOUS, WORK);
    map(11, 20, 28, BOTH, ANONYMOUS, WORK);
    map(12, 40, 48, PROT_NONE, ANONYMOUS, WORK);
    uint64_t memory = spool_range_of(SPOOL_RANGE_MMAP, BOTH, ANONYMOUS);
    builder_plain(s, 20, SPOOL_RANGE_BEGIN, PLACE, 8 * PAGE);
    range(t, 21, 2, 4, memory, OTHER);
    builder_plain(s, 22, SPOOL_RANGE_FAILED, 0, 0);
    builder_plain(s, 30, SPOOL_RANGE_BEGIN, PLACE + 20 * PAGE, 8 * PAGE);
    range(t, 31, 27, 30, memory, OTHER);
    builder_thread(s, 32, 2);
    builder_plain(s, 40, SPOOL_RANGE_BEGIN, PLACE + 40 * PAGE, 8 * PAGE);
    range(t, 41, 40, 41, memory, OTHER);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){6 + 2 + 7 + 3 + 1, 7, 0});
    assert_int_equal(live_of(c, WORK), 6 + 7);
    assert_int_equal(live_of(c, OTHER), 2 + 3 + 1);
    check_sums(collector_image(c));
    collector_free(c);
}

/* With an exec the memory goes, of whatever kind: none of it is left. */
static void test_exec(void **state)
{
    (void)state;
    map(10, 0, 20, BOTH, ANONYMOUS, WORK);
    map(20, 40, 70, PROT_NONE, ANONYMOUS, WORK);
    map(30, 80, 85, BOTH, MAP_PRIVATE, WORK);
    builder_event(
        s, 40,
        (struct spool_event){.kind = SPOOL_EXEC, .size = 2, .payload = (const uint8_t *)"/x"},
        NULL);
    b.processes[0].end_kind = SPOOL_END_EXEC;
    b.processes[0].end_ticks = BUILDER_START + 50;
    struct collector *c = collect(&b);
    assert_int_equal(process_of(c, 0)->ending.kind, END_EXEC);
    assert_int_equal(process_of(c, 0)->mapped_leak_count, 0);
    expect_peaks(c, (struct pages){20, 30, 5});
    expect_end(c, 0, (struct pages){0, 0, 0});
    check_sums(collector_image(c));
    collector_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_kinds, begin),
        cmocka_unit_test_setup(test_protection, begin),
        cmocka_unit_test_setup(test_moved, begin),
        cmocka_unit_test_setup(test_break_and_segments, begin),
        cmocka_unit_test_setup(test_fork, begin),
        cmocka_unit_test_setup(test_inherited_memory_comes_back, begin),
        cmocka_unit_test_setup(test_left, begin),
        cmocka_unit_test_setup(test_failed_calls, begin),
        cmocka_unit_test_setup(test_mapped_meanwhile, begin),
        cmocka_unit_test_setup(test_exec, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
