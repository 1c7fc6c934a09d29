/* test_given.c - texts and arrays that run out of memory, with and without the usual question. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../preload/given.c"
#include <sys/mman.h>

uint64_t sys_forbidden;

static char *pages; /* three, the last one without access */

static int set_up(void **state)
{
    (void)state;
    sys_forbidden = 0;
    pages = mmap(NULL, 3 * SYS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 2 * SYS_PAGE, SYS_PAGE, PROT_NONE);
    memset(pages, 'x', 2 * SYS_PAGE);
    return pages == MAP_FAILED;
}

static int tear_down(void **state)
{
    (void)state;
    return munmap(pages, 3 * SYS_PAGE);
}

static size_t length(const char *text, size_t most)
{
    struct given g = GIVEN_NOTHING;
    return given_length(&g, text, most);
}

static void check_all(void)
{
    const char *end = pages + 2 * SYS_PAGE;
    struct given g = GIVEN_NOTHING;

    for (uintptr_t p = 0; p < SYS_PAGE; p += p < 32 ? 1 : 511)
        assert_int_equal(length((const char *)p, 10), GIVEN_REFUSED);
    assert_int_equal(length((const char *)-1, 10), GIVEN_REFUSED);
    assert_int_equal(length((const char *)(1ul << 47), 10), GIVEN_REFUSED);
    assert_int_equal(length(end, 10), GIVEN_REFUSED);
    assert_int_equal(length(end - 5, 10), GIVEN_REFUSED);
    assert_int_equal(length(end - 5, 5), 5);
    assert_int_equal(length(pages, SYS_PAGE + 10), SYS_PAGE + 10);
    pages[SYS_PAGE + 7] = 0;
    assert_int_equal(length(pages + 3, 3 * SYS_PAGE), SYS_PAGE + 4);
    pages[2 * SYS_PAGE - 1] = 0;
    assert_int_equal(length(end - 1, 10), 0);
    pages[SYS_PAGE + 7] = pages[2 * SYS_PAGE - 1] = 'x';
    assert_true(given_begins(&g, end - 3, "xxx"));
    assert_false(given_begins(&g, end - 3, "xxxx"));
    assert_false(given_begins(&g, end - 3, "xy"));
    assert_true(given_is_there(&g, end - 8, 8));
    assert_false(given_is_there(&g, end - 4, 8));
    assert_true(given_is_there(&g, pages + SYS_PAGE - 4, 8));
}

static void test_by_the_usual_question(void **state)
{
    (void)state;
    check_all();
}

static void test_by_the_other_question(void **state)
{
    (void)state;
    sys_forbidden = SYS_KIND_PROBE;
    check_all();
}

/* A page of a file that is no more cannot be read either. */
static void test_behind_the_end_of_a_file(void **state)
{
    (void)state;
    int fd = memfd_create("short", 0);
    char *page = mmap(NULL, SYS_PAGE, PROT_READ, MAP_SHARED, fd, 0);
    assert_int_equal(length(page, 10), GIVEN_REFUSED);
    assert_int_equal(munmap(page, SYS_PAGE), 0);
    sys_close(fd);
}

/* What was there once may be gone: nothing is remembered from one look to the next but by the same
 * struct. */
static void test_unmapped_between_two_looks(void **state)
{
    (void)state;
    assert_int_equal(length(pages, 4), 4);
    mprotect(pages, SYS_PAGE, PROT_NONE);
    assert_int_equal(length(pages, 4), GIVEN_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_the_usual_question, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_by_the_other_question, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_behind_the_end_of_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unmapped_between_two_looks, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
