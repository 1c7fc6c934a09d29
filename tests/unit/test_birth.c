/* test_birth.c - what a child inherits of the moment of its fork. */
#include "collect_fixture.h"

#include <sys/mman.h>

static struct spool_builder b;
static struct builder_stream *main_thread, *other, *child;
static uint32_t serial;

static void label(struct builder_stream *s, uint64_t time, uint64_t number, const void *payload,
                  size_t bytes)
{
    struct spool_event e = {
        .kind = SPOOL_LABEL, .address = number, .size = bytes, .payload = payload};
    builder_event(s, time, e, NULL);
}

/* The main thread forks at 100 and has returned at 900; meanwhile the other one frees the block at
 * 0x1000 and makes one at 0x2000 at 300, and moves that to 0x3000 from 600 to 700. The child's
 * memory has the other's events up to `position`. */
static void fork_while_busy(uint64_t position)
{
    builder_init(&b);
    b.control.control_version = SPOOL_CONTROL_VERSION;
    main_thread = builder_stream(&b, 0, 0);
    other = builder_stream(&b, 0, 1);
    builder_alloc(main_thread, 10, 0x1000, 40, FRAMES(1));
    serial = builder_fork(&b, 0, 100, 0);
    builder_plain(main_thread, 100, SPOOL_FORK, serial, 0);
    builder_free_block(other, 200, 0x1000);
    builder_alloc(other, 300, 0x2000, 50, FRAMES(1));
    builder_plain(other, 600, SPOOL_REALLOC_BEGIN, 0x2000, 0);
    builder_stacked(other, 700, SPOOL_REALLOC_MOVED, 0x3000, 60, FRAMES(1));
    label(main_thread, 900, SPOOL_LABEL_FORKED, &serial, sizeof serial);
    builder_free_block(other, 1000, 0x3000);
    child = builder_stream(&b, serial, 0);
    struct spool_birth birth = {BUILDER_START + position, other->id, 0};
    if (position)
        label(child, 950, SPOOL_LABEL_BIRTH, &birth, sizeof birth);
}

static void expect(uint64_t inherited, uint64_t inherited_bytes, uint64_t unmatched,
                   uint64_t implied)
{
    struct collector *c = collect(&b);
    const struct quality *q = &process_of(c, serial)->quality;

    assert_int_equal(q->inherited, inherited);
    assert_int_equal(q->inherited_bytes, inherited_bytes);
    assert_int_equal(q->unmatched_frees, unmatched);
    assert_int_equal(q->implied_frees, implied);
    assert_int_equal(process_of(c, 0)->quality.unmatched_frees, 0);
    collector_free(c);
}

static void test_nothing_had_come(void **state)
{
    (void)state;
    fork_while_busy(0);
    builder_free_block(child, 1100, 0x1000);
    expect(1, 0, 0, 0);
}

static void test_part_of_it_had_come(void **state)
{
    (void)state;
    fork_while_busy(300);
    builder_free_block(child, 1100, 0x2000);
    builder_alloc(child, 1200, 0x1000, 70, FRAMES(1));
    expect(1, 0, 0, 0);
}

/* A realloc that had begun has not let go of its block. */
static void test_a_realloc_had_begun(void **state)
{
    (void)state;
    fork_while_busy(600);
    expect(1, 50, 0, 0);
}

static void test_all_of_it_had_come(void **state)
{
    (void)state;
    fork_while_busy(700);
    builder_free_block(child, 1100, 0x3000);
    builder_alloc(child, 1200, 0x2000, 70, FRAMES(1));
    expect(1, 0, 0, 0);
}

/* What came after the fork has returned is not the child's, whatever it says. */
static void test_later_events_are_not_the_childs(void **state)
{
    (void)state;
    fork_while_busy(5000);
    builder_free_block(child, 1100, 0x3000);
    expect(1, 0, 0, 0);
}

