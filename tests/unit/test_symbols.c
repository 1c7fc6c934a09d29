/*
 * symbols/: names, lines and inlined calls of programs that are compiled here. addr2line (binutils)
 * is the second opinion for every address of a program's code.
 */
#include "symbols_fixture.h"

#include "range_table.h"
#include "shorten.h"
#include "string_pool.h"

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
    check_begin(&frames[0], "plain", "outer");
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

/* Clones keep the name that the user wrote, but do not begin where that function does. */
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
    assert_int_equal(frames[0].begin, 0);
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
    check_begin(&frames[0], "go", "main.cold");
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
        cmocka_unit_test_setup_teardown(like_addr2line, new_symbolizer, free_symbolizer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
