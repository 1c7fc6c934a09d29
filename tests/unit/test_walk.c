/*
 * The recorder's stack walk against libunwind's, frame by frame: pc and stack pointer, in every
 * situation that a program can put its stack into. The walk, the reader of .eh_frame and the list
 * of loaded objects are the recorder's own sources; the spool they write to is memory here.
 */
#include "../../preload/cfi.c"
#include "../../preload/loaded.c"
#include "../../preload/lookup.c"
#include "../../preload/module_facts.c"
#include "../../preload/objects.c"
#include "../../preload/rules.c"
#include "../../preload/step.c"
#include "../../preload/unwind.c"
#include "../../preload/unwind_space.c"
#include "../../preload/walk.c"
#include "../../preload/walk_nodes.c"

#include "recorder_stubs.h"
#include "walk_shapes.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- a dance, and the check of one stack ---- */

struct dancer {
    struct memo memo;
    uint64_t random;
    shape *const *shapes;
    unsigned shape_count;
    int deepest;
    unsigned pause;     /* one step in so many is a check, on average */
    unsigned budget;    /* steps left */
    unsigned checks;    /* stacks compared */
    unsigned kept;      /* frames that the memo spared */
    unsigned truncated; /* stacks whose outer end the walk did not reach */
    uintptr_t *before;  /* pcs of the last stack, outermost first */
    uint32_t before_count, before_capacity;
};

__thread struct dancer *walk_dancing;
__thread int walk_depth;
static __thread volatile sig_atomic_t in_check; /* no libunwind inside libunwind */
static unsigned differences;                    /* of all threads */
static char first_difference[256];

static void differ(const char *what, uint32_t frame, uint32_t count, uintptr_t ours,
                   uintptr_t theirs)
{
    if (__atomic_fetch_add(&differences, 1, __ATOMIC_RELAXED) == 0)
        snprintf(first_difference, sizeof first_difference,
                 "%s at frame %u of %u: %#lx, libunwind has %#lx", what, frame, count, ours,
                 theirs);
}

/* What the walk says it kept must be what the last stack had there. */
static void check_delta(struct dancer *d, const struct walk *w)
{
    const struct memo *m = &d->memo;
    const struct memo_frame *frames = memo_frames(m);
    if (w->before != d->before_count || w->keep > w->before || w->keep + w->push != m->count)
        differ("delta", w->keep, m->count, w->before, d->before_count);
    for (uint32_t i = 0; i < w->keep && i < d->before_count; i++)
        if (d->before[i] != frames[i].pc)
            differ("kept", i, m->count, frames[i].pc, d->before[i]);
    if (d->before_capacity < m->count) {
        d->before_capacity = m->count * 2;
        d->before = realloc(d->before, sizeof *d->before * d->before_capacity);
    }
    for (uint32_t i = w->keep < m->count ? w->keep : 0; i < m->count; i++)
        d->before[i] = frames[i].pc;
    d->before_count = m->count;
    d->kept += w->keep;
}

struct check {
    const struct memo *memo;
    uint32_t left; /* frames not compared yet, the outermost first */
    uint32_t last; /* 1 where frame 0 is the mark of an unknown rest */
    bool over;
};

static int check_frame(void *context, uintptr_t pc, uintptr_t sp, const struct unwind_view *view)
{
    struct check *c = context;
    const struct memo_frame *f = &memo_frames(c->memo)[c->left - 1];
    uint32_t count = c->memo->count, i = count - c->left;
    (void)view;
    c->over = true;
    if (c->left == c->last) {
        if (!c->last)
            differ("too short", i, count, 0, pc);
        return 0;
    }
    if (f->pc != pc || f->sp != sp) {
        differ("frame", i, count, f->pc, pc);
        return 0;
    }
    if (f->id != SPOOL_FRAME_RAW && pcs[f->id].pc != pc)
        differ("id", i, count, pcs[f->id].pc, pc);
    c->left--;
    c->over = false;
    return 1;
}

/* The walk's stack against libunwind's. */
static void check_frames(struct dancer *d, struct registers from)
{
    struct check c = {.memo = &d->memo, .left = d->memo.count};
    c.last = c.left && memo_frames(c.memo)[0].id == SPOOL_FRAME_UNKNOWN;
    d->truncated += c.last;
    if (unwind_stack(from, check_frame, &c) == UNWOUND_NOT)
        differ("no libunwind", 0, c.left, 0, 0);
    else if (!c.over && c.left != c.last)
        differ("too long", c.memo->count - c.left, c.memo->count,
               memo_frames(c.memo)[c.left - 1].pc, 0);
}

