/* test_function_names.c - names as users write and reports print them, and wrappers of malloc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "function_names.h"
#include "text.h"
#include <stdlib.h>

#define INSERT "std::map<std::string, std::vector<int> >::insert(std::pair<int, int>)"

static void test_called(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wanted;
    } cases[] = {
        {"parse", "parse"},
        {"ns::Box<int>::open(char const*)", "open"},
        {"ns::Box<int>::open(char const*)", "Box::open"},
        {"ns::Box<int>::open(char const*)", "Box<int>::open"},
        {"ns::Box<int>::open(char const*)", "ns::Box<int>::open(char const*)"},
        {"ns::Box<int>::open(char const*)", "open(char const*)"},
        {INSERT, "std::map<std::string\xe2\x80\xa6"
                 "ctor<int> >::insert"},
        {INSERT, "std::map<std::string...ctor<int> >::insert"},
        {INSERT, "map<st...> >::insert"},
        {INSERT, "std::...<...::insert"},
        {"parse@0x1180", "parse"},
        {"app+0x1234", "app+0x1234"},
        {"esc\x1b[31m", "esc\\x1b[31m"},
        {"operator new[](unsigned long)", "operator new[]"},
        {"a_very_long_name_of_a_c_program", "a_very\xe2\x80\xa6program"},
        {"variadic<T...>::f()", "variadic<T...>::f"},
        {"<alloc::vec::Vec<T> as core::ops::Drop>::drop", "Vec::drop"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!function_is_called(cases[i].name, cases[i].wanted))
            fail_msg("%s is not called %s", cases[i].name, cases[i].wanted);
}

static void test_not_called(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wanted;
    } cases[] = {
        {"parse", "pars"},
        {"parse", "arse"},
        {"parse", ""},
        {"", ""},
        {"ns::reopen(int)", "open"},
        {INSERT, "std::map<...>::erase"},
        {INSERT, "std::set<...insert"},
        {"abc", "ab...bc"}, /* nothing counts twice */
        {"abc", "a...b...c..."
                "d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (function_is_called(cases[i].name, cases[i].wanted))
            fail_msg("%s is called %s", cases[i].name, cases[i].wanted);
}

/* Whatever the width to which a report shortens a name. */
static void test_shortened(void **state)
{
    (void)state;
    static const char *const names[] = {
        INSERT, "(anonymous namespace)::reader<std::string, char>::next(std::string const&) const",
        "f(int)::{lambda(int)#1}::operator()(int) const", "a_plain_but_rather_long_name_of_c"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t width = 12; width < 90; width++) {
            char *shown = text_short_name(names[i], width);
            if (!function_is_called(names[i], shown))
                fail_msg("%s is not called %s", names[i], shown);
            free(shown);
        }
}

static void test_wrappers(void **state)
{
    (void)state;
    static const char *const wrappers[] = {
        "xmalloc",
        "g_malloc0_n",
        "PyMem_RawMalloc",
        "PyObject_Malloc",
        "sqlite3DbMallocRawNN",
        "__rust_alloc",
        "x264_malloc",
        "_objalloc_alloc",
        "bfd_zalloc",
        "operator new[](unsigned long, std::nothrow_t const&)",
        "Chunk::operator new(unsigned long, int)",
        "std::allocator<int>::allocate(unsigned long)",
        "__gnu_cxx::new_allocator<int>::allocate(unsigned long, void const*)",
        "std::__new_allocator<int>::allocate(unsigned long, void const*)",
        "std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int&&)",
        "std::__cxx11::basic_string<char>::_M_create(unsigned long&, unsigned long)",
        "<alloc::alloc::Global as core::alloc::Allocator>::allocate",
        "alloc::raw_vec::RawVec<T,A>::grow_one",
    };
    static const char *const others[] = {
        "",
        "main",
        "mymalloc_statistics",
        "xmalloc_all_of_it",
        "g_hash_table_insert",
        "numa_bitmask_alloc",
        "av_frame_alloc",
        "std::__cxx11::basic_string<char>::append(char const*)",
        "std::vector<int, std::allocator<int> >::push_back(int const&)",
        "Box<std::_Internal>::fill()",
        "alloc::vec::Vec<T>::push",
        "operator newest",
    };
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
        if (!function_is_wrapper(wrappers[i]))
            fail_msg("%s is no wrapper", wrappers[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (function_is_wrapper(others[i]))
            fail_msg("%s is a wrapper", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_called),
        cmocka_unit_test(test_not_called),
        cmocka_unit_test(test_shortened),
        cmocka_unit_test(test_wrappers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
