/*
 * symbols/: programs are compiled here, with known functions at known lines, and resolved.
 * addr2line (binutils) is the second opinion for every address of a program's code.
 */
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

#include "identity.h"
#include "range_table.h"
#include "shorten.h"
#include "string_pool.h"
#include "symbols.h"

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

static const char cpp_source[] =
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

static char *in_folder(const char *name)
{
    static char paths[4][PATH_MAX + 64];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* Runs a shell command in the folder; true when it succeeded. */
__attribute__((format(printf, 1, 2))) static bool shell(const char *format, ...)
{
    char command[4096], line[4096 + PATH_MAX + 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "cd '%s' && { %s; } >>log 2>&1", folder, command);
    return system(line) == 0;
}

static bool have(const char *program)
{
    return shell("command -v %s", program);
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* The address of a symbol of a file, by nm. */
static uint64_t address_of(const char *file, const char *symbol)
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
static struct symbol_object *known_as(struct symbolizer *of, const char *path,
                                      const uint8_t *build_id, size_t bytes)
{
    struct symbol_identity identity = {.path = path, .build_id = build_id, .build_id_bytes = bytes};
    return symbolizer_object(of, &identity);
}

static size_t resolve(const char *file, uint64_t address, const struct symbol_frame **frames)
{
    struct symbol_object *object = known_as(symbolizer, in_folder(file), NULL, 0);
    return symbolizer_resolve(symbolizer, object, address, frames);
}

static void check_frame(const struct symbol_frame *frame, const char *function, const char *source,
                        uint32_t line, uint32_t declared_line)
{
    const char *path = source ? in_folder(source) : "";
    assert_string_equal(frame->function, function);
    assert_string_equal(frame->file, path);
    assert_int_equal(frame->line, line);
    assert_string_equal(frame->declared_file, declared_line ? path : "");
    assert_int_equal(frame->declared_line, declared_line);
}

static int set_up(void **state)
{
    (void)state;
    char template[] = "/tmp/test_symbols_XXXXXX";
    if (!mkdtemp(template) || !realpath(template, folder))
        return -1;
    write_text("c.c", c_source);
    write_text("p.cc", cpp_source);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static int new_symbolizer(void **state)
{
    (void)state;
    symbolizer = symbolizer_new();
    return 0;
}

static int free_symbolizer(void **state)
{
    (void)state;
    symbolizer_free(symbolizer);
    return 0;
}

static void ranges_nest(void **state)
{
    (void)state;
    struct range_table table = {0};
    range_table_finish(&table);
    assert_int_equal(range_table_find(&table, 5), RANGE_NONE);
    range_table_add(&table, 10, 100, 1);
    range_table_add(&table, 20, 30, 2);
    range_table_add(&table, 20, 25, 3);
    range_table_add(&table, 50, 50, 4);
    range_table_add(&table, 200, 300, 5);
    range_table_finish(&table);
    assert_int_equal(range_table_find(&table, 9), RANGE_NONE);
    assert_int_equal(range_table_find(&table, 10), 1);
    assert_int_equal(range_table_find(&table, 24), 3);
    assert_int_equal(range_table_find(&table, 25), 2);
    assert_int_equal(range_table_find(&table, 30), 1);
    assert_int_equal(range_table_find(&table, 99), 1);
    assert_int_equal(range_table_find(&table, 100), RANGE_NONE);
    assert_int_equal(range_table_find(&table, 299), 5);
    range_table_clear(&table);
}

static void pool_keeps_one_copy(void **state)
{
    (void)state;
    struct string_pool *pool = string_pool_new();
    char text[32];
    const char *first = string_pool_keep(pool, "text 77");
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "text %d", i);
        const char *kept = string_pool_keep(pool, text);
        assert_string_equal(kept, text);
        assert_ptr_equal(kept, string_pool_keep(pool, text));
    }
    assert_ptr_equal(string_pool_keep(pool, "text 77"), first);
    assert_non_null(string_pool_take(pool, 1 << 20));
    string_pool_free(pool);
}

/* The inlined chain leaf < middle < outer, each with its line. */
static void check_c_program(const char *file)
{
    const struct symbol_frame *frames, *again;
    assert_int_equal(resolve(file, address_of(file, "place_leaf"), &frames), 3);
    check_frame(&frames[0], "leaf", "c.c", 6, 4);
    check_frame(&frames[1], "middle", "c.c", 12, 9);
    check_frame(&frames[2], "outer", "c.c", 24, 22);
    assert_int_equal(resolve(file, address_of(file, "place_leaf"), &again), 3);
    assert_ptr_equal(frames, again);
    assert_int_equal(resolve(file, address_of(file, "place_hidden"), &frames), 1);
    check_frame(&frames[0], "hidden", "c.c", 19, 17);
}

static void check_cpp_program(const char *file)
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

static const char *const debug_flags[] = {"-gdwarf-4",
                                          "-gdwarf-5",
                                          "-gdwarf-4 -gsplit-dwarf",
                                          "-gdwarf-5 -gsplit-dwarf",
                                          "-g -no-pie -fno-pie",
                                          "-g -fdebug-types-section",
                                          "-g -gz"};
enum { DEBUG_FLAGS = sizeof debug_flags / sizeof debug_flags[0] };

static void every_c_flag(const char *compiler)
{
    for (size_t i = 0; i < DEBUG_FLAGS; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s_c%zu", compiler, i);
        assert_true(shell("%s -O2 %s -o %s \"$PWD\"/c.c", compiler, debug_flags[i], file));
        check_c_program(file);
    }
}

static void every_cpp_flag(const char *compiler, const char *tag)
{
    for (size_t i = 0; i < DEBUG_FLAGS; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s_p%zu", tag, i);
        assert_true(shell("%s -O2 %s -o %s \"$PWD\"/p.cc", compiler, debug_flags[i], file));
        check_cpp_program(file);
    }
}

static void gcc_dwarf(void **state)
{
    (void)state;
    every_c_flag("gcc");
    every_cpp_flag("g++", "gxx");
}

static void clang_dwarf(void **state)
{
    (void)state;
    if (!have("clang"))
        skip();
    every_c_flag("clang");
    every_cpp_flag("clang++", "clangxx");
}

/* Under -g1 a DIE has only the bare name; the whole one is in the symbol table. */
static void g1_names(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    assert_true(shell("g++ -O2 -g1 -o g1 \"$PWD\"/p.cc"));
    assert_int_equal(resolve("g1", address_of("g1", "place_template"), &frames), 1);
    check_frame(&frames[0], "shop::Box<double>::open(double) const", "p.cc", 17,
                frames[0].declared_line);
}

static void relative_source_path(void **state)
{
    (void)state;
    assert_true(
        shell("mkdir -p sub && cd sub && gcc -O2 -gdwarf-5 -o ../relative ../sub/.././c.c"));
    check_c_program("relative");
    assert_true(shell("cd sub && gcc -O2 -gdwarf-4 -o ../relative4 ../c.c"));
    check_c_program("relative4");
}

static void no_debug_information(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -o plain c.c && g++ -O2 -o plainpp p.cc"));
    assert_int_equal(resolve("plain", address_of("plain", "place_leaf"), &frames), 1);
    check_frame(&frames[0], "outer", NULL, 0, 0);
    assert_int_equal(resolve("plainpp", address_of("plainpp", "place_template"), &frames), 1);
    check_frame(&frames[0], "shop::Box<double>::open(double) const", NULL, 0, 0);
}

static void assembly_without_sizes(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -o asm c.c && strip -N place_asm -o asm2 asm"));
    uint64_t inside = address_of("asm", "asm_routine") + 1;
    assert_int_equal(resolve("asm2", inside, &frames), 1);
    assert_string_equal(frames[0].function, "asm_routine");
    assert_int_equal(resolve("asm2", address_of("asm", "asm_next"), &frames), 1);
    assert_string_equal(frames[0].function, "asm_next");
}

/* Clones keep the name that the user wrote. */
static void clone_suffixes(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    write_text("clone.c", "__asm__(\".text\\n.type f.part.0,@function\\nf.part.0: ret\\n"
                          ".size f.part.0,1\\n.type g.cold,@function\\ng.cold: ret\\n"
                          ".size g.cold,1\\n\");\nint main(void) { return 0; }\n");
    assert_true(shell("gcc -o clone clone.c"));
    assert_int_equal(resolve("clone", address_of("clone", "f.part.0"), &frames), 1);
    assert_string_equal(frames[0].function, "f");
    assert_int_equal(resolve("clone", address_of("clone", "g.cold"), &frames), 1);
    assert_string_equal(frames[0].function, "g");
}

/* Only what a compiler appends goes, and only at the end: other names may have dots, and dollars.
 */
static void names_with_dots(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"pkg.part.of", "pkg.part.of"},
        {"a.llvm.b", "a.llvm.b"},
        {"a.cold.path", "a.cold.path"},
        {"a.isra.", "a.isra."},
        {"a.part.0x", "a.part.0x"},
        {".part.0", ".part.0"},
        {"h.part.0.cold", "h"},
        {"i.constprop.1.isra.0", "i"},
        {"j.lto_priv.0.part.12", "j"},
        {"k.llvm.1234567", "k"},
        {"l.cold.7", "l"},
        {"m.0.cold", "m.0"},
        {"$s4main3fooyyF", "$s4main3fooyyF"},
        {"$x", "$x"},
        {"$d.cold", "$d"},
        {"_ZN1a1bEv.part.0.cold", "a::b()"},
    };
    const struct symbol_frame *frames;
    FILE *f = fopen(in_folder("dots.s"), "w");
    fputs(".text\n.globl main\n.type main,@function\nmain: ret\n.size main,1\n", f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        fprintf(f, ".type \"%s\",@function\n\"%s\": place%zu: nop\n.size \"%s\",1\n", names[i][0],
                names[i][0], i, names[i][0]);
    assert_int_equal(fclose(f), 0);
    assert_true(shell("gcc -o dots dots.s"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char place[32];
        snprintf(place, sizeof place, "place%zu", i);
        assert_int_equal(resolve("dots", address_of("dots", place), &frames), 1);
        assert_string_equal(frames[0].function, names[i][1]);
    }
}

/* Go's names have dots, and a program of Go's is known by a section. */
static void names_of_go(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    write_text("go.s", ".text\n.globl main\n.type main,@function\nmain: ret\n.size main,1\n"
                       ".type main.cold,@function\nmain.cold: place_go: nop\n.size main.cold,1\n"
                       ".section .gopclntab,\"a\"\n.quad 0\n");
    assert_true(shell("gcc -o go go.s"));
    assert_int_equal(resolve("go", address_of("go", "place_go"), &frames), 1);
    assert_string_equal(frames[0].function, "main.cold");
}

/* Static functions of one name, in a program without debug information and in one with it. */
static void static_twins(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    char name[64];
    write_text("twin1.c",
               "#include <stdlib.h>\nstatic __attribute__((noinline)) void *twin(int n)\n"
               "{ __asm__ volatile(\".globl place_one\\nplace_one: nop\");"
               " return malloc(n); }\nvoid *one(int n) { return twin(n); }\n");
    write_text("twin2.c",
               "#include <stdlib.h>\nstatic __attribute__((noinline)) void *twin(int n)\n"
               "{ __asm__ volatile(\".globl place_two\\nplace_two: nop\");"
               " return malloc(n); }\nvoid *one(int);\n"
               "int main(int n, char **v) { (void)v; return one(n) == twin(n); }\n");
    assert_true(shell("gcc -O1 -fno-ipa-cp -o twins twin1.c twin2.c && "
                      "gcc -O1 -g -fno-ipa-cp -o twins_g \"$PWD\"/twin1.c \"$PWD\"/twin2.c"));
    static const char *const places[] = {"place_one", "place_two"};
    for (int i = 0; i < 2; i++) {
        uint64_t place = address_of("twins", places[i]);
        assert_int_equal(resolve("twins", place, &frames), 1);
        snprintf(name, sizeof name, "twin@0x%lx", place);
        assert_int_equal(strncmp(frames[0].function, name, 8), 0);
        assert_in_range(place - strtoull(frames[0].function + 5, NULL, 16), 0, 64);
        assert_int_equal(resolve("twins_g", address_of("twins_g", places[i]), &frames), 1);
        assert_string_equal(frames[0].function, "twin");
    }
    assert_int_equal(resolve("twins", address_of("twins", "one"), &frames), 1);
    assert_string_equal(frames[0].function, "one");
}

/* A stripped library exports outer, but not hidden: no name is better than a wrong one. */
static void stripped_library(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -g -DLIBRARY -shared -fPIC -o whole.so \"$PWD\"/c.c && "
                      "strip -o stripped.so whole.so"));
    assert_int_equal(resolve("stripped.so", address_of("whole.so", "place_leaf"), &frames), 1);
    check_frame(&frames[0], "outer", NULL, 0, 0);
    assert_int_equal(resolve("stripped.so", address_of("whole.so", "hidden"), &frames), 0);
    assert_int_equal(resolve("stripped.so", address_of("whole.so", "hidden") + 3, &frames), 0);
}

