/*
 * The walk against libunwind's in code without call frame information or with wrong one, in
 * libraries that come and go, below exceptions, and with the list of objects that older C libraries
 * need.
 */
#include "walk_dance.h"

/* ---- code without CFI ---- */

static void *executable(const unsigned char *code, size_t bytes)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    memcpy(page, code, bytes);
    return page;
}

static struct dancer *jit_dancer;

static void check_from_jit(void)
{
    check(jit_dancer);
    KEEP(jit_dancer);
}

static void jitted_code(void **state)
{
    (void)state;
    /* push rbp; mov rbp, rsp; call rdi; pop rbp; ret */
    static const unsigned char with_frame[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
    /* push rbp; mov ebp, 0x77; call rdi; pop rbp; ret */
    static const unsigned char without[] = {0x55, 0xbd, 0x77, 0, 0, 0, 0xff, 0xd7, 0x5d, 0xc3};
    void (*keeps_frame)(void (*)(void)) = executable(with_frame, sizeof with_frame);
    void (*has_none)(void (*)(void)) = executable(without, sizeof without);
    extern void *__libc_stack_end;
    struct dancer d = dancer_new(1, 0);
    d.memo.stack_end = (uintptr_t)__libc_stack_end + 4096;
    jit_dancer = &d;
    for (int i = 0; i < 3; i++)
        keeps_frame(check_from_jit);
    expect_no_difference();
    assert_int_equal(d.truncated, 0);
    for (int i = 0; i < 3; i++)
        has_none(check_from_jit);
    assert_int_equal(d.truncated, 3);
    assert_in_range(d.memo.count, 3, 4); /* unknown, the code, check_from_jit */
    check(&d);
    assert_int_equal(d.truncated, 3);
    expect_no_difference();
    munmap(keeps_frame, 4096);
    munmap(has_none, 4096);
    dancer_end(&d);
}

/* ---- CFI that is wrong ---- */

/* The walk only, as libunwind ends here. */
static __attribute__((noinline, optimize("no-omit-frame-pointer"))) void walk_only(struct dancer *d)
{
    struct registers from = arch_registers(ARCH_CALLER());
    walk_stack(&d->memo, from.pc, from.sp, from.fp);
    KEEP(d);
}

static __attribute__((noinline)) void reference_and_stale(struct dancer *d, struct dancer *stale)
{
    check(d);
    asm_stale_rule(stale, walk_only);
    KEEP(d);
}

/* All frames outside of the wrong one are those that its caller sees. */
static void stale_frame_pointer_rule(void **state)
{
    (void)state;
    struct dancer d = dancer_new(1, 0), stale = dancer_new(2, 0);
    for (int i = 0; i < 3; i++) {
        reference_and_stale(&d, &stale);
        assert_int_equal(stale.memo.count, d.memo.count + 2);
        for (uint32_t k = 0; k + 1 < d.memo.count; k++)
            assert_int_equal(memo_frames(&stale.memo)[k].pc, memo_frames(&d.memo)[k].pc);
    }
    expect_no_difference();
    dancer_end(&d);
    dancer_end(&stale);
}

/* ---- libraries that come and go, and C++ ---- */

static char folder[] = "/tmp/test_walk_XXXXXX";

/* Compiles a library from source and loads it. */
static void *load(const char *name, const char *compiler, const char *source, char *path,
                  size_t room)
{
    char command[512];
    snprintf(path, room, "%s/%s", folder, name);
    snprintf(command, sizeof command, "%s -shared -fPIC -O2 -o %s.so %s", compiler, path, path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(source, f);
    fclose(f);
    assert_int_equal(system(command), 0);
    strcat(path, ".so");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    return library;
}

typedef void callback(struct dancer *d, int depth);

static void call_library(void *library, struct dancer *d)
{
    void (*enter)(callback *, struct dancer *) =
        (void (*)(callback *, struct dancer *))(uintptr_t)dlsym(library, "enter");
    assert_non_null(enter);
    loaded_generation++; /* the hooks see ld.so's own allocations; there are no hooks here */
    enter(walk_next, d);
}

/* The second library is loaded where the first was; its frames are larger, its code is as long. */
/* All of what ld.so says of them is equal, and one has no more of a build id than the other. */
static void library_at_the_same_address(void **state)
{
    (void)state;
    static const char source[] =
        "static __attribute__((noinline)) void inner(void (*f)(void *, int), void *d)\n"
        "{ char a[SIZE]; __asm__ volatile(\"\" :: \"r\"(a) : \"memory\"); f(d, 20);\n"
        "  __asm__ volatile(\"\" :: \"r\"(a) : \"memory\"); }\n"
        "void enter(void (*f)(void *, int), void *d) { inner(f, d); __asm__ volatile(\"\"); }\n";
    char one[256], two[256];
    struct dancer d = dancer_new(5, 0);
    dlclose(load("one.c", "gcc -Wl,--build-id=none -DSIZE=1000", source, one, sizeof one));
    dlclose(load("two.c", "gcc -Wl,--build-id=none -DSIZE=3000", source, two, sizeof two));
    for (int i = 0; i < 6; i++) {
        void *library = dlopen(i % 2 ? two : one, RTLD_NOW | RTLD_LOCAL);
        assert_non_null(library);
        d.budget = 300;
        call_library(library, &d);
        dlclose(library);
        unloads++; /* no hook of ours sees what ld.so frees here */
        loaded_generation++;
        d.budget = 100;
        dance(&d);
    }
    expect_no_difference();
    assert_true(d.checks > 200);
    assert_int_equal(d.truncated, 0);
    dancer_end(&d);
}

/* Destructors during unwinding, handlers, rethrows, exceptions out of the middle of a dance. */
static void exceptions_in_flight(void **state)
{
    (void)state;
    static const char source[] =
        "#include <stdexcept>\n"
        "typedef void callback(void *, int);\n"
        "struct guard { callback *f; void *d; ~guard() { f(d, 22); } };\n"
        "__attribute__((noinline)) static void thrower(callback *f, void *d, int n)\n"
        "{ guard g{f, d}; char a[64 * (n + 1)]; __asm__ volatile(\"\" :: \"r\"(a) : \"memory\");\n"
        "  if (n == 0) throw std::runtime_error(\"out\"); thrower(f, d, n - 1); }\n"
        "__attribute__((noinline)) static void again(callback *f, void *d)\n"
        "{ try { thrower(f, d, 4); } catch (const std::logic_error &) { f(d, 24); }\n"
        "  catch (...) { guard g{f, d}; f(d, 23); throw; } }\n"
        "extern \"C\" void enter(callback *f, void *d)\n"
        "{ for (int i = 0; i < 30; i++) try { again(f, d); }\n"
        "  catch (const std::exception &e) { f(d, 22); } }\n";
    char path[256];
    if (system("command -v g++ >/dev/null") != 0)
        skip();
    struct dancer d = dancer_new(6, 3000);
    void *library = load("throw.cc", "g++", source, path, sizeof path);
    call_library(library, &d);
    expect_no_difference();
    assert_true(d.checks > 300);
    assert_int_equal(d.truncated, 0);
    dancer_end(&d);
    dlclose(library);
}

/* glibc before 2.35: the same with a list of our own. */
static void older_glibc(void **state)
{
    int (*newer)(void *, found_object *) = find_object;
    struct object theirs, ours;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(object_find((uintptr_t)(i ? (void *)older_glibc : (void *)qsort), &theirs),
                         1);
        find_object = NULL;
        assert_int_equal(object_find((uintptr_t)(i ? (void *)older_glibc : (void *)qsort), &ours),
                         1);
        assert_int_equal(object_find(4096, &theirs), 0);
        find_object = newer;
        assert_int_equal(ours.bias, theirs.bias);
        assert_ptr_equal(ours.eh_frame_hdr, theirs.eh_frame_hdr);
        assert_string_equal(ours.name, theirs.name);
    }
    find_object = NULL;
    loaded_changed();
    dances_of_all_shapes(state);
    reset(state);
    library_at_the_same_address(state);
    reset(state);
    exceptions_in_flight(state);
    find_object = newer;
    loaded_changed();
}

/* Whoever holds the list of objects may stand still for long: others are not to wait for it, nor to
 * record frames without an object. */
static void a_held_list_of_objects(void **state)
{
    struct cfi_module module;
    uint32_t serial = 0, again = 0;
    uintptr_t pc = (uintptr_t)strtoul; /* some library's */
    (void)state;

    loaded_changed();
    memset(known, 0, sizeof *known * KNOWN_MAX); /* as in a program's first moments */
    known_count = 0;
    known_lock = init_ticks() | 1;
    uint64_t held = known_lock;
    assert_int_equal(loaded_module(pc, &module, &serial), 1);
    assert_int_not_equal(serial, 0);
    assert_true(modules[serial].start <= pc && pc < modules[serial].end);
    assert_true(known_lock == held); /* it is not ours to release */
    known_lock = 0;
    assert_int_equal(loaded_module(pc, &module, &again), 1);
    assert_int_equal(again, serial);
}

static int make_folder(void **state)
{
    return set_up(state) == 0 && mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_held_list_of_objects, reset),
        cmocka_unit_test_setup(jitted_code, reset),
        cmocka_unit_test_setup(stale_frame_pointer_rule, reset),
        cmocka_unit_test_setup(library_at_the_same_address, reset),
        cmocka_unit_test_setup(exceptions_in_flight, reset),
        cmocka_unit_test_setup(older_glibc, reset),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
