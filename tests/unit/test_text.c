/* test_text.c - numbers and names as people read them, whatever the names hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text.h"
#include "units.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(char *got, const char *wanted)
{
    assert_string_equal(got, wanted);
    free(got);
}

static void test_clean(void **state)
{
    (void)state;
    expect(text_clean("plain caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8d"),
           "plain caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8d");
    expect(text_clean("a\x1b[31mb\n\t\x7f"), "a\\x1b[31mb\\x0a\\x09\\x7f");
    expect(text_clean("\xc2\x9b"
                      "31m"),
           "\\x9b31m"); /* the other CSI */
    expect(text_clean("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd");
    expect(text_clean("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    expect(text_clean("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
    expect(text_clean("\xf0\x9f\x8c"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* cut */
    expect(text_clean(""), "");
    /* What turns the direction of writing, breaks lines, or is no character. */
    expect(text_clean("a\xe2\x80\xae"
                      "cod.exe\xe2\x81\xa6\xd8\x9c"),
           "a\\u{202e}cod.exe\\u{2066}\\u{61c}");
    expect(text_clean("\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbe\xf4\x8f\xbf\xbf"),
           "\\u{2028}\\u{feff}\\u{fffe}\\u{10ffff}");
}

static void test_list(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    text_list("head: ", "one two (three, four), five", 16, out);
    text_list("h ", "alone", 3, out);
    fclose(out);
    assert_string_equal(text, "head: one two\n"
                              "      (three,\n"
                              "      four),\n"
                              "      five\n"
                              "h alone\n");
    free(text);
}

static void test_fit(void **state)
{
    (void)state;
    expect(text_fit("abcdef", 6, 0), "abcdef");
    expect(text_fit("abcdef", 5, 0), "ab\xe2\x80\xa6"
                                     "ef");
    expect(text_fit("abcdef", 4, 1), "\xe2\x80\xa6"
                                     "def");
    expect(text_fit("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 3, 0), "\xc3\xa9\xe2\x80\xa6\xc3\xa9");
    expect(text_fit("abc", 1, 0), "\xe2\x80\xa6");
    expect(text_fit("abc", 0, 0), "");
}

/* A cut in a quoted argument leaves pairs of quotes, within the width. */
static void test_fit_command(void **state)
{
    (void)state;
    expect(text_fit_command("sh -c 'a b'", 11), "sh -c 'a b'");
    expect(text_fit_command("python3 -c 'import json; print(1)'", 20),
           "python3 -\xe2\x80\xa6'print(1)'");
    expect(text_fit_command("sh -c 'abc defghijkl' tail.txt", 20),
           "sh -c 'ab\xe2\x80\xa6' tail.txt");
    expect(text_fit_command("sh -c 'abc defghijkl mnopqr'", 20), "sh -c 'abc\xe2\x80\xa6l mnopqr'");
    expect(text_fit_command("abcdefghij", 5), "ab\xe2\x80\xa6ij");
    expect(text_fit_command("'a b'", 1), "\xe2\x80\xa6");
    for (size_t width = 2; width < 40; width++) {
        char *fit = text_fit_command("a 'b c' dd 'e f g' h 'iiiiii jjjj' kkkk 'l'", width);
        size_t quotes = 0;
        for (const char *p = fit; *p; p++)
            quotes += *p == '\'';
        assert_int_equal(quotes % 2, 0);
        assert_in_range(text_width(fit), 1, width);
        free(fit);
    }
}

static void test_short_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wanted;
    } cases[] = {
        {"main", "main"},
        {"foo(int, char*)", "foo"},
        {"ns::Class<int, std::pair<int, int> >::method(std::vector<int> const&) const",
         "ns::Class<int, std::pair<int, int> >::method"},
        {"void ns::f<int>(int)", "ns::f<int>"},
        {"std::ostream& std::operator<< <char>(std::ostream&, char)", "std::operator<<<char>"},
        {"std::string std::operator+<char, T>(char const*, std::string&&)",
         "std::operator+<char, T>"},
        {"A::operator()(int) const", "A::operator()"},
        {"A::operator->() const", "A::operator->"},
        {"bool operator<(A const&, A const&)", "operator<"},
        {"operator new[](unsigned long)", "operator new[]"},
        {"A::operator bool() const", "A::operator bool"},
        {"(anonymous namespace)::f(int)", "(anon)::f"},
        {"f(int)::{lambda(int)#1}::operator()(int) const", "f::{lambda#1}::operator()"},
        {"std::string::string[abi:cxx11](int)", "std::string::string"},
        {"f(int) [clone .isra.0]", "f"},
        {"main.cold", "main.cold"},
        {"pkg.part.of", "pkg.part.of"},
        {"parse@0x1180", "parse@0x1180"},
        {"<alloc::vec::Vec<T> as core::ops::Drop>::drop",
         "<alloc::vec::Vec<T> as core::ops::Drop>::drop"},
        {"core::ptr::drop_in_place<alloc::string::String>",
         "core::ptr::drop_in_place<alloc::string::String>"},
        {"module.so+0x1234", "module.so+0x1234"},
        {"operators_of", "operators_of"},
        {"<", "<"},
        {"f(((", "f"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(text_short_name(cases[i].name, 60), cases[i].wanted);
}

static void test_bare_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wanted;
    } cases[] = {
        {"foo(int, char*)", "foo"},
        {"ns::Class<int, std::pair<int, int> >::method(std::vector<int> const&) const",
         "ns::Class::method"},
        {"std::ostream& std::operator<< <char>(std::ostream&, char)", "std::operator<<"},
        {"f(int)::{lambda(int)#1}::operator()(int) const", "f::{lambda}::operator()"},
        {"<alloc::vec::Vec<T> as core::ops::Drop>::drop", "alloc::vec::Vec::drop"},
        {"core::ptr::drop_in_place<alloc::string::String>", "core::ptr::drop_in_place"},
        {"parse@0x1180", "parse"},
        {"<", "<"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(text_bare_name(cases[i].name), cases[i].wanted);
}

/* Template arguments stay as long as anything of them can be shown. */
static void test_template_arguments(void **state)
{
    (void)state;
    const char *name = "std::map<std::string, std::vector<int> >::insert(std::pair<int, int>)";
    expect(text_short_name(name, 60), "std::map<std::string, std::vector<int> >::insert");
    expect(text_short_name(name, 40), "std::map<std::string\xe2\x80\xa6"
                                      "ctor<int> >::insert");
    expect(text_short_name(name, 23), "std::map<st\xe2\x80\xa6> >::insert");
    expect(text_short_name(name, 16), "std::map::insert");
    expect(text_short_name(name, 12), "map::insert");
    for (size_t width = 1; width < 60; width++) {
        char *fit = text_short_name(name, width);
        assert_true(text_width(fit) <= width);
        free(fit);
    }
}

static void test_short_name_fits(void **state)
{
    (void)state;
    expect(text_short_name("outer::middle::Class::method(int)", 16), "Class::method");
    for (size_t width = 1; width < 40; width++) {
        char *name =
            text_short_name("a_very_long_function_name_of_a_c_program_that_goes_on", width);
        assert_true(text_width(name) <= width);
        free(name);
    }
}

static void test_command(void **state)
{
    (void)state;
    char *argv[] = {"./app", "two words", "", "x\ny"};
    expect(text_command(argv, 4), "./app 'two words' '' 'x\\x0ay'");
    expect(text_command(argv, 0), "");
}

static void test_word(void **state)
{
    (void)state;
    expect(text_word("plain-1.mprof"), "plain-1.mprof");
    expect(text_word("two words"), "'two words'");
    expect(text_word("it's $HOME"), "'it'\\''s $HOME'");
    expect(text_word("~me"), "'~me'");
    expect(text_word("caf\xc3\xa9"), "caf\xc3\xa9");
    expect(text_word("a\nb"), "'a\\x0ab'");
    expect(text_word(""), "''");
}

static void test_units(void **state)
{
    (void)state;
    char text[UNITS_TEXT];
    assert_string_equal(units_bytes(text, 0), "0 B");
    assert_string_equal(units_bytes(text, 1023), "1023 B");
    assert_string_equal(units_bytes(text, 1024), "1.00 KiB");
    assert_string_equal(units_bytes(text, 246843965), "235.41 MiB");
    assert_string_equal(units_bytes(text, 3ull << 40), "3.00 TiB");
    assert_string_equal(units_peak(text, 246843965), "235.409 MiB");
    assert_string_equal(units_peak(text, 1048576), "1.000 MiB");
    assert_string_equal(units_peak(text, 1048575), "1048575 B");
    assert_string_equal(units_peak(text, 0), "0 B");
    assert_string_equal(units_count(text, 0), "0");
    assert_string_equal(units_count(text, 999), "999");
    assert_string_equal(units_count(text, 1055154), "1,055,154");
    assert_string_equal(units_count(text, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(units_count_in(text, 12345678, 9), "12.35 M");
    assert_string_equal(units_count_in(text, 1234567, 9), "1,234,567");
    assert_string_equal(units_time(text, 0), "0.000 s");
    assert_string_equal(units_time(text, 12300), "12.3 us");
    assert_string_equal(units_time(text, 7291000), "7.291 ms");
    assert_string_equal(units_time(text, 2425000000u), "2.425 s");
}

/* Nothing takes more columns than it may, rounded up or not. */
static void test_units_in_columns(void **state)
{
    (void)state;
    char text[UNITS_TEXT];
    assert_string_equal(units_bytes_in(text, 1030000, 10), "1005.9 KiB");
    assert_string_equal(units_bytes_in(text, 1030000, 11), "1005.86 KiB");
    assert_string_equal(units_bytes_in(text, 1048575, 10), "1024.0 KiB");
    assert_string_equal(units_bytes_in(text, 1048575, 9), "1024 KiB");
    assert_string_equal(units_bytes_in(text, 1023, 10), "1023 B");
    assert_string_equal(units_bytes(text, UINT64_MAX), "16.00 EiB");
    assert_string_equal(units_bytes(text, 3ull << 50), "3.00 PiB");
    assert_string_equal(units_count_in(text, 999999999, 8), "1.00 G");
    assert_string_equal(units_count_in(text, 999994999, 8), "999.99 M");
    assert_string_equal(units_count_in(text, UINT64_MAX, 8), "18.45 E");
    assert_string_equal(units_time(text, 999949), "999.9 us");
    assert_string_equal(units_time(text, 999999), "1.000 ms");
    assert_string_equal(units_time(text, 999999499), "999.999 ms");
    assert_string_equal(units_time(text, 999999999), "1.000 s");
    assert_string_equal(units_time(text, 999999999999), "1000.0 s");
    assert_string_equal(units_time(text, 999999990000000), "1000000 s");
    assert_string_equal(units_time(text, 94608000000000000), "94608000 s");
    assert_string_equal(units_time(text, UINT64_MAX), "1.84e+10 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_fit_command),
        cmocka_unit_test(test_short_names),
        cmocka_unit_test(test_bare_names),
        cmocka_unit_test(test_template_arguments),
        cmocka_unit_test(test_short_name_fits),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_word),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_units_in_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
