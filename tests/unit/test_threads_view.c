/* test_threads_view.c - the table of threads: whose figures, in which order, how wide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "threads_view.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1ull << 20)

/* By heap: alice, bob, carol; by mapped memory: carol, alice; by memory: carol, alice, bob. */
static struct thread_usage threads[3];
static struct process process;
static char *text;

static struct usage usage_of(uint64_t mib)
{
    return (struct usage){.allocations = mib != 0,
                          .allocated_bytes = mib * MIB,
                          .own_peak_bytes = mib * MIB,
                          .at_peak_bytes = mib * MIB};
}

static struct thread_usage thread_of(uint32_t serial, const char *name, uint64_t heap,
                                     uint64_t mapped)
{
    return (struct thread_usage){.serial = serial,
                                 .threads = 1,
                                 .tid = 100 + (int32_t)serial,
                                 .name = name,
                                 .heap = usage_of(heap),
                                 .mapped = usage_of(mapped),
                                 .memory = usage_of(heap + mapped),
                                 .mapped_then_bytes = mapped * MIB};
}

static int set_up(void **state)
{
    (void)state;
    threads[0] = thread_of(0, "bob", 8, 0);
    threads[1] = thread_of(1, "alice", 9, 2);
    threads[2] = thread_of(2, "carol", 1, 30);
    process = (struct process){.threads = threads, .thread_usage_count = 3};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static void make_text(enum series series)
{
    size_t bytes;
    free(text);
    FILE *out = open_memstream(&text, &bytes);
    threads_text(&process, series, out);
    fclose(out);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 79);
}

static void expect_order(const char *first, const char *second, const char *third)
{
    const char *a = strstr(text, first), *b = strstr(text, second), *c = strstr(text, third);
    assert_true(a && b && c && a < b && b < c);
}

/* The heap alone: in its own order, and nothing of mapped memory. */
static void test_heap(void **state)
{
    (void)state;
    make_text(SERIES_HEAP);
    expect_order("alice", "bob", "carol");
    assert_null(strstr(text, "mapped"));
    assert_non_null(strstr(text, "carol                102   1.00 MiB   1.00 MiB "));
}

/* Mapped memory alone, of those that have mapped some. */
static void test_mapped(void **state)
{
    (void)state;
    make_text(SERIES_MAPPED);
    expect_order("\nthreads, by the own peak of what they mapped\n",
                 "carol                102  30.00 MiB  30.00 MiB ",
                 "alice                101   2.00 MiB ");
    assert_null(strstr(text, "bob"));
    threads[1].mapped = threads[2].mapped = usage_of(0);
    make_text(SERIES_MAPPED);
    assert_string_equal(text, "");
}

/* What a thread held together, which is what they are sorted by, then its parts. */
static void test_memory(void **state)
{
    (void)state;
    make_text(SERIES_MEMORY);
    expect_order("carol                102  31.00 MiB  31.00 MiB ",
                 "alice                101  11.00 MiB ", "bob                  100   8.00 MiB ");
    expect_order("carol", "\n                     heap   1.00 MiB   1.00 MiB ",
                 "\n                   mapped  30.00 MiB  30.00 MiB ");
    assert_null(strstr(strstr(text, "bob"), "heap"));
    threads[2].heap = usage_of(0);
    make_text(SERIES_MEMORY);
    expect_order("carol", "mapped  30.00 MiB", "alice");
    assert_true(strstr(text, "     heap ") > strstr(text, "alice"));
}

/* The first thread's figures are the process's. */
static void test_one_thread(void **state)
{
    (void)state;
    process.thread_usage_count = 1;
    make_text(SERIES_MEMORY);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_heap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mapped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_thread, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