static void debug_link(void **state)
{
    (void)state;
    assert_true(shell("gcc -O2 -g -o linked \"$PWD\"/c.c && mkdir -p .debug && "
                      "objcopy --only-keep-debug linked .debug/linked.debug && "
                      "objcopy --strip-all --remove-section=.gnu_debuglink "
                      "--add-gnu-debuglink=.debug/linked.debug linked moved"));
    const struct symbol_frame *frames;
    assert_int_equal(resolve("moved", address_of("linked", "place_leaf"), &frames), 3);
    check_frame(&frames[2], "outer", "c.c", 24, 22);
}

/* Without build ids the debug file is known by its checksum, and a changed one is not taken. */
static void debug_link_checksum(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    assert_true(
        shell("gcc -O2 -g -Wl,--build-id=none -o sum \"$PWD\"/c.c && "
              "objcopy --only-keep-debug sum sum.debug && "
              "objcopy --strip-all --add-gnu-debuglink=sum.debug sum sum1 && cp sum1 sum2"));
    assert_int_equal(resolve("sum1", address_of("sum", "place_leaf"), &frames), 3);
    assert_true(shell("printf x >>sum.debug"));
    assert_int_equal(resolve("sum2", address_of("sum", "place_hidden"), &frames), 0);
}

static void minidebuginfo(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    if (!have("xz"))
        skip();
    assert_true(shell("gcc -O2 -g -DLIBRARY -shared -fPIC -o mini.so c.c && "
                      "objcopy --only-keep-debug -S --keep-symbol=hidden mini.so mini && "
                      "objcopy --only-keep-debug mini.so mini && "
                      "objcopy -S --keep-symbol=hidden mini && xz -f mini && "
                      "strip -o mini1.so mini.so && "
                      "objcopy --add-section .gnu_debugdata=mini.xz mini1.so && "
                      "head -c 200 mini.xz >cut.xz && strip -o mini2.so mini.so && "
                      "objcopy --add-section .gnu_debugdata=cut.xz mini2.so"));
    assert_int_equal(resolve("mini1.so", address_of("mini.so", "hidden") + 1, &frames), 1);
    check_frame(&frames[0], "hidden", NULL, 0, 0);
    assert_int_equal(resolve("mini1.so", address_of("mini.so", "place_leaf"), &frames), 1);
    check_frame(&frames[0], "outer", NULL, 0, 0);
    assert_int_equal(resolve("mini2.so", address_of("mini.so", "hidden") + 1, &frames), 0);
    assert_int_equal(resolve("mini2.so", address_of("mini.so", "place_leaf"), &frames), 1);
}

