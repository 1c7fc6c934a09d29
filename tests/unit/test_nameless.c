/* test_nameless.c - who could bring missing names: modules, Debian's packages, build ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "debian_package.h"
#include "debuginfod_cache.h"
#include "nameless_view.h"
#include "scratch.h"
#include "view_fixture.h"

#define BUILD_ID "0123456789abcdef0123456789abcdef01234567"

/* ---- packages ---- */

static void write_list(const char *name, const char *list)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(list, f);
    fclose(f);
}

static void expect_package(const char *path, const char *package)
{
    char *found;
    debian_packages(".", &path, &found, 1);
    if (package)
        assert_string_equal(found, package);
    else
        assert_null(found);
    free(found);
}

static void test_packages(void **state)
{
    (void)state;
    write_list("libz1:amd64.list", "/.\n/lib\n/lib/x86/libz.so.1.2\n/lib/x86/libz.so.1");
    write_list("python3.11.list", "/.\n/usr\n/usr/bin/python3.11\n/opt/usr/bin/other\n");
    write_list("empty.list", "");
    write_list("libx.md5sums", "/usr/lib/libx.so\n");
    assert_int_equal(symlink("libz1:amd64.list", "linked.list"), 0);
    expect_package("/lib/x86/libz.so.1", "libz1");
    expect_package("/usr/lib/x86/libz.so.1.2", "libz1");
    expect_package("/usr/bin/python3.11", "python3.11");
    expect_package("/bin/python3.11", "python3.11");
    expect_package("/usr/bin/python3", NULL); /* the beginning of a line */
    expect_package("/x86/libz.so.1", NULL);   /* the end of one */
    expect_package("/usr/bin/other", NULL);
    expect_package("/usr/lib/libx.so", NULL);
    expect_package("libz.so.1", NULL);
    expect_package("", NULL);
    const char *const paths[] = {"/bin/python3.11", "/nowhere", "/lib/x86/libz.so.1"};
    char *found[3];
    debian_packages(".", paths, found, 3);
    assert_string_equal(found[0], "python3.11");
    assert_null(found[1]);
    assert_string_equal(found[2], "libz1");
    free(found[0]);
    free(found[2]);
    debian_packages("no such folder", paths, found, 3);
    assert_true(!found[0] && !found[1] && !found[2]);
}

/* ---- what is fetched already ---- */

