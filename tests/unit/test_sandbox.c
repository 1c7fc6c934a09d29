/*
 * test_sandbox.c - attempts to close a door, of several threads at a time: what one that succeeded
 * has given up stays, whatever becomes of the others; one that failed by itself leaves all as it
 * was.
 */
#include "../../preload/sandbox.c"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- the rest of the recorder ---- */

int recorder_state = RECORDER_ON;
static uint32_t alive = RECORDER_ALIVE;
uint32_t *recorder_alive = &alive;
static void (*while_preparing)(void); /* what another thread does in the middle of an attempt */

int recorder_start(void)
{
    return 1;
}

int recorder_has_forked(void)
{
    return 1;
}

int32_t init_pid(void)
{
    return 1;
}

int init_uses_counter(void)
{
    return 0;
}

int spool_needs_fd(void)
{
    return 0;
}

void window_fill(void) {}

void spool_set_aside(void)
{
    void (*other)(void) = while_preparing;
    while_preparing = NULL;
    if (other)
        other();
}

void init_freeze_time(void) {}

void init_time_changed(void) {}

/* ---- filters ---- */

/* Kills for one call, which needs no argument to be looked at. */
struct filter {
    struct sock_filter code[4];
    struct sock_fprog program;
};

static void kill_for(struct filter *f, int number)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    memcpy(f->code, code, sizeof code);
    f->program = (struct sock_fprog){4, f->code};
}

static struct filter no_mremap, no_openat, no_tgkill;
#define MEMORY (SYS_KIND_MEMORY | SYS_KIND_WINDOW)
#define FILES  (SYS_KIND_FILES | SYS_KIND_START)
#define LIFE   SYS_KIND_LIFE

static struct sandbox_attempt attempt(const struct filter *f)
{
    return sandbox_filter(&f->program);
}

static int set_up(void **state)
{
    (void)state;
    sys_forbidden = 0;
    while_preparing = NULL;
    kill_for(&no_mremap, SYS_mremap);
    kill_for(&no_openat, SYS_openat);
    kill_for(&no_tgkill, SYS_tgkill);
    return 0;
}

static void assert_given_up(uint32_t kinds)
{
    assert_int_equal((uint32_t)sys_forbidden, kinds ? kinds | SYS_KIND_UNWIND : 0);
}

/* ---- one after the other ---- */

static void succeeds(void **state)
{
    (void)state;
    sandbox_over(attempt(&no_mremap), 0);
    assert_given_up(MEMORY);
    sandbox_over(attempt(&no_openat), 0);
    assert_given_up(MEMORY | FILES);
}

static void fails(void **state)
{
    (void)state;
    sandbox_over(attempt(&no_mremap), 1);
    assert_given_up(0);
    sandbox_over(attempt(&no_openat), 0);
    sandbox_over(attempt(&no_mremap), 1);
    assert_given_up(FILES);
    sandbox_over(attempt(&no_openat), 1); /* a second filter against what is given up already */
    assert_given_up(FILES);
    sandbox_over(sandbox_strict(), 1);
    assert_given_up(FILES);
}

static void closes_nothing(void **state)
{
    (void)state;
    struct sandbox_attempt a = attempt(&no_mremap);
    sandbox_over(sandbox_filter(NULL), 1);
    sandbox_over(sandbox_filter(NULL), 0);
    sandbox_over(a, 1);
    assert_given_up(0);
}

/* ---- two at a time ---- */

/* Two attempts that overlap in every way, of which one fails and the other does not. */
static void overlap(const struct filter *failing, const struct filter *other, uint32_t stays)
{
    for (int way = 0; way < 4; way++) {
        int is_first = way & 1, ends_first = way >> 1;
        sys_forbidden = 0;
        struct sandbox_attempt first = attempt(is_first ? failing : other);
        struct sandbox_attempt second = attempt(is_first ? other : failing);
        sandbox_over(ends_first ? first : second, ends_first ? is_first : !is_first);
        sandbox_over(ends_first ? second : first, ends_first ? !is_first : is_first);
        assert_int_equal((uint32_t)sys_forbidden & stays, stays);
    }
}

static void overlapping(void **state)
{
    (void)state;
    overlap(&no_mremap, &no_mremap, MEMORY);
    overlap(&no_mremap, &no_openat, FILES);
    overlap(&no_openat, &no_mremap, MEMORY);
}

/* ---- one in the middle of the other ---- */

static void other_succeeds(void)
{
    sandbox_over(attempt(&no_mremap), 0);
}

static void other_fails(void)
{
    sandbox_over(attempt(&no_mremap), 1);
}

static void in_the_middle(void **state)
{
    (void)state;
    for (int failing = 0; failing < 2; failing++) {
        sys_forbidden = 0;
        while_preparing = failing ? other_fails : other_succeeds;
        sandbox_over(attempt(&no_mremap), !failing);
        assert_given_up(MEMORY);
    }
}

/* ---- many threads ---- */

enum { THREADS = 3, ROUNDS = 20000 };

static pthread_barrier_t barrier;
static struct filter *const filters[THREADS] = {&no_mremap, &no_openat, &no_mremap};
static uint32_t choices[ROUNDS]; /* a bit for each thread whose attempt fails */
static uint32_t wrong;

static void *close_doors(void *argument)
{
    int own = (int)(intptr_t)argument;
    static const uint32_t kinds[THREADS] = {MEMORY, FILES, MEMORY};
    for (int round = 0; round < ROUNDS; round++) {
        if (own == 0)
            sys_forbidden = 0;
        pthread_barrier_wait(&barrier);
        int has_failed = choices[round] >> own & 1;
        sandbox_over(attempt(filters[own]), has_failed);
        pthread_barrier_wait(&barrier);
        if (!has_failed && (sys_forbidden & kinds[own]) != kinds[own])
            __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    pthread_t thread[THREADS];
    srand(1);
    for (int i = 0; i < ROUNDS; i++)
        choices[i] = (uint32_t)rand() >> 8;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, close_doors, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(succeeds, set_up),
        cmocka_unit_test_setup(fails, set_up),
        cmocka_unit_test_setup(closes_nothing, set_up),
        cmocka_unit_test_setup(overlapping, set_up),
        cmocka_unit_test_setup(in_the_middle, set_up),
        cmocka_unit_test_setup(many_threads, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
