/*
 * symbols_fixture.h - programs that are compiled in a folder of the test's own, with known
 * functions at known lines, and a symbolizer for each test.
 */
#ifndef MPROF_SYMBOLS_FIXTURE_H
#define MPROF_SYMBOLS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols.h"

#define SYMBOLS_UNUSED __attribute__((unused)) /* each test uses some of it */

static const char c_source[] =
    "#include <stdlib.h>\n"
    "#define PLACE(name) __asm__ volatile(\".globl \" #name \"\\n\" #name \": nop\")\n"
    "static inline __attribute__((always_inline)) void *\n"
    "leaf(size_t n)\n" /* line 4 */
    "{\n"
    "    PLACE(place_leaf);\n" /* 6 */
    "    return malloc(n);\n"
    "}\n"
    "static inline __attribute__((always_inline)) void *middle(size_t n)\n" /* 9 */
    "{\n"
    "    if (n > 3) {\n"
    "        void *p = leaf(n * 2);\n" /* 12 */
    "        return p;\n"
    "    }\n"
    "    return NULL;\n"
    "}\n"
    "static __attribute__((noinline)) void *hidden(size_t n)\n" /* 17 */
    "{\n"
    "    PLACE(place_hidden);\n" /* 19 */
    "    return realloc(NULL, n);\n"
    "}\n"
    "__attribute__((noinline)) void *outer(size_t n)\n" /* 22 */
    "{\n"
    "    void *p = middle(n);\n" /* 24 */
    "    return p ? p : hidden(n);\n"
    "}\n"
    "__asm__(\".text\\n.globl asm_routine\\nasm_routine:\\n nop\\nplace_asm: nop\\n ret\\n"
    ".globl asm_next\\nasm_next: ret\\n\");\n"
    "#ifndef LIBRARY\n"
    "int main(int argc, char **argv) { (void)argv; free(outer((size_t)argc)); return 0; }\n"
    "#endif\n";

SYMBOLS_UNUSED static const char cpp_source[] =
    "#include <cstdlib>\n"
    "#define PLACE(name) __asm__ volatile(\".globl \" #name \"\\n\" #name \": nop\")\n"
    "namespace shop {\n"
    "namespace {\n"
    "struct Shelf {\n"
    "    void *slot;\n"
    "    __attribute__((always_inline)) Shelf(int n)\n" /* 7 */
    "    {\n"
    "        PLACE(place_constructor);\n" /* 9 */
    "        slot = malloc(n);\n"
    "    }\n"
    "};\n"
    "}\n"
    "template <typename T> struct Box {\n"
    "    __attribute__((noinline)) void *open(T t) const\n" /* 15 */
    "    {\n"
    "        PLACE(place_template);\n" /* 17 */
    "        return malloc(sizeof t);\n"
    "    }\n"
    "};\n"
    "extern \"C\" __attribute__((noinline)) void *c_name(int n)\n" /* 21 */
    "{\n"
    "    Shelf s(n);\n" /* 23 */
    "    return s.slot;\n"
    "}\n"
    "}\n"
    "int main(int argc, char **)\n" /* 27 */
    "{\n"
    "    shop::Box<double> box;\n"
    "    auto f = [&](int n) __attribute__((noinline)) { PLACE(place_lambda); return malloc(n); "
    "};\n"
    "    free(box.open(1)); free(shop::c_name(argc)); free(f(3));\n"
    "    return 0;\n"
    "}\n";

static char folder[PATH_MAX];