/* The recorded build id decides whether the file at the path is still the recorded one. */
static void build_ids(void **state)
{
    (void)state;
    static const uint8_t right[] = {1, 2, 3, 4, 5, 6, 7, 8}, wrong[] = {1, 2, 3, 4, 5, 6, 7, 9};
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -g -Wl,--build-id=0x0102030405060708 -o id c.c && mkdir -p copy && "
                      "cp id copy/id"));
    uint64_t place = address_of("id", "place_leaf");
    struct symbol_object *bad = known_as(symbolizer, in_folder("id"), wrong, 8);
    assert_int_equal(symbolizer_resolve(symbolizer, bad, place, &frames), 0);
    struct symbol_object *gone = known_as(symbolizer, in_folder("gone"), right, 8);
    assert_int_equal(symbolizer_resolve(symbolizer, gone, place, &frames), 0);
    struct symbol_object *good = known_as(symbolizer, in_folder("copy/id"), right, 8);
    assert_ptr_equal(good,
                     gone); /* one object a build id; the second path is the one that exists */
    assert_int_equal(symbolizer_resolve(symbolizer, good, place, &frames), 3);
    assert_ptr_equal(known_as(symbolizer, in_folder("id"), right, 8), good);
    assert_int_equal(symbolizer_resolve(symbolizer, good, place, &frames), 3);
}

