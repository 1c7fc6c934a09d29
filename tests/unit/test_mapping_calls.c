/* test_mapping_calls.c - calls about mappings that are nested, that fail half way, that are about
 * several mappings, and about shared segments. */
#include "mappings_fixture.h"

/* A handler's calls within another call are ended before it is. What a handler jumped out of never
 * ends, and harms nobody; many of them neither. */
static void test_nested_calls(void **state)
{
    (void)state;
    map(10, 0, 20, BOTH, ANONYMOUS, WORK);
    map(11, 30, 33, BOTH, ANONYMOUS, WORK);
    map(12, 40, 60, PROT_NONE, ANONYMOUS, WORK);
    drop(20, 0, 20, SPOOL_NOTHING); /* munmap .. */
    drop(21, 30, 33, SPOOL_RANGE_DROPPED);
    map(23, 100, 104, BOTH, ANONYMOUS, OTHER); /* ends nothing */
    range(s, 24, 110, 111, spool_range_of(SPOOL_RANGE_BREAK, BOTH, 0), OTHER);
    builder_plain(s, 25, SPOOL_RANGE_DROPPED, 0, 0); /* .. ends */
    drop(30, 40, 60, SPOOL_NOTHING);                 /* mremap of the reservation .. */
    map(31, 120, 127, BOTH, ANONYMOUS, OTHER);
    drop(32, 120, 127, SPOOL_RANGE_FAILED);
    range(s, 34, 200, 240, spool_range_of(SPOOL_RANGE_MOVED, 0, MREMAP_MAYMOVE), OTHER);
    for (uint64_t i = 0; i < 40; i++) /* handlers jump out */
        drop(40 + i, 100, 103 - i % 3, SPOOL_NOTHING);
    drop(90, 110, 111, SPOOL_RANGE_DROPPED);
    drop(92, 100, 102, SPOOL_RANGE_DROPPED);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){2 + 7, 40, 0});
    expect_peaks(c, (struct pages){25, 40, 0});
    assert_int_equal(process_of(c, 0)->totals.unmaps, 5);
    check_sums(collector_image(c));
    collector_free(c);
}

#define MOVED(flags) spool_range_of(SPOOL_RANGE_MOVED, 0, MREMAP_MAYMOVE | (flags))

/* Each part keeps its kind; what is not known is memory; what grows is as the last part. */
static void test_moved_over_several(void **state)
{
    (void)state;
    map(10, 0, 10, PROT_NONE, ANONYMOUS, WORK);
    map(11, 10, 20, BOTH, ANONYMOUS, WORK);
    map(12, 20, 30, BOTH, MAP_PRIVATE, WORK);
    drop(20, 0, 30, SPOOL_NOTHING);
    range(s, 21, 100, 130, MOVED(MREMAP_FIXED), OTHER);
    map(30, 200, 210, BOTH, ANONYMOUS, WORK);
    map(31, 210, 220, PROT_NONE, ANONYMOUS, WORK);
    drop(40, 200, 220, SPOOL_NOTHING); /* shrinks in its place: 10 and 4 are left */
    range(s, 41, 200, 214, MOVED(0), OTHER);
    drop(42, 205, 214, SPOOL_NOTHING); /* 5 and 4 move and grow by 6 */
    range(s, 43, 300, 315, MOVED(0), OTHER);
    drop(50, 400, 405, SPOOL_NOTHING); /* mapped before we came, but for the middle */
    map(51, 500, 501, PROT_NONE, ANONYMOUS, OTHER);
    range(s, 52, 410, 415, MOVED(0), OTHER);
    drop(60, 499, 502, SPOOL_NOTHING);
    range(s, 61, 600, 603, MOVED(0), OTHER);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){10 + 5 + 5 + 5 + 2, 10 + 4 + 6 + 1, 10});
    assert_int_equal(live_of(c, OTHER), 10 + 5 + 5 + 5 + 2);
    assert_int_equal(live_of(c, WORK), 0);
    check_sums(collector_image(c));
    collector_free(c);
}

/* However many ranges a call makes memory, it is one allocation of all their pages. */
static void test_one_call(void **state)
{
    (void)state;
    map(10, 0, 30, PROT_NONE, ANONYMOUS, WORK);
    map(11, 10, 20, PROT_NONE, ANONYMOUS | MAP_FIXED, WORK);
    map(12, 25, 27, BOTH, ANONYMOUS | MAP_FIXED, WORK);
    protect(20, 0, 30, BOTH, OTHER);
    map(30, 100, 110, BOTH, ANONYMOUS, WORK);
    map(31, 110, 120, PROT_NONE, ANONYMOUS, WORK);
    map(32, 120, 130, BOTH, ANONYMOUS, WORK);
    drop(40, 100, 130, SPOOL_NOTHING);
    range(s, 41, 200, 230, MOVED(MREMAP_FIXED), OTHER);
    struct collector *c = collect(&b);
    const struct function_usage *other = usage_of(c, 0, OTHER);
    expect_end(c, 0, (struct pages){50, 10, 0});
    assert_int_equal(other->mapped.self.allocations, 2);
    assert_int_equal(other->mapped.self.allocated_bytes, (28 + 20) * PAGE);
    assert_int_equal(usage_of(c, 0, WORK)->mapped.self.allocations, 3);
    assert_int_equal(process_of(c, 0)->totals.unmaps, 3);
    check_sums(collector_image(c));
    collector_free(c);
}