static void test_labels_that_make_no_sense(void **state)
{
    uint32_t nobody = 77;
    (void)state;

    fork_while_busy(0);
    label(main_thread, 910, SPOOL_LABEL_FORKED, &nobody, sizeof nobody);
    label(main_thread, 920, SPOOL_LABEL_FORKED, &nobody, 1);
    label(child, 951, SPOOL_LABEL_BIRTH, &nobody, 3);
    label(main_thread, 952, SPOOL_LABEL_BIRTH, &nobody, 0);
    expect(1, 40, 0, 0);
}

/* A handler forks at 100, while its thread is in these calls; another thread is in a realloc, too.
 */
static void fork_in_calls(void)
{
    builder_init(&b);
    b.control.control_version = SPOOL_CONTROL_VERSION;
    main_thread = builder_stream(&b, 0, 0);
    other = builder_stream(&b, 0, 1);
    builder_alloc(main_thread, 10, 0x1000, 40, FRAMES(1));
    builder_alloc(other, 20, 0x2000, 50, FRAMES(1));
    struct spool_event reserved = {
        .kind = SPOOL_RANGE_MAP,
        .address = 0x100000,
        .size = 0x4000,
        .extra = spool_range_of(SPOOL_RANGE_MMAP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS)};
    builder_event(main_thread, 30, reserved, NULL);
    builder_plain(other, 40, SPOOL_REALLOC_BEGIN, 0x2000, 0);
    builder_plain(main_thread, 50, SPOOL_RANGE_BEGIN, 0x100000, 0x4000);
    builder_plain(main_thread, 60, SPOOL_REALLOC_BEGIN, 0x1000, 0);
    struct builder_stream *handler = builder_stream(&b, 0, 0);
    serial = builder_fork(&b, 0, 100, 0);
    builder_plain(handler, 100, SPOOL_FORK, serial, 0);
    builder_stacked(main_thread, 150, SPOOL_REALLOC_MOVED, 0x1000, 45, FRAMES(1));
    builder_plain(main_thread, 160, SPOOL_RANGE_DROPPED, 0, 0);
    builder_stacked(other, 170, SPOOL_REALLOC_MOVED, 0x2000, 55, FRAMES(1));
    child = builder_stream(&b, serial, 0);
}

/* The child comes back into the calls of the thread that forked it. */
static void test_an_interrupted_realloc_ends(void **state)
{
    (void)state;
    fork_in_calls();
    builder_stacked(child, 200, SPOOL_REALLOC_MOVED, 0x3000, 60, FRAMES(1));
    builder_alloc(child, 210, 0x1000, 70, FRAMES(1)); /* nothing is there any more */
    builder_free_block(child, 220, 0x3000);
    builder_free_block(child, 230, 0x2000); /* that thread does not live in the child */
    expect(2, 0, 0, 0);
}

static void test_an_interrupted_realloc_fails(void **state)
{
    (void)state;
    fork_in_calls();
    builder_plain(child, 200, SPOOL_REALLOC_FAILED, 0, 0);
    builder_free_block(child, 210, 0x1000);
    expect(2, 50, 0, 0);
}

/* Its handler has made something at the same places before it came back. */
static void test_what_came_since_the_fork_stays(void **state)
{
    (void)state;
    fork_in_calls();
    builder_alloc(child, 190, 0x1000, 70, FRAMES(1));
    builder_stacked(child, 200, SPOOL_REALLOC_MOVED, 0x3000, 60, FRAMES(1));
    struct spool_event memory = {.kind = SPOOL_RANGE_MAP,
                                 .address = 0x100000,
                                 .size = 0x4000,
                                 .extra = spool_range_of(SPOOL_RANGE_MMAP, PROT_READ | PROT_WRITE,
                                                         MAP_PRIVATE | MAP_ANONYMOUS)};
    builder_event(child, 210, memory, NULL);
    builder_plain(child, 220, SPOOL_RANGE_DROPPED, 0, 0);
    struct collector *c = collect(&b);
    const struct process *p = process_of(c, serial);
    assert_int_equal(p->quality.implied_frees + p->quality.unmatched_frees, 0);
    assert_int_equal(p->totals.live_at_end_bytes, 70 + 60);
    assert_int_equal(p->totals.mapped_at_end_bytes, 0x4000);
    collector_free(c);
}