static void nothing_to_read(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    struct symbol_object *object;
    assert_true(shell("mkfifo fifo; : >empty; mkdir -p afolder; gcc -O2 -g -o some c.c"));
    static const char *const paths[] = {"missing", "fifo", "empty", "afolder", "c.c", "log"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(resolve(paths[i], 0x1234, &frames), 0);
    object = known_as(symbolizer, "[vdso]", NULL, 0);
    assert_int_equal(symbolizer_resolve(symbolizer, object, 0x800, &frames), 0);
    object = known_as(symbolizer, "", (const uint8_t *)"x", 1);
    assert_int_equal(symbolizer_resolve(symbolizer, object, 0, &frames), 0);
    assert_int_equal(resolve("some", 0, &frames), 0);
    assert_int_equal(resolve("some", UINT64_MAX, &frames), 0);
    assert_int_equal(resolve("some", 0x7fffffffffff, &frames), 0);
}

/* Thousands of addresses of one object: the cache grows and gives the same answers. */
static void cache_grows(void **state)
{
    (void)state;
    const struct symbol_frame *frames, *again;
    assert_true(shell("gcc -O2 -g -o cached c.c"));
    uint64_t outer = address_of("cached", "outer");
    size_t count = resolve("cached", outer, &frames);
    for (uint64_t address = 0; address < 5000; address++)
        resolve("cached", address, &again);
    assert_int_equal(resolve("cached", outer, &again), count);
    assert_ptr_equal(frames, again);
}

/* Is a file below the folder open, or mapped? */
static bool is_held(void)
{
    char command[2 * PATH_MAX];
    snprintf(command, sizeof command, "ls -l /proc/%d/fd | cat - /proc/%d/maps | grep -q '%s/'",
             (int)getpid(), (int)getpid(), folder);
    return system(command) == 0;
}

/* Whatever the object consists of, the program may unmount it once a name has been asked for. */
static void nothing_is_held(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -g -o held \"$PWD\"/c.c && "
                      "gcc -O2 -gdwarf-5 -gsplit-dwarf -o held_split \"$PWD\"/c.c && "
                      "objcopy --only-keep-debug held held.debug && "
                      "strip -o held_linked held && "
                      "objcopy --add-gnu-debuglink=held.debug held_linked"));
    uint64_t leaf = address_of("held", "place_leaf");
    assert_int_equal(resolve("held", leaf, &frames), 3);
    assert_int_equal(resolve("held_linked", leaf, &frames), 3);
    assert_int_equal(resolve("held_split", address_of("held_split", "place_leaf"), &frames), 3);
    assert_false(is_held());
    if (!have("dwz"))
        return;
    assert_true(shell("cp held one && cp held two && dwz -r -m held.dwz one two && "
                      "readelf -S one | grep -q gnu_debugaltlink"));
    assert_int_equal(resolve("one", leaf, &frames), 3);
    assert_false(is_held());
}