static void failed_protect(uint64_t time, uint64_t from, uint64_t to, int protection, int error)
{
    range(s, time, from, to, spool_range_of(SPOOL_RANGE_PROTECT, protection, error), OTHER);
}

/* The kernel changes all that lies before the page at which it fails. */
static void test_half_protected(void **state)
{
    (void)state;
    map(10, 0, 10, BOTH, ANONYMOUS, WORK);
    map(11, 20, 30, BOTH, ANONYMOUS, WORK);
    failed_protect(20, 0, 30, PROT_NONE, ENOMEM); /* the hole: 10 reserved */
    map(30, 100, 110, PROT_NONE, ANONYMOUS, WORK);
    map(31, 110, 120, PROT_READ, MAP_SHARED, WORK);
    map(32, 120, 130, PROT_NONE, ANONYMOUS, WORK);
    failed_protect(40, 100, 130, BOTH, EACCES); /* the file: 10 more are memory */
    map(50, 200, 210, PROT_NONE, ANONYMOUS, WORK);
    failed_protect(60, 200, 210, BOTH, ENOMEM); /* a limit */
    failed_protect(61, 15, 30, BOTH, ENOMEM);   /* the first page */
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){10 + 10, 10 + 10 + 10, 10});
    assert_int_equal(live_of(c, OTHER), 10);
    check_sums(collector_image(c));
    collector_free(c);
}

/* One that goes round the end of the address space is refused before it looks at anything. */
static void test_protected_all_round(void **state)
{
    (void)state;
    map(10, 0, 10, PROT_NONE, ANONYMOUS, WORK);
    map(11, 20, 21, PROT_NONE, ANONYMOUS, WORK);
    range(s, 20, 0, (0 - PLACE) / PAGE, spool_range_of(SPOOL_RANGE_PROTECT, BOTH, ENOMEM), OTHER);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){0, 11, 0});
    collector_free(c);
}

/* A hole that the program has made is one after a move, too, and what lies at its new place stays.
 */
static void test_moved_with_holes(void **state)
{
    (void)state;
    map(10, 0, 64, BOTH, ANONYMOUS, WORK);
    drop(20, 1, 31, SPOOL_RANGE_DROPPED);
    drop(30, 0, 64, SPOOL_NOTHING); /* shrinks */
    range(s, 31, 0, 32, MOVED(0), OTHER);
    map(40, 100, 110, BOTH, ANONYMOUS, WORK);
    map(41, 200, 210, PROT_NONE, ANONYMOUS, WORK);
    drop(50, 102, 105, SPOOL_RANGE_DROPPED);
    drop(60, 100, 110, SPOOL_NOTHING);
    range(s, 61, 200, 210, MOVED(MREMAP_FIXED), OTHER);
    drop(70, 300, 310, SPOOL_RANGE_DROPPED); /* mapped before we came */
    drop(80, 299, 311, SPOOL_NOTHING);
    range(s, 81, 400, 412, MOVED(MREMAP_FIXED), OTHER);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){2 + 7 + 2, 3, 0});
    check_sums(collector_image(c));
    collector_free(c);
}

#define HUGE        512ull                /* pages */
#define PLACE_OF(i) (HUGE / 2 + (i)*HUGE) /* PLACE lies in the middle of one */

/* Any length is one of whole huge pages, where the mapping has such. */
static void test_huge_pages(void **state)
{
    (void)state;
    map(10, PLACE_OF(0), PLACE_OF(4), BOTH, ANONYMOUS | MAP_HUGETLB, WORK);
    drop(20, PLACE_OF(0), PLACE_OF(4), SPOOL_NOTHING); /* 2 are left */
    range(s, 21, PLACE_OF(0), PLACE_OF(1) + 1, MOVED(0), OTHER);
    map(30, PLACE_OF(9), PLACE_OF(12), PROT_NONE, ANONYMOUS, WORK);
    drop(40, PLACE_OF(0), PLACE_OF(0) + 1, SPOOL_NOTHING); /* one goes to another place */
    range(s, 41, PLACE_OF(10), PLACE_OF(10) + 1, MOVED(MREMAP_FIXED), OTHER);
    drop(50, PLACE_OF(9), PLACE_OF(9) + 1, SPOOL_RANGE_DROPPED);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){2 * HUGE, 2 * HUGE - 1, 0});
    expect_peaks(c, (struct pages){4 * HUGE, 3 * HUGE, 0});
    check_sums(collector_image(c));
    collector_free(c);
}

