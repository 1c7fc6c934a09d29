/* test_address_space.c - what the kernel says of mappings and of the break, and nothing where we
 * may not ask. */
#include "../../preload/address_space.c"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

uint64_t sys_forbidden;

#define PAGES(n) ((n) * (size_t)SYS_PAGE)

/* Between two pages that may not be accessed lies one that may. */
static void test_bounds(void **state)
{
    (void)state;
    uint8_t *p = mmap(NULL, PAGES(3), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(mprotect(p + PAGES(1), PAGES(1), PROT_READ | PROT_WRITE), 0);
    struct bounds b = address_space_above((uintptr_t)p + PAGES(1) + 5);
    assert_ptr_equal(b.begin, p + PAGES(1));
    assert_ptr_equal(b.end, p + PAGES(2));
    munmap(p + PAGES(1), PAGES(1));
    assert_true(address_space_above((uintptr_t)p + PAGES(1)).begin >= (uintptr_t)p + PAGES(2));
    assert_int_equal(address_space_above(UINTPTR_MAX).end, 0);
    munmap(p, PAGES(3));
}

/* The break cannot be set lower, but so low. The name of the program is part of the file. */
static void test_first_break(void **state)
{
    (void)state;
    uintptr_t first = address_space_first_break(), now = (uintptr_t)sbrk(0);
    assert_true(first > 0 && first <= now);
    prctl(PR_SET_NAME, "a) 1 (2 3) 4");
    assert_int_equal(address_space_first_break(), first);
    if (fork() == 0)
        _exit(SYS_CALL(SYS_brk, first - 1, 0, 0, 0, 0, 0) != (long)now ||
              SYS_CALL(SYS_brk, first, 0, 0, 0, 0, 0) != (long)first);
    int status = -1;
    wait(&status);
    assert_int_equal(status, 0);
}

static void test_may_not_ask(void **state)
{
    (void)state;
    sys_forbidden = SYS_KIND_FILES;
    assert_int_equal(address_space_above(0).end, 0);
    assert_int_equal(address_space_first_break(), 0);
    sys_forbidden = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_first_break),
        cmocka_unit_test(test_may_not_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
