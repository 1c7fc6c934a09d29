/*
 * Which functions are start frames, main, or allocation functions: by name and module.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "function_flags.h"
#include "summary.h"

#define PROGRAM "/home/me/prog"
#define LIBC    "/lib/x86_64-linux-gnu/libc.so.6"
#define OLD     "/lib/libpthread-2.31.so"
#define LOADER  "/lib64/ld-linux-x86-64.so.2"
#define PLUGIN  "/home/me/libc.plugin.so"

enum { NONE = FUNCTION_RESOLVED };

static const struct {
    const char *name, *module;
    uint32_t also;
} cases[] = {
    {"clone", LIBC, FUNCTION_START},
    {"clone", PROGRAM, 0},
    {"clone", PLUGIN, 0},
    {"clone3", LOADER, 0},
    {"start_thread", LIBC, FUNCTION_START},
    {"start_thread", OLD, FUNCTION_START},
    {"start_thread", "/x/libc-2.31.so", FUNCTION_START},
    {"start_thread", "/x/libc-client.so.2", 0},
    {"start_thread", PROGRAM, 0},
    {"thread_start", PROGRAM, 0},
    {"__libc_start_main@@GLIBC_2.34", LIBC, FUNCTION_START},
    {"__libc_start_main", PROGRAM, 0},
    {"_start", PROGRAM, FUNCTION_START},
    {"_start", LOADER, FUNCTION_START},
    {"_start", PLUGIN, 0},
    {"_dl_start_user", LOADER, FUNCTION_START},
    {"_dl_start_user", PROGRAM, 0},
    {"main", PROGRAM, FUNCTION_MAIN},
    {"main", PLUGIN, 0},
    {"malloc", LIBC, FUNCTION_ALLOCATOR},
    {"malloc", "/usr/lib/libjemalloc.so.2", FUNCTION_ALLOCATOR},
    {"calloc", "/usr/lib/libc_malloc_debug.so.0", FUNCTION_ALLOCATOR},
    {"valloc", PROGRAM, 0},
    {"valloc", "/home/me/malloc", 0},
    {"memalign", PLUGIN, 0},
    {"malloc_hook", LIBC, 0},
    {"operator new(unsigned long)", PROGRAM, FUNCTION_ALLOCATOR},
    {"operator new[](unsigned long, std::nothrow_t const&)", PLUGIN, FUNCTION_ALLOCATOR},
    {"operator new(unsigned long, std::align_val_t)", "/x/libstdc++.so.6.0.30", FUNCTION_ALLOCATOR},
    {"operator new", "/x/libstdc++.so.6.0.30", FUNCTION_ALLOCATOR},
    {"operator new", PROGRAM, 0},
    {"operator new(unsigned long, Arena&)", PROGRAM, 0},
    {"operator new(unsigned long, Arena&)", PLUGIN, 0},
    {"Pool::operator new(unsigned long)", PROGRAM, 0},
    {"operator newest()", PROGRAM, 0},
};

static void name_and_module_decide(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (function_flags(cases[i].name, cases[i].module, PROGRAM) != (NONE | cases[i].also))
            fail_msg("%s in %s: flags %#x", cases[i].name, cases[i].module,
                     function_flags(cases[i].name, cases[i].module, PROGRAM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(name_and_module_decide)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