static void attach(uint64_t time, uint64_t from, uint64_t to, int protection, int number)
{
    range(s, time, from, to, spool_range_of(SPOOL_RANGE_SEGMENT, protection, number), OTHER);
}

static void detach(uint64_t time, uint64_t from)
{
    drop(time, from, from, SPOOL_RANGE_DROPPED);
}

/* A segment is one memory, wherever and however often it is attached. */
static void test_segments(void **state)
{
    (void)state;
    attach(10, 0, 10, BOTH, 0);
    attach(11, 20, 30, BOTH, 0);
    attach(12, 40, 50, PROT_READ, 0);
    drop(20, 0, 4, SPOOL_RANGE_DROPPED); /* that part has its second place */
    drop(22, 28, 30, SPOOL_RANGE_DROPPED);
    detach(30, 0); /* but for 2 pages, the rest, too */
    attach(40, 60, 70, BOTH, 1);
    drop(50, 65, 70, SPOOL_NOTHING); /* half of it moves, with its place in the segment */
    range(s, 51, 100, 105, MOVED(MREMAP_FIXED), WORK);
    detach(60, 60);
    attach(70, 200, 206, BOTH, 2);
    attach(71, 300, 310, BOTH, 3);
    attach(80, 300, 306, BOTH, 2); /* SHM_REMAP: over the first pages of another */
    detach(90, 300);               /* of that one nothing goes */
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){8 + 5 + 6 + 4, 0, 10});
    expect_peaks(c, (struct pages){8 + 5 + 6 + 10, 0, 20});
    check_sums(collector_image(c));
    collector_free(c);
}

/* What is moved stays its parent's, but for what it grows by. */
static void test_inherited_moves(void **state)
{
    (void)state;
    map(10, 0, 20, BOTH, ANONYMOUS, WORK);
    map(11, 30, 40, BOTH, ANONYMOUS, WORK);
    map(12, 50, 60, PROT_NONE, ANONYMOUS, WORK);
    uint32_t child = builder_fork(&b, 0, 20, 0);
    builder_plain(s, 20, SPOOL_FORK, child, 0);
    s = builder_stream(&b, child, 0);
    drop(30, 0, 20, SPOOL_NOTHING);
    range(s, 31, 0, 15, MOVED(0), OTHER);
    drop(32, 30, 40, SPOOL_NOTHING);
    range(s, 33, 100, 117, MOVED(0), OTHER); /* 7 of its own */
    protect(34, 100, 117, PROT_NONE, OTHER);
    protect(35, 100, 117, BOTH, OTHER);
    drop(36, 50, 60, SPOOL_NOTHING);
    range(s, 37, 200, 210, MOVED(0), OTHER);
    protect(38, 200, 203, BOTH, OTHER); /* 3 */
    drop(40, 0, 5, SPOOL_NOTHING);
    range(s, 41, 300, 305, MOVED(MREMAP_DONTUNMAP), OTHER); /* 5: there are two of it now */
    struct collector *c = collect(&b);
    expect_end(c, child, (struct pages){7 + 3 + 5, 0, 0});
    assert_int_equal(process_of(c, child)->totals.mapped_peak_bytes, 15 * PAGE);
    expect_end(c, 0, (struct pages){30, 10, 0});
    check_sums(collector_image(c));
    collector_free(c);
}

/* Ends without beginnings, and of other calls than those that began: no piece lies over another. */
static void test_damaged(void **state)
{
    (void)state;
    attach(10, 0, 10, BOTH, 7);
    drop(20, 0, 0, SPOOL_NOTHING);        /* shmdt .. */
    range(s, 21, 50, 65, MOVED(0), WORK); /* .. ends as a mremap */
    builder_plain(s, 30, SPOOL_RANGE_DROPPED, 0, 0);
    builder_plain(s, 31, SPOOL_RANGE_FAILED, 0, 0);
    range(s, 32, 100, 110, MOVED(MREMAP_DONTUNMAP), WORK);
    failed_protect(40, 0, 200, PROT_NONE, 99);
    drop(50, 60, 105, SPOOL_NOTHING);
    range(s, 51, 62, 63, MOVED(0), WORK);
    struct collector *c = collect(&b);
    expect_end(c, 0, (struct pages){10 + 5, 0, 1}); /* a segment does not grow */
    check_sums(collector_image(c));
    collector_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nested_calls, begin),
        cmocka_unit_test_setup(test_moved_over_several, begin),
        cmocka_unit_test_setup(test_one_call, begin),
        cmocka_unit_test_setup(test_half_protected, begin),
        cmocka_unit_test_setup(test_protected_all_round, begin),
        cmocka_unit_test_setup(test_moved_with_holes, begin),
        cmocka_unit_test_setup(test_huge_pages, begin),
        cmocka_unit_test_setup(test_segments, begin),
        cmocka_unit_test_setup(test_inherited_moves, begin),
        cmocka_unit_test_setup(test_damaged, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
