/* test_only_mappings.c - which images have mappings and not one event of the heap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "summary.h"

static struct process processes[2];
static struct image image;

static int set_up(void **state)
{
    (void)state;
    processes[0] = (struct process){.totals = {.maps = 1, .file_peak_bytes = 4096}};
    processes[1] = (struct process){.serial = 1};
    image = (struct image){.processes = processes, .process_count = 2};
    return 0;
}

static void test_mappings_alone(void **state)
{
    (void)state;
    assert_true(image_has_only_mappings(&image));
    processes[0].totals = (struct totals){0};
    assert_false(image_has_only_mappings(&image));
    assert_true(image_is_without_blocks(&image));
}

/* Any event of any process, a forked one's, too. */
static void test_an_event(void **state)
{
    static const struct totals events[] = {{.allocations = 1}, {.frees = 1}, {.failed = 1}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        processes[1].totals = events[i];
        assert_false(image_has_only_mappings(&image));
        assert_false(image_is_without_blocks(&image));
    }
}

/* What says why there is none: more may have been, or may come. */
static void test_what_says_why(void **state)
{
    (void)state;
    image.cut = 1;
    assert_false(image_has_only_mappings(&image));
    image.cut = 0;
    image.running = 1;
    assert_false(image_has_only_mappings(&image));
    image.running = 0;
    processes[0].ending.kind = END_EXEC;
    assert_false(image_has_only_mappings(&image));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_mappings_alone, set_up),
        cmocka_unit_test_setup(test_an_event, set_up),
        cmocka_unit_test_setup(test_what_says_why, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
