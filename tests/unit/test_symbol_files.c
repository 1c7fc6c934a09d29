/*
 * symbols/: which files are read for an object, and what becomes of files that are stripped,
 * replaced, cut, damaged or without a build id.
 */
#include "symbols_fixture.h"

#include "identity.h"
#include "shorten.h"

/* A stripped library exports outer, but not hidden: no name is better than a wrong one. */
static void stripped_library(void **state)
{
    (void)state;
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -g -DLIBRARY -shared -fPIC -o whole.so \"$PWD\"/c.c && "
                      "strip -o stripped.so whole.so"));
    assert_int_equal(resolve("stripped.so", address_of("whole.so", "place_leaf"), &frames), 1);
    check_frame(&frames[0], "outer", NULL, 0, 0);
    check_begin(&frames[0], "whole.so", "outer");
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

/* What debuginfod-find has fetched is found by its build id. */
static void debuginfod(void **state)
{
    (void)state;
    static const uint8_t id[] = {1, 2, 3, 4, 5, 6, 7, 0x8f}, other[] = {1, 2, 3, 4, 5, 6, 7, 0x9f};
    const struct symbol_frame *frames;
    assert_true(shell("gcc -O2 -g -Wl,--build-id=0x010203040506078f -o fetch \"$PWD\"/c.c && "
                      "mkdir -p cache/010203040506078f cache/010203040506079f && "
                      "objcopy --only-keep-debug fetch cache/010203040506078f/debuginfo && "
                      "cp cache/010203040506078f/debuginfo cache/010203040506079f && "
                      "strip -o fetched fetch && cp fetched unfetched"));
    uint64_t place = address_of("fetch", "place_leaf");
    struct symbol_object *without = known_as(symbolizer, in_folder("unfetched"), NULL, 0);
    assert_int_equal(symbolizer_resolve(symbolizer, without, place, &frames), 0);
    setenv("DEBUGINFOD_CACHE_PATH", in_folder("cache"), 1);
    struct symbol_object *with = known_as(symbolizer, in_folder("fetched"), id, sizeof id);
    assert_int_equal(symbolizer_resolve(symbolizer, with, place, &frames), 3);
    check_frame(&frames[2], "outer", "c.c", 24, 22);
    struct symbol_object *gone = known_as(symbolizer, in_folder("gone"), other, sizeof other);
    assert_int_equal(symbolizer_resolve(symbolizer, gone, place, &frames), 0); /* not its id */
    unsetenv("DEBUGINFOD_CACHE_PATH");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stripped_library, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(debug_link, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(debug_link_checksum, new_symbolizer, free_symbolizer),
        cmocka_unit_test_setup_teardown(debuginfod, new_symbolizer, free_symbolizer),
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
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
