/* test_kinship.c - who started whom: forks, exec, exec over itself, orphans, pids used twice. */
#include "kinship.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* A process of pid P started at time P * 10 unless it says otherwise. */
#define FIRST(pid, parent, begin)                                                                  \
    {                                                                                              \
        pid, parent, (pid)*10u, (parent)*10u, begin, KIN_NONE, 0, 0, 0                             \
    }
#define FORKED(pid, parent, begin, forker)                                                         \
    {                                                                                              \
        pid, parent, (pid)*10u, 0, begin, forker, 0, 0, 0                                          \
    }

static void expect(const struct kin *kin, enum kin_kind kind, size_t starter, unsigned depth)
{
    assert_int_equal(kin->kind, kind);
    assert_int_equal(kin->starter, starter);
    assert_int_equal(kin->depth, depth);
}

static void expect_order(const struct kin *list, size_t count, size_t of, const size_t *wanted,
                         size_t wanted_count)
{
    size_t ordered, *order = kinship_order(list, count, of, &ordered);
    assert_int_equal(ordered, wanted_count);
    for (size_t i = 0; i < wanted_count; i++)
        assert_int_equal(order[i], wanted[i]);
    free(order);
}

static void test_a_shell(void **state)
{
    (void)state;
    struct kin list[] = {
        FIRST(100, 1, 0),        /* 0 the shell */
        FORKED(101, 100, 5, 0),  /* 1 forks itself for a program */
        FORKED(102, 100, 9, 0),  /* 2 a subshell that stays one .. */
        FORKED(103, 102, 11, 2), /* 3 .. and forks */
        FIRST(101, 100, 6),      /* 4 the program: it was 1 before */
        FIRST(104, 101, 7),      /* 5 spawned by the program */
        FIRST(100, 1, 20),       /* 6 what the shell became in the end */
        FIRST(105, 1, 30),       /* 7 an orphan */
    };
    static const size_t all[] = {0, 1, 4, 5, 2, 3, 6, 7}, program[] = {4, 5};
    kinship_find(list, 8);
    expect(&list[0], KIN_FIRST, KIN_NONE, 0);
    expect(&list[1], KIN_FORK, 0, 1);
    expect(&list[2], KIN_FORK, 0, 1);
    expect(&list[3], KIN_FORK, 2, 2);
    expect(&list[4], KIN_BECAME, 1, 1);
    expect(&list[5], KIN_EXEC, 4, 2);
    expect(&list[6], KIN_BECAME, 0, 0);
    expect(&list[7], KIN_FIRST, KIN_NONE, 0);
    assert_int_equal(kinship_starter(list, 4), 0);
    assert_int_equal(kinship_starter(list, 5), 4);
    assert_int_equal(kinship_starter(list, 6), KIN_NONE);
    assert_int_equal(kinship_starter(list, 7), KIN_NONE);
    expect_order(list, 8, KIN_NONE, all, 8);
    expect_order(list, 8, 4, program, 2);
}

/* Three lives of one pid: a child belongs to the life in which it was started. */
static void test_exec_over_itself(void **state)
{
    (void)state;
    struct kin list[] = {FIRST(7, 1, 0), FIRST(7, 1, 10), FIRST(7, 1, 20), FIRST(8, 7, 15),
                         FIRST(9, 7, 25)};
    kinship_find(list, 5);
    expect(&list[1], KIN_BECAME, 0, 0);
    expect(&list[2], KIN_BECAME, 1, 0);
    expect(&list[3], KIN_EXEC, 1, 1);
    expect(&list[4], KIN_EXEC, 2, 1);
}

/* A pid that was used again, and processes whose start is not known, are nobody's relatives. */
static void test_pids_used_twice(void **state)
{
    (void)state;
    struct kin list[] = {FIRST(7, 1, 0), FIRST(7, 1, 10), FIRST(8, 7, 15), FIRST(0, 0, 16)};
    list[1].start_time = 99;
    list[2].parent_start_time = 99;
    kinship_find(list, 4);
    expect(&list[1], KIN_FIRST, KIN_NONE, 0);
    expect(&list[2], KIN_EXEC, 1, 1);
    expect(&list[3], KIN_FIRST, KIN_NONE, 0);
}

/* Whatever a damaged file says: everybody comes once, and nobody descends from himself. */
static void test_nonsense_ends(void **state)
{
    (void)state;
    enum { MANY = 500 };
    static struct kin list[MANY];
    static unsigned char seen[MANY];
    srand(3);
    for (int round = 0; round < 20; round++) {
        size_t count = 1 + (size_t)rand() % MANY, ordered;
        for (size_t i = 0; i < count; i++) {
            list[i] = (struct kin){.pid = rand() % 20,
                                   .parent_pid = rand() % 20,
                                   .start_time = (uint64_t)rand() % 3,
                                   .parent_start_time = (uint64_t)rand() % 3,
                                   .begin_ns = (uint64_t)rand() % 50,
                                   .forker = rand() % 2 ? (size_t)rand() % count : KIN_NONE};
            seen[i] = 0;
        }
        kinship_find(list, count);
        size_t *order = kinship_order(list, count, KIN_NONE, &ordered);
        assert_int_equal(ordered, count);
        for (size_t i = 0; i < count; i++) {
            assert_false(seen[order[i]]++);
            size_t starter = list[order[i]].starter;
            assert_true(starter == KIN_NONE || seen[starter]);
        }
        free(order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_shell),
        cmocka_unit_test(test_exec_over_itself),
        cmocka_unit_test(test_pids_used_twice),
        cmocka_unit_test(test_nonsense_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