static void test_cache(void **state)
{
    (void)state;
    char path[64];
    setenv("HOME", "/home/x", 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("DEBUGINFOD_CACHE_PATH");
    assert_true(debuginfod_cache_path("ab12", path, sizeof path));
    assert_string_equal(path, "/home/x/.cache/debuginfod_client/ab12/debuginfo");
    setenv("XDG_CACHE_HOME", "/caches", 1);
    assert_true(debuginfod_cache_path("ab12", path, sizeof path));
    assert_string_equal(path, "/caches/debuginfod_client/ab12/debuginfo");
    setenv("DEBUGINFOD_CACHE_PATH", "/own", 1);
    assert_true(debuginfod_cache_path("ab12", path, sizeof path));
    assert_string_equal(path, "/own/ab12/debuginfo");
    assert_false(debuginfod_cache_path("ab12", path, strlen(path)));
    unsetenv("DEBUGINFOD_CACHE_PATH");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_false(debuginfod_cache_path("ab12", path, sizeof path));
}

/* ---- the foot of a text ---- */

enum { OBJECTS = 7 };
static struct view_fixture v;
static struct object objects[OBJECTS];
static char *text;

static int set_up(void **state)
{
    (void)state;
    static const char *const names[] = {"app+0x1", "a+0x1", "a+0x2", "b+0x1",
                                        "c+0x1",   "d+0x1", "e+0x1", "[vdso]+0x1"};
    static const uint32_t in[] = {1, 2, 2, 3, 4, 5, 6, 0};
    fixture_make(&v);
    fixture_function(&v, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8, 0, 5);
    for (uint32_t i = 0; i < 8; i++) {
        fixture_function(&v, names[i], 0, 4, 1, 2);
        v.locations[i + 2].object = in[i];
    }
    objects[0] = (struct object){"", ""};
    for (uint32_t i = 1; i < OBJECTS; i++)
        objects[i] = (struct object){i == 6 ? "[vdso]" : "/lib/some.so", BUILD_ID};
    v.image.objects = objects;
    v.image.object_count = OBJECTS;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static void make_text(const struct nameless *list, size_t count)
{
    size_t bytes;
    free(text);
    FILE *out = open_memstream(&text, &bytes);
    nameless_text(list, count, out);
    fclose(out);
}

static void test_modules(void **state)
{
    (void)state;
    struct nameless list[NAMELESS_SHOWN];
    assert_int_equal(nameless_find(&v.image, SERIES_HEAP, list), 5);
    assert_ptr_equal(list[0].object, &objects[2]);
    assert_int_equal(list[0].functions, 2);
    assert_ptr_equal(list[1].object, &objects[1]);
    assert_ptr_equal(list[3].object, &objects[4]);
    make_text(list, 5);
    assert_non_null(strstr(text, "\n  and those of 1 more module\n"));
    struct module_gap gap = {"/lib/some.so", "it is gone", 1};
    v.image.gaps = &gap;
    v.image.gap_count = 1;
    assert_int_equal(nameless_find(&v.image, SERIES_HEAP, list), 0);
    gap.names = 0;
    assert_int_equal(nameless_find(&v.image, SERIES_HEAP, list), 5);
    v.image.object_count = 0; /* as a capture of version 1 has it */
    memset(v.locations, 0, sizeof v.locations);
    assert_int_equal(nameless_find(&v.image, SERIES_HEAP, list), 0);
    make_text(list, 0);
    assert_string_equal(text, "");
}

/* Only functions that the text shows count: those of the series. */
static void test_series(void **state)
{
    (void)state;
    struct nameless list[NAMELESS_SHOWN];
    assert_int_equal(nameless_find(&v.image, SERIES_MAPPED, list), 0);
    v.usages[1].mapped.inclusive.allocations = v.usages[1].memory.inclusive.allocations = 1;
    v.usages[1].heap.inclusive.allocations = 0;
    assert_int_equal(nameless_find(&v.image, SERIES_MAPPED, list), 1);
    assert_ptr_equal(list[0].object, &objects[1]);
    assert_int_equal(nameless_find(&v.image, SERIES_MEMORY, list), 1);
    assert_int_equal(nameless_find(&v.image, SERIES_HEAP, list), 4);
}

static void test_text(void **state)
{
    (void)state;
    static char sqlite[] = "libsqlite3-0", libc[] = "libc6";
    struct object some[] = {{"/usr/lib/libsqlite3.so.0", BUILD_ID},
                            {"/lib/libc.so.6", BUILD_ID},
                            {"/home/x/app", BUILD_ID},
                            {"/home/x/evil", "$(reboot)"}};
    struct nameless list[] = {
        {&some[0], 9, sqlite}, {&some[1], 8, libc}, {&some[2], 7, NULL}, {&some[3], 6, NULL}};
    make_text(list, 4);
    assert_non_null(strstr(text, "\n  libsqlite3.so.0: package libsqlite3-0-dbgsym\n"));
    assert_non_null(strstr(text, "\n  libc.so.6: package libc6-dbg\n"));
    assert_non_null(strstr(text, "\n  app: compile it with -g, or\n"
                                 "    debuginfod-find debuginfo " BUILD_ID "\n"));
    assert_non_null(strstr(text, "\n  evil: compile it with -g\n"));
    assert_null(strstr(text, "reboot"));
    assert_non_null(strstr(text, "debian-debug"));
    assert_non_null(strstr(text, "DEBUGINFOD_URLS"));
    make_text(list + 1, 1);
    assert_null(strstr(text, "debian-debug"));
    assert_null(strstr(text, "DEBUGINFOD_URLS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_packages, scratch_enter, scratch_leave),
        cmocka_unit_test(test_cache),
        cmocka_unit_test_setup_teardown(test_modules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_series, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
