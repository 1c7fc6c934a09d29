/* test_shared_memory.c - memory that a process has in several places counts once, byte by byte:
 * segments, and what mremap has given a second view of. */
#include "mappings_fixture.h"

#define SHARED (MAP_SHARED | MAP_ANONYMOUS)

static void attach(uint64_t time, uint64_t from, uint64_t to, int number)
{
    range(s, time, from, to, spool_range_of(SPOOL_RANGE_SEGMENT, BOTH, number), OTHER);
}

/* mremap of length 0: pages [from, to) are a view of what lies at page `of`. */
static void view(uint64_t time, uint64_t of, uint64_t from, uint64_t to)
{
    drop(time, of, of, SPOOL_NOTHING);
    range(s, time + 1, from, to, spool_range_of(SPOOL_RANGE_VIEW, 0, MREMAP_MAYMOVE), OTHER);
}

static void move(uint64_t time, uint64_t of, uint64_t of_end, uint64_t from, uint64_t to, int flags)
{
    drop(time, of, of_end, SPOOL_NOTHING);
    range(s, time + 1, from, to, spool_range_of(SPOOL_RANGE_MOVED, 0, MREMAP_MAYMOVE | flags),
          OTHER);
}

static void expect(struct pages at_end)
{
    struct collector *c = collect(&b);
    expect_end(c, 0, at_end);
    check_sums(collector_image(c));
    collector_free(c);
}

/* What is left of the first place is memory there, the rest in the second one. */
static void test_attached_to_a_part(void **state)
{
    (void)state;
    attach(10, 0, 8, 0);
    drop(20, 2, 3, SPOOL_RANGE_DROPPED);
    drop(22, 5, 8, SPOOL_RANGE_DROPPED);
    attach(30, 20, 28, 0); /* 4 are memory at the first one, 4 here */
    expect((struct pages){8, 0, 4});
}

/* The pages are held as long as there is a view. */
static void test_views(void **state)
{
    (void)state;
    map(10, 0, 10, BOTH, SHARED, WORK);
    view(20, 0, 20, 30);
    view(30, 24, 40, 42);                  /* pages 4 and 5, and a third place of them */
    drop(40, 0, 5, SPOOL_RANGE_DROPPED);   /* 0 to 4 are memory in the view */
    drop(50, 20, 30, SPOOL_RANGE_DROPPED); /* 5 to 9 still, and 4 in the last view */
    map(60, 50, 53, BOTH, MAP_SHARED, WORK);
    view(70, 50, 60, 63); /* of a file */
    expect((struct pages){6, 0, 1 + 6});
}

/* Views of what may not be written to yet, in one call and in two. */
static void test_views_of_a_reservation(void **state)
{
    (void)state;
    map(10, 0, 6, PROT_NONE, SHARED, WORK);
    view(20, 0, 10, 16); /* 12 reserved */
    protect(30, 0, 6, BOTH, OTHER);
    protect(31, 10, 16, BOTH, OTHER); /* 6, and a view */
    protect(40, 0, 6, PROT_NONE, OTHER);
    drop(50, 0, 6, SPOOL_RANGE_DROPPED); /* 6 by the view */
    map(60, 100, 104, PROT_NONE, SHARED, WORK);
    view(70, 100, 104, 108);
    protect(80, 100, 108, BOTH, OTHER); /* 4, and a view */
    expect((struct pages){6 + 4, 0, 4});
}

/* Views move, as shared memory does; a view may come to where the first place is. */
static void test_views_move(void **state)
{
    (void)state;
    map(10, 0, 10, BOTH, SHARED, WORK);
    view(20, 0, 20, 30);
    move(30, 20, 30, 0, 10, MREMAP_FIXED);     /* 10, in one place */
    move(40, 0, 10, 40, 50, MREMAP_DONTUNMAP); /* and in two: 10 of a file */
    move(50, 40, 50, 60, 65, 0);               /* but 5 of these are gone */
    move(60, 0, 10, 0, 5, 0);
    move(70, 60, 65, 80, 92, 0); /* 5 of memory that has gone come back, 2 are too many */
    expect((struct pages){5 + 5, 0, 5 + 2});
}

/* A child has the views that its parent has; whose memory it is does not change. */
static void test_views_of_a_child(void **state)
{
    (void)state;
    map(10, 0, 10, BOTH, SHARED, WORK);
    view(20, 0, 20, 30);
    uint32_t child = builder_fork(&b, 0, 25, 0);
    builder_plain(s, 25, SPOOL_FORK, child, 0);
    s = builder_stream(&b, child, 0);
    drop(30, 0, 10, SPOOL_RANGE_DROPPED);
    protect(40, 20, 30, PROT_NONE, OTHER);
    protect(41, 20, 30, BOTH, OTHER);
    view(50, 20, 40, 50); /* of what is inherited */
    drop(60, 20, 30, SPOOL_RANGE_DROPPED);
    map(70, 100, 103, BOTH, SHARED, OTHER);
    struct collector *c = collect(&b);
    expect_end(c, child, (struct pages){3, 0, 0});
    expect_end(c, 0, (struct pages){10, 0, 10});
    check_sums(collector_image(c));
    collector_free(c);
}

/* Recorders did not tell of what a view is; other calls may be open then. */
static void test_view_of_an_older_recorder(void **state)
{
    (void)state;
    map(10, 0, 10, BOTH, SHARED, WORK);
    drop(20, 0, 10, SPOOL_NOTHING); /* munmap, and a handler's mremap */
    range(s, 21, 20, 30, spool_range_of(SPOOL_RANGE_VIEW, 0, MREMAP_MAYMOVE), OTHER);
    builder_plain(s, 22, SPOOL_RANGE_DROPPED, 0, 0);
    expect((struct pages){0, 0, 10});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_attached_to_a_part, begin),
        cmocka_unit_test_setup(test_views, begin),
        cmocka_unit_test_setup(test_views_of_a_reservation, begin),
        cmocka_unit_test_setup(test_views_move, begin),
        cmocka_unit_test_setup(test_views_of_a_child, begin),
        cmocka_unit_test_setup(test_view_of_an_older_recorder, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