SYMBOLS_UNUSED static char *in_folder(const char *name)
{
    static char paths[4][PATH_MAX + 64];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* Runs a shell command in the folder; true when it succeeded. */
__attribute__((format(printf, 1, 2))) SYMBOLS_UNUSED static bool shell(const char *format, ...)
{
    char command[4096], line[4096 + PATH_MAX + 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "cd '%s' && { %s; } >>log 2>&1", folder, command);
    return system(line) == 0;
}

SYMBOLS_UNUSED static bool have(const char *program)
{
    return shell("command -v %s", program);
}

SYMBOLS_UNUSED static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* The address of a symbol of a file, by nm. */
SYMBOLS_UNUSED static uint64_t address_of(const char *file, const char *symbol)
{
    char line[4096];
    uint64_t found = 0;
    snprintf(line, sizeof line, "nm '%s' | grep ' %s$'", in_folder(file), symbol);
    FILE *nm = popen(line, "r");
    assert_non_null(nm);
    if (fgets(line, sizeof line, nm))
        found = strtoull(line, NULL, 16);
    pclose(nm);
    assert_int_not_equal(found, 0);
    return found;
}

static struct symbolizer *symbolizer;

/* As recorders without facts have it. */
SYMBOLS_UNUSED static struct symbol_object *known_as(struct symbolizer *of, const char *path,
                                                     const uint8_t *build_id, size_t bytes)
{
    struct symbol_identity identity = {.path = path, .build_id = build_id, .build_id_bytes = bytes};
    return symbolizer_object(of, &identity);
}

SYMBOLS_UNUSED static size_t resolve(const char *file, uint64_t address,
                                     const struct symbol_frame **frames)
{
    struct symbol_object *object = known_as(symbolizer, in_folder(file), NULL, 0);
    return symbolizer_resolve(symbolizer, object, address, frames);
}

SYMBOLS_UNUSED static void check_frame(const struct symbol_frame *frame, const char *function,
                                       const char *source, uint32_t line, uint32_t declared_line)
{
    const char *path = source ? in_folder(source) : "";
    assert_string_equal(frame->function, function);
    assert_string_equal(frame->file, path);
    assert_int_equal(frame->line, line);
    assert_string_equal(frame->declared_file, declared_line ? path : "");
    assert_int_equal(frame->declared_line, declared_line);
}

SYMBOLS_UNUSED static void check_begin(const struct symbol_frame *frame, const char *file,
                                       const char *symbol)
{
    assert_int_equal(frame->begin, address_of(file, symbol));
}

SYMBOLS_UNUSED static int set_up(void **state)
{
    (void)state;
    char template[] = "/tmp/test_symbols_XXXXXX";
    if (!mkdtemp(template) || !realpath(template, folder))
        return -1;
    write_text("c.c", c_source);
    write_text("p.cc", cpp_source);
    return 0;
}

SYMBOLS_UNUSED static int tear_down(void **state)
{
    (void)state;
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

SYMBOLS_UNUSED static int new_symbolizer(void **state)
{
    (void)state;
    symbolizer = symbolizer_new();
    return 0;
}

SYMBOLS_UNUSED static int free_symbolizer(void **state)
{
    (void)state;
    symbolizer_free(symbolizer);
    return 0;
}

/* The inlined chain leaf < middle < outer, each with its line. */
SYMBOLS_UNUSED static void check_c_program(const char *file)
{
    const struct symbol_frame *frames, *again;
    assert_int_equal(resolve(file, address_of(file, "place_leaf"), &frames), 3);
    check_frame(&frames[0], "leaf", "c.c", 6, 4);
    check_frame(&frames[1], "middle", "c.c", 12, 9);
    check_frame(&frames[2], "outer", "c.c", 24, 22);
    check_begin(&frames[2], file, "outer");
    assert_int_equal(frames[0].begin, 0); /* it is inlined */
    assert_int_equal(resolve(file, address_of(file, "place_leaf"), &again), 3);
    assert_ptr_equal(frames, again);
    assert_int_equal(resolve(file, address_of(file, "place_hidden"), &frames), 1);
    check_frame(&frames[0], "hidden", "c.c", 19, 17);
    check_begin(&frames[0], file, "hidden");
}

SYMBOLS_UNUSED static void check_cpp_program(const char *file)
{
    const struct symbol_frame *frames;
    size_t count = resolve(file, address_of(file, "place_constructor"), &frames);
    assert_int_equal(count, 2);
    assert_non_null(strstr(frames[0].function, "shop::(anonymous namespace)::Shelf::Shelf"));
    assert_int_equal(frames[0].line, 9);
    assert_int_equal(frames[0].declared_line, 7);
    check_frame(&frames[1], "c_name", "p.cc", 23, 21);
    assert_int_equal(resolve(file, address_of(file, "place_template"), &frames), 1);
    check_frame(&frames[0], "shop::Box<double>::open(double) const", "p.cc", 17, 15);
    assert_int_equal(resolve(file, address_of(file, "place_lambda"), &frames), 1);
    assert_non_null(strstr(frames[0].function, "main::"));
    assert_non_null(strstr(frames[0].function, "operator()"));
    assert_int_equal(frames[0].line, 30);
}

#endif
