/* symbols/: names as people write them, and names that are longer than anybody reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shorten.h"
#include "symbols.h"

static void demangles(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"main", "main"},
        {"", ""},
        {"_", "_"},
        {"_Znot_a_name", "_Znot_a_name"},
        {"_ZN4shop3BoxIdE4openEd", "shop::Box<double>::open(double)"},
        {"_ZNSt6vectorIiSaIiEE9push_backEOi",
         "std::vector<int, std::allocator<int> >::push_back(int&&)"},
        {"_Znwm", "operator new(unsigned long)"},
        {"_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f()"},
        {"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"},
        {"_ZN5alloc3vec16Vec$LT$T$C$A$GT$4push17h1b3e80e802055460E", "alloc::vec::Vec<T,A>::push"},
        {"_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$17ha86af84d9cc65291E.llvm.123456",
         "std::rt::lang_start::{{closure}}"},
        {"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
        {"_RNvMs_NtCs1234_1r4deepNtB4_1S4grow", "<r::deep::S>::grow"},
        {"_ZN3foo3barEv.llvm.99", "foo::bar()"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool shortened;
        char *text = demangle(names[i][0], &shortened);
        assert_string_equal(text, names[i][1]);
        free(text);
    }
}

static void demangles_monsters(void **state)
{
    (void)state;
    size_t bytes = 200000;
    bool shortened;
    char *name = malloc(bytes + 1);
    memset(name, 'P', bytes);
    memcpy(name, "_Z1fP", 5);
    name[bytes] = '\0';
    free(demangle(name, &shortened));
    memcpy(name, "_RINv", 5);
    free(demangle(name, &shortened));
    free(name);
}

/* Appends "S_", "S0_" .. "S9_", "SA_" ..: C++'s reference to the Nth part of a name. */
static char *append_reference(char *at, int n)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    *at++ = 'S';
    if (n > 36)
        *at++ = digits[(n - 1) / 36];
    if (n > 0)
        *at++ = digits[(n - 1) % 36];
    *at++ = '_';
    return at;
}

/* `prefix` p<p<.., ..>, p<.., ..>>: each level twice the one inside of it. */
static const char *doubling(const char *prefix, int depth)
{
    static char name[2048];
    char *at = stpcpy(stpcpy(name, prefix), "1pI");
    for (int i = 1; i < depth; i++)
        at = stpcpy(at, "S_I");
    at = stpcpy(at, "iiE");
    for (int i = 1; i < depth; i++)
        at = stpcpy(append_reference(at, i), "E");
    *at = '\0';
    return name;
}

/* Rust's: a tuple of twice the tuple before, by its place in the name. */
static const char *doubling_rust(int depth)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static char name[2048];
    char *at = stpcpy(name, "_RINvC1a1f"), *before = at;
    at = stpcpy(at, "TuuE");
    for (int i = 0; i < depth; i++) {
        char reference[8], *begin = at;
        int place = (int)(before - name) - 2 - 1; /* counted behind _R, and from -1 */
        if (place < 62)
            snprintf(reference, sizeof reference, "B%c_", digits[place]);
        else
            snprintf(reference, sizeof reference, "B%c%c_", digits[place / 62], digits[place % 62]);
        at += sprintf(at, "T%s%sE", reference, reference);
        before = begin;
    }
    strcpy(at, "E");
    return name;
}

static uint64_t thread_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The name within its bounds, and in time. True: it was shortened. */
static bool demangles_in_time(const char *mangled, const char *begin)
{
    bool shortened;
    uint64_t before = thread_ns();
    char *name = demangle(mangled, &shortened);
    assert_in_range(thread_ns() - before, 0, 2000000000);
    assert_in_range(strlen(name), 1, NAME_BYTES_MAX);
    if (strncmp(name, begin, strlen(begin)) != 0)
        fail_msg("%s begins with %.100s", mangled, name);
    if (shortened) /* what tells it from the others is there */
        assert_non_null(strstr(name, mangled));
    free(name);
    return shortened;
}

static void demangles_bombs(void **state)
{
    (void)state;
    static const int depths[] = {8, 24, 40, 60};
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        bool bomb = depths[i] > 8;
        assert_int_equal(demangles_in_time(doubling("_Z1f", depths[i]), "f(p<p<"), bomb);
        /* A pack expansion without a pack is looked for one without a word being printed. */
        assert_int_equal(demangles_in_time(doubling("_Z1fDp", depths[i]), bomb ? "_Z1fDp" : "f("),
                         bomb);
        assert_int_equal(demangles_in_time(doubling_rust(depths[i]), "a::f::<((), ()), (("), bomb);
    }
    for (int i = 0; i < 30; i++) /* many of them: not a tenth of a second each */
        demangles_in_time(doubling("_Z1fDp", 60), "_Z1fDp");
}

static void demangles_on_a_small_stack(void **state)
{
    (void)state;
    bool shortened;
    static const char *const repeated[] = {"P", "K", "A_", "1pI", "N1a", "FvI"};
    for (size_t i = 0; i < sizeof repeated / sizeof repeated[0]; i++) {
        char name[1100] = "_Z1f";
        while (strlen(name) < 1000)
            strcat(name, repeated[i]);
        free(demangle(name, &shortened));
    }
}

static void *on_a_thread(void *argument)
{
    demangles_on_a_small_stack(argument);
    return NULL;
}

static void demangles_in_a_thread(void **state)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    assert_int_equal(pthread_create(&thread, &attributes, on_a_thread, *state), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

static void shortens(void **state)
{
    (void)state;
    char text[400], *s = shorten("abc", 3, SHORTEN_LEAST);
    assert_string_equal(s, "abc");
    free(s);
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3); /* the sign of the euro */
        s = shorten(text, sizeof text, 100);
        assert_in_range(strlen(s), 90, 100);
        for (const char *c = s; *c; c++) /* each sign is whole */
            if (*c == '\xe2')
                assert_memory_equal(c, "\xe2\x82\xac", 3);
        assert_int_not_equal(s[strspn(s, "x.0123456789abcdef")] & 0xc0, 0x80);
        assert_int_not_equal(strstr(s + 40, "...")[14] & 0xc0, 0x80);
        char *again = shorten(text, sizeof text, 100);
        assert_string_equal(s, again);
        free(again);
        text[200] ^= 1; /* in the middle, which is left out */
        again = shorten(text, sizeof text, 100);
        assert_string_not_equal(s, again);
        free(again);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(demangles),
        cmocka_unit_test(demangles_monsters),
        cmocka_unit_test(demangles_bombs),
        cmocka_unit_test(demangles_on_a_small_stack),
        cmocka_unit_test(demangles_in_a_thread),
        cmocka_unit_test(shortens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