static __attribute__((noinline, optimize("no-omit-frame-pointer"))) void check(struct dancer *d)
{
    struct registers from = arch_registers(ARCH_CALLER());
    in_check = 1;
    struct walk w = walk_stack(&d->memo, from.pc, from.sp, from.fp);
    check_delta(d, &w);
    check_frames(d, from);
    d->checks++;
    in_check = 0;
    __asm__ volatile("" : : : "memory");
}

static unsigned roll(struct dancer *d, unsigned sides)
{
    d->random = d->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(d->random >> 33) % sides;
}

__attribute__((noinline)) void walk_next(struct dancer *d, int depth)
{
    for (unsigned times = 1 + roll(d, 2); times > 0 && d->budget > 0; times--) {
        d->budget--;
        if (roll(d, d->pause) == 0)
            check(d);
        if (depth < d->deepest && roll(d, 8) != 0)
            d->shapes[roll(d, d->shape_count)](d, depth + 1);
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct dancer dancer_new(uint64_t seed, unsigned budget)
{
    return (struct dancer){.random = seed * 77 + 1,
                           .shapes = all_shapes,
                           .shape_count = COUNT(all_shapes),
                           .deepest = 25,
                           .pause = 3,
                           .budget = budget};
}

static void dance(struct dancer *d)
{
    while (d->budget > 0)
        walk_next(d, 0);
}

static void dancer_end(struct dancer *d)
{
    if (d->memo.block)
        sys_unmap(d->memo.block, block_bytes(d->memo.block->capacity));
    free(d->before);
}

static void expect_no_difference(void)
{
    if (differences)
        fail_msg("%u differences; the first: %s", differences, first_difference);
}

/* ---- the tests ---- */

static void *alternate_stack;

static void use_alternate_stack(void *memory)
{
    stack_t stack = {.ss_sp = memory, .ss_size = 4 << 20};
    assert_int_equal(sigaltstack(&stack, NULL), 0);
}

static int set_up(void **state)
{
    (void)state;
    struct sigaction here = {.sa_handler = handle_dancing, .sa_flags = SA_NODEFER};
    struct sigaction there = {.sa_handler = handle_dancing, .sa_flags = SA_ONSTACK | SA_NODEFER};
    start_recorder();
    alternate_stack = malloc(4 << 20);
    use_alternate_stack(alternate_stack);
    sigaction(SIGUSR1, &here, NULL);
    sigaction(SIGUSR2, &there, NULL);
    return ready ? 0 : -1;
}

static int reset(void **state)
{
    (void)state;
    differences = 0;
    return 0;
}

static void dances_of_simple_shapes(void **state)
{
    (void)state;
    struct dancer d = dancer_new(1, 40000);
    d.shapes = simple_shapes;
    d.shape_count = COUNT(simple_shapes);
    dance(&d);
    expect_no_difference();
    assert_true(d.checks > 10000);
    assert_true(d.kept > d.checks * 4); /* the memo works */
    assert_int_equal(d.truncated, 0);
    dancer_end(&d);
}

static void dances_of_all_shapes(void **state)
{
    (void)state;
    for (uint64_t seed = 2; seed < 6; seed++) {
        struct dancer d = dancer_new(seed, 10000);
        dance(&d);
        expect_no_difference();
        assert_true(d.checks > 1000);
        assert_int_equal(d.truncated, 0);
        dancer_end(&d);
    }
}

/* A memo that was forgotten, or has outlived other stacks, gives the same. */
static void forgotten_memo(void **state)
{
    (void)state;
    struct dancer d = dancer_new(9, 0);
    for (int i = 0; i < 300; i++) {
        d.budget = 20;
        dance(&d);
        if (i % 3 == 0) {
            walk_forget(&d.memo);
            d.before_count = 0;
        }
        if (i % 7 == 0)
            loaded_generation++;
    }
    expect_no_difference();
    assert_int_equal(d.truncated, 0);
    dancer_end(&d);
}

static void *dance_in_thread(void *argument)
{
    struct dancer *d = argument;
    void *stack = malloc(4 << 20);
    use_alternate_stack(stack);
    d->memo.stack_end = (uintptr_t)pthread_self();
    dance(d);
    stack_t off = {.ss_flags = SS_DISABLE};
    sigaltstack(&off, NULL);
    free(stack);
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t ids[THREADS];
    struct dancer dancers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        dancers[i] = dancer_new(20 + (uint64_t)i, 5000);
        assert_int_equal(pthread_create(&ids[i], NULL, dance_in_thread, &dancers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(dancers[i].truncated, 0);
        assert_true(dancers[i].checks > 500);
        dancer_end(&dancers[i]);
    }
    expect_no_difference();
}

/* A timer interrupts the dance anywhere, in the middle of prologues, too. */
static struct dancer interrupting;

static void interrupt(int number)
{
    (void)number;
    if (!in_check)
        check(&interrupting);
}

static void interrupted_anywhere(void **state)
{
    (void)state;
    struct dancer d = dancer_new(33, 0);
    d.shapes = steady_shapes;
    d.shape_count = COUNT(steady_shapes);
    d.pause = 1000;
    interrupting = dancer_new(34, 0);
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 20000 && interrupting.checks < 1500; i++) {
        d.budget = 500;
        dance(&d);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN);
    expect_no_difference();
    assert_true(interrupting.checks > 100);
    assert_int_equal(interrupting.truncated, 0);
    dancer_end(&d);
    dancer_end(&interrupting);
}

/* ---- deep stacks ---- */

struct descent {
    struct dancer dancer;
    unsigned frames, check_every;
};

static __attribute__((noinline)) void descend(struct descent *s, unsigned left)
{
    if (left % s->check_every == 0)
        check(&s->dancer);
    if (left > 0)
        descend(s, left - 1);
    if (left % s->check_every == 1)
        check(&s->dancer);
    KEEP(s);
}

static void *descend_in_thread(void *argument)
{
    struct descent *s = argument;
    s->dancer.memo.stack_end = (uintptr_t)pthread_self();
    descend(s, s->frames);
    return NULL;
}

static void run_descent(struct descent *s)
{
    pthread_attr_t attributes;
    pthread_t id;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 20);
    assert_int_equal(pthread_create(&id, &attributes, descend_in_thread, s), 0);
    pthread_join(id, NULL);
    pthread_attr_destroy(&attributes);
}

static void deep_recursion(void **state)
{
    (void)state;
    struct descent s = {.dancer = dancer_new(1, 0), .frames = 30000, .check_every = 500};
    run_descent(&s);
    expect_no_difference();
    assert_int_equal(s.dancer.truncated, 0);
    assert_true(s.dancer.checks > 100);
    dancer_end(&s.dancer);
}

/* A stack of every depth, by rules where it is new, then by nodes, and stacks of some depths at
 * once. The memo has room for 84 frames, then for 336, then for 1344. */
static void every_depth_about_the_memos_room(void **state)
{
    (void)state;
    for (unsigned every = 1; every < 100; every += every < 70 ? 69 : 1) {
        struct descent s = {.dancer = dancer_new(1, 0), .check_every = every};
        s.frames = every == 1 ? 1400 : 4 * every;
        run_descent(&s);
        expect_no_difference();
        assert_int_equal(s.dancer.truncated, 0);
        assert_true(s.dancer.checks > 4);
        dancer_end(&s.dancer);
    }
}

/* Deeper than the memo may grow: the inner frames are right, the outer end is marked unknown. */
static void deeper_than_the_limit(void **state)
{
    (void)state;
    struct descent s = {.dancer = dancer_new(1, 0), .frames = WALK_DEPTH_MAX * 5 / 2};
    s.check_every = s.frames / 3;
    run_descent(&s);
    expect_no_difference();
    assert_true(s.dancer.truncated > 0);
    assert_true(s.dancer.truncated < s.dancer.checks);
    dancer_end(&s.dancer);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dances_of_simple_shapes, reset),
        cmocka_unit_test_setup(dances_of_all_shapes, reset),
        cmocka_unit_test_setup(forgotten_memo, reset),
        cmocka_unit_test_setup(threads, reset),
        cmocka_unit_test_setup(a_held_list_of_objects, reset),
        cmocka_unit_test_setup(interrupted_anywhere, reset),
        cmocka_unit_test_setup(deep_recursion, reset),
        cmocka_unit_test_setup(every_depth_about_the_memos_room, reset),
        cmocka_unit_test_setup(deeper_than_the_limit, reset),
        cmocka_unit_test_setup(jitted_code, reset),
        cmocka_unit_test_setup(stale_frame_pointer_rule, reset),
        cmocka_unit_test_setup(library_at_the_same_address, reset),
        cmocka_unit_test_setup(exceptions_in_flight, reset),
        cmocka_unit_test_setup(older_glibc, reset),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