/* What was read of a file stays; what has taken its place is another one. */
static void rewritten_files(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    static const char *const ways[] = {": >there",
                                       "printf garbage >there",
                                       "rm there",
                                       "rm there; mkfifo there",
                                       "rm there; mkdir there",
                                       "head -c 5000 whole >there",
                                       "cp other there"};
    assert_true(shell("gcc -O2 -g -Wl,--build-id=none -o whole c.c && "
                      "gcc -O2 -Wl,--build-id=none -o other p.cc"));
    uint64_t leaf = address_of("whole", "place_leaf"), hidden = address_of("whole", "place_hidden");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        assert_true(shell("rm -rf there && cp whole there"));
        struct symbol_object *object = known_as(symbolizer, in_folder("there"), NULL, 0);
        assert_int_equal(symbolizer_resolve(symbolizer, object, leaf, &frames), 3);
        assert_true(shell("%s", ways[i]));
        assert_int_equal(symbolizer_resolve(symbolizer, object, hidden, &frames), 1);
        assert_string_equal(frames[0].function, "hidden");
        object = known_as(symbolizer, in_folder("there"), NULL, 0);
        if (symbolizer_resolve(symbolizer, object, hidden, &frames))
            assert_true(strcmp(frames[0].function, "hidden") != 0 || strstr(ways[i], "rm there"));
    }
}