/* Where it never comes back, the block can be freed. */
static void test_an_interrupted_realloc_is_left(void **state)
{
    (void)state;
    fork_in_calls();
    builder_free_block(child, 200, 0x1000);
    builder_alloc(child, 210, 0x1000, 70, FRAMES(1));
    expect(2, 50, 0, 0);
}

/* No call is ended twice. */
static void test_an_end_too_many(void **state)
{
    (void)state;
    fork_in_calls();
    builder_stacked(child, 200, SPOOL_REALLOC_MOVED, 0x3000, 60, FRAMES(1));
    builder_stacked(child, 210, SPOOL_REALLOC_MOVED, 0x4000, 60, FRAMES(1));
    expect(2, 50, 1, 0);
}

/* A handler's realloc within a realloc, in a stream that was another thread's before: it is the
 * older one. The inner call ends first. */
static void test_the_inner_call_is_in_the_older_stream(void **state)
{
    (void)state;
    builder_init(&b);
    b.control.control_version = SPOOL_CONTROL_VERSION;
    struct builder_stream *handler = builder_stream(&b, 0, 0);
    builder_alloc(handler, 10, 0x1000, 40, FRAMES(1));
    main_thread = builder_stream(&b, 0, 0);
    builder_alloc(main_thread, 20, 0x2000, 50, FRAMES(1));
    builder_plain(main_thread, 30, SPOOL_REALLOC_BEGIN, 0x2000, 0);
    builder_plain(handler, 40, SPOOL_REALLOC_BEGIN, 0x1000, 0);
    serial = builder_fork(&b, 0, 100, 0);
    builder_plain(handler, 100, SPOOL_FORK, serial, 0);
    child = builder_stream(&b, serial, 0);
    builder_plain(child, 200, SPOOL_REALLOC_FAILED, 0, 0);
    builder_stacked(child, 210, SPOOL_REALLOC_MOVED, 0x3000, 60, FRAMES(1));
    builder_free_block(child, 220, 0x1000);
    builder_free_block(child, 230, 0x3000);
    expect(2, 0, 0, 0);
}

/* What has no access is memory once it has; what is dropped is nothing. */
static void unmap_in_child(enum spool_kind end, uint64_t bytes)
{
    fork_in_calls();
    builder_plain(child, 200, end, 0, 0);
    struct spool_event protect = {
        .kind = SPOOL_RANGE_MAP,
        .address = 0x100000,
        .size = 0x4000,
        .extra = spool_range_of(SPOOL_RANGE_PROTECT, PROT_READ | PROT_WRITE, 0)};
    builder_event(child, 210, protect, NULL);
    struct collector *c = collect(&b);
    assert_int_equal(process_of(c, serial)->totals.mapped_peak_bytes, bytes);
    assert_int_equal(process_of(c, 0)->totals.unmaps, 1);
    collector_free(c);
}

static void test_an_interrupted_munmap_ends(void **state)
{
    (void)state;
    unmap_in_child(SPOOL_RANGE_DROPPED, 0);
    unmap_in_child(SPOOL_RANGE_FAILED, 0x4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_had_come),
        cmocka_unit_test(test_part_of_it_had_come),
        cmocka_unit_test(test_a_realloc_had_begun),
        cmocka_unit_test(test_all_of_it_had_come),
        cmocka_unit_test(test_later_events_are_not_the_childs),
        cmocka_unit_test(test_labels_that_make_no_sense),
        cmocka_unit_test(test_an_interrupted_realloc_ends),
        cmocka_unit_test(test_an_interrupted_realloc_fails),
        cmocka_unit_test(test_what_came_since_the_fork_stays),
        cmocka_unit_test(test_an_interrupted_realloc_is_left),
        cmocka_unit_test(test_an_end_too_many),
        cmocka_unit_test(test_an_interrupted_munmap_ends),
        cmocka_unit_test(test_the_inner_call_is_in_the_older_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