/* A file that was cut, with its build id still there: the same object at another path has names. */
static void build_id_of_a_cut_file(void **state)
{
    (void)state;
    static const uint8_t id[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -g -Wl,--build-id=0x0102030405060708 -o full c.c"));
    uint64_t place = address_of("full", "place_leaf");
    static const int lengths[] = {700, 1000, 5000, 13000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct symbolizer *own = symbolizer_new();
        assert_true(shell("head -c %d full >cut", lengths[i]));
        struct symbol_object *object = known_as(own, in_folder("cut"), id, 8);
        assert_int_equal(symbolizer_resolve(own, object, place, &frames), 0);
        object = known_as(own, in_folder("full"), id, 8);
        assert_int_equal(symbolizer_resolve(own, object, place, &frames), 3);
        symbolizer_free(own);
    }
}

/* A file without a build id is not the one that had one. */
static void build_id_went(void **state)
{
    (void)state;
    static const uint8_t id[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -g -Wl,--build-id=none -o without c.c"));
    struct symbol_object *object = known_as(symbolizer, in_folder("without"), id, 8);
    uint64_t place = address_of("without", "place_leaf");
    assert_int_equal(symbolizer_resolve(symbolizer, object, place, &frames), 0);
}

/* A program's file as the recorder would describe it. */
static struct symbol_identity facts_of(const char *file, const uint8_t *build_id, size_t bytes)
{
    struct stat s;
    struct symbol_identity identity = {
        .path = in_folder(file), .build_id = build_id, .build_id_bytes = bytes, .has_facts = true};
    elf_version(EV_CURRENT);
    int fd = open(in_folder(file), O_RDONLY | O_CLOEXEC);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    identity.content = content_of_file(fd, elf);
    assert_int_equal(fstat(fd, &s), 0);
    elf_end(elf);
    close(fd);
    identity.device = s.st_dev;
    identity.inode = s.st_ino;
    identity.file_bytes = (uint64_t)s.st_size;
    identity.mtime_ns = (uint64_t)s.st_mtim.tv_sec * 1000000000u + (uint64_t)s.st_mtim.tv_nsec;
    return identity;
}

static void expect_gap(const struct symbol_identity *identity, uint64_t place, enum symbol_gap gap)
{
    const struct symbol_frame *frames;
    struct symbolizer *own = symbolizer_new();
    struct symbol_object *object = symbolizer_object(own, identity);
    assert_int_equal(symbolizer_resolve(own, object, place, &frames), gap ? 0 : 3);
    assert_int_equal(symbolizer_gap(object), gap);
    symbolizer_free(own);
}

/* Without a build id only the very same file will do; with one its content. */
static void facts_decide(void **state)
{
    (void)state;
    static const uint8_t id[] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_true(shell("gcc -O2 -g -Wl,--build-id=none -o fact c.c && "
                      "gcc -O2 -g -Wl,--build-id=0x0102030405060708 -o fact_id c.c"));
    for (int with_id = 0; with_id < 2; with_id++) {
        const char *file = with_id ? "fact_id" : "fact";
        uint64_t place = address_of(file, "place_leaf");
        struct symbol_identity wanted = facts_of(file, id, with_id ? 8 : 0), changed;
        enum symbol_gap other = with_id ? SYMBOLS_WHOLE : SYMBOLS_REPLACED;
        assert_int_not_equal(wanted.content, 0);
        expect_gap(&wanted, place, SYMBOLS_WHOLE);
        for (int i = 0; i < 6; i++) {
            changed = wanted;
            changed.content += i == 0;
            changed.device += i == 1;
            changed.inode += i == 2;
            changed.file_bytes += i == 3;
            changed.mtime_ns += i == 4;
            if (i == 5)
                changed.path = in_folder("no_such_file");
            expect_gap(&changed, place, i == 0 ? SYMBOLS_REPLACED : i == 5 ? SYMBOLS_GONE : other);
        }
        changed = wanted;
        changed.inode = 0;
        expect_gap(&changed, place, with_id ? SYMBOLS_WHOLE : SYMBOLS_UNSHOWN);
        changed = wanted;
        changed.content = 0; /* unknown */
        expect_gap(&changed, place, SYMBOLS_WHOLE);
    }
}

/* Nobody else has a build id that tells; two contents show that it does not. */
static void build_id_of_two(void **state)
{
    (void)state;
    static const uint8_t id[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -g -Wl,--build-id=0x0102030405060708 -o id_one c.c && "
                      "gcc -O1 -g -Wl,--build-id=0x0102030405060708 -o id_two c.c"));
    struct symbol_identity one = facts_of("id_one", id, 8), two = facts_of("id_two", id, 8);
    uint64_t place = address_of("id_one", "place_leaf");
    struct symbol_object *first = symbolizer_object(symbolizer, &one);
    struct symbol_object *second = symbolizer_object(symbolizer, &two);
    assert_ptr_not_equal(first, second);
    assert_int_equal(symbolizer_resolve(symbolizer, first, place, &frames), 3);
    one.mtime_ns++;
    first = symbolizer_object(symbolizer, &one);
    assert_int_equal(symbolizer_resolve(symbolizer, first, place, &frames), 0);
    assert_int_equal(symbolizer_gap(first), SYMBOLS_REPLACED);
}

/* A symbol of a MiB. */
static void enormous_symbols(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    assert_true(shell("{ printf '.text\\n'; n=$(head -c 1048576 /dev/zero | tr '\\0' a);"
                      " printf '.globl %%s\\n%%s: nop\\n.size %%s,1\\n' $n $n $n;"
                      " printf '.globl main\\nmain: ret\\n'; } >long.s && gcc -o long long.s"));
    uint64_t main_at = address_of("long", "main");
    assert_int_equal(resolve("long", main_at - 1, &frames), 1);
    assert_true(frames[0].shortened);
    assert_in_range(strlen(frames[0].function), 1000, NAME_BYTES_MAX);
    assert_int_equal(strncmp(frames[0].function, "aaaa", 4), 0);
    assert_int_equal(resolve("long", main_at, &frames), 1);
    assert_false(frames[0].shortened);
    assert_string_equal(frames[0].function, "main");
}

static void resolve_everything(const char *file)
{
    const struct symbol_frame *frames;
    struct symbolizer *own = symbolizer_new();
    struct symbol_object *object = known_as(own, in_folder(file), NULL, 0);
    for (uint64_t address = 0x1000; address < 0x1800; address += 5) {
        size_t count = symbolizer_resolve(own, object, address, &frames);
        for (size_t i = 0; i < count; i++)
            assert_true(frames[i].function && frames[i].file && frames[i].declared_file);
    }
    symbolizer_free(own);
}

static void damaged_files(void **state)
{
    (void)state;
    static unsigned char whole[1 << 20], damaged[1 << 20];
    assert_true(shell("g++ -O2 -g -o good p.cc"));
    int fd = open(in_folder("good"), O_RDONLY | O_CLOEXEC);
    size_t bytes = (size_t)read(fd, whole, sizeof whole);
    close(fd);
    assert_in_range(bytes, 4096, sizeof whole - 1);
    srandom(1);
    for (int i = 0; i < 200; i++) {
        size_t length = i % 2 ? bytes : (size_t)random() % bytes;
        memcpy(damaged, whole, bytes);
        for (int k = 0; i % 2 && k < 1 + i % 50; k++)
            damaged[(size_t)random() % bytes] = (unsigned char)random();
        fd = open(in_folder("damaged"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, damaged, length), length);
        close(fd);
        resolve_everything("damaged");
    }
}

/* One block of addr2line -a -f -i: the address, then name and file:line of each frame. */
static void compare_block(FILE *oracle, const char *file, uint64_t address, char line[4096])
{
    const struct symbol_frame *frames;
    size_t count = resolve(file, address, &frames), i = 0;
    char name[4096];
    while (fgets(name, sizeof name, oracle) && strncmp(name, "0x", 2) != 0) {
        assert_non_null(fgets(line, 4096, oracle));
        name[strcspn(name, "\n")] = '\0';
        line[strcspn(line, " \n")] = '\0'; /* drops "(discriminator 1)" */
        assert_in_range(i, 0, count - 1);
        bool shortened;
        char *plain = demangle(name, &shortened);
        char place[PATH_MAX + 16];
        snprintf(place, sizeof place, frames[i].line ? "%s:%u" : "%s:?", frames[i].file,
                 frames[i].line);
        assert_string_equal(frames[i].function, plain);
        assert_string_equal(place, line);
        free(plain);
        i++;
    }
    assert_int_equal(i, count);
    strcpy(line, feof(oracle) ? "" : name);
}

/* Every byte of a function, frame by frame, as addr2line sees it. */
static void compare_function(const char *file, const char *first, const char *behind)
{
    char command[4096], line[4096];
    uint64_t begin = address_of(file, first), end = address_of(file, behind);
    assert_in_range(end, begin + 1, begin + 4096);
    int at = snprintf(command, sizeof command,
                      "cd '%s'; seq -f %%.0f %lu %lu | xargs printf '%%x\\n' |"
                      " addr2line -a -f -i -e %s",
                      folder, begin, end - 1, file);
    assert_in_range(at, 1, sizeof command - 1);
    FILE *oracle = popen(command, "r");
    assert_non_null(oracle);
    assert_non_null(fgets(line, sizeof line, oracle));
    uint64_t compared = 0;
    while (line[0]) {
        uint64_t address = strtoull(line, NULL, 16);
        compare_block(oracle, file, address, line);
        compared++;
    }
    pclose(oracle);
    assert_int_equal(compared, end - begin);
}

/* Functions with several inlined levels, loops and branches, padding left out by .size labels. */
static void like_addr2line(void **state)
{
    (void)state;
    write_text("many.c",
               "#include <stdlib.h>\n"
               "struct list { struct list *next; int key; };\n"
               "static inline struct list *make(struct list *next, int key)\n"
               "{\n    struct list *l = malloc(sizeof *l);\n    l->next = next;\n"
               "    l->key = key;\n    return l;\n}\n"
               "static inline int sum(const struct list *l)\n"
               "{\n    int n = 0;\n    for (; l; l = l->next)\n        n += l->key;\n"
               "    return n;\n}\n"
               "static inline struct list *build(int n)\n"
               "{\n    struct list *l = NULL;\n    for (int i = 0; i < n; i++) {\n"
               "        l = make(l, i);\n        if (sum(l) > 100)\n            l = make(l, -1);\n"
               "    }\n    return l;\n}\n"
               "int work(int n)\n"
               "{\n    int total = sum(build(n));\n    for (int i = 0; i < n; i++)\n"
               "        total += sum(build(i));\n    return total;\n}\n"
               "__asm__(\".globl work_end\\nwork_end:\\n\");\n"
               "int main(int argc, char **argv) { (void)argv; return work(argc); }\n");
    assert_true(shell("gcc -O2 -g -fno-toplevel-reorder -o many5 \"$PWD\"/many.c && "
                      "gcc -O1 -gdwarf-4 -fno-toplevel-reorder -o many4 \"$PWD\"/many.c"));
    compare_function("many5", "work", "work_end");
    compare_function("many4", "work", "work_end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_nest),
        cmocka_unit_test(pool_keeps_one_copy),
        cmocka_unit_test_setup_teardown(gcc_dwarf, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(clang_dwarf, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(g1_names, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(relative_source_path, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(no_debug_information, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(assembly_without_sizes, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(clone_suffixes, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(names_with_dots, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(names_of_go, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(static_twins, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(stripped_library, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(debug_link, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(debug_link_checksum, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(minidebuginfo, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(build_ids, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(nothing_to_read, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(cache_grows, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(nothing_is_held, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(rewritten_files, new_symbolizer, free_symbolizer),
        cmocka_unit_test(build_id_of_a_cut_file),
        cmocka_unit_test_setup_teardown(build_id_went, new_symbolizer, free_symbolizer),
        cmocka_unit_test(facts_decide),
        cmocka_unit_test_setup_teardown(build_id_of_two, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(enormous_symbols, new_symbolizer, free_symbolizer),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test_setup_teardown(like_addr2line, new_symbolizer, free_symbolizer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
