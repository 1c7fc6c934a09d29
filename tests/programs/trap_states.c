/*
 * trap_states.c - what the recorder keeps for a thread is never another's while the thread lives.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: raw clones
 *
 * Of each kind below 8 threads ("kept") make their first block in an odd way, and wait; meanwhile 400 short threads
 * ("short") come and go, four at a time. Four others make and free 1000 blocks of 24 before (stay), and as many
 * afterwards, at the same time as four new ones do and the kept ones make and free 2000 of 32 (keep):
 *   a vforked child in a pid namespace of its own makes it (first, as there are few other states), where that may be
 *   a raw clone with the kept thread's storage makes it, and ends
 *   a vforked child makes it     a handler on an alternate stack makes it     the thread itself
 * The last kind is in a child of a raw fork, whose libc has the parent's number still.
 * Kept: 5 kinds of 8 threads with 2000 blocks each and the first one (first).
 *
 * EXPECT first self allocations 40
 * EXPECT first self live_at_end_blocks 0
 * EXPECT keep self allocations 80000
 * EXPECT keep self live_at_end_blocks 0
 * EXPECT stay self allocations 80000
 * EXPECT stay self live_at_end_blocks 0
 * EXPECT child 1 unmatched_frees 0
 * EXPECT child 1 implied_frees 0
 * EXPECT child 1 lost 0
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind { BY_NAMESPACE, BY_CLONE, BY_VFORK, BY_HANDLER, BY_ITSELF, KINDS };
enum { KEPT = 8, STAY = 4, SHORT = 400, TOGETHER = 4, BLOCKS = 2000 };

static pthread_barrier_t stayed, begun, go;

static void first(void)
{
    free(malloc(16));
}

static int first_of_other(void *unused)
{
    (void)unused;
    first();
    return 0;
}

static void handler(int signal)
{
    (void)signal;
    first();
}

static void by_clone(char *top)
{
    int gone = 1;
    clone(first_of_other, top,
          CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
              CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID,
          NULL, NULL, NULL, &gone);
    while (__atomic_load_n(&gone, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void by_process(char *top, int flags)
{
    pid_t pid = clone(first_of_other, top, CLONE_VM | CLONE_VFORK | flags | SIGCHLD, NULL);
    if (pid < 0)
        pid = clone(first_of_other, top, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    waitpid(pid, NULL, 0);
}

static void by_handler(char *stack, size_t bytes)
{
    stack_t alternate = {.ss_sp = stack, .ss_size = bytes}, none = {.ss_flags = SS_DISABLE};
    sigaltstack(&alternate, NULL);
    pthread_kill(pthread_self(), SIGUSR1);
    sigaltstack(&none, NULL);
}

static void begin(enum kind kind)
{
    static char stacks[KEPT][65536] __attribute__((aligned(16)));
    static int used;
    char *stack = stacks[__atomic_fetch_add(&used, 1, __ATOMIC_RELAXED) % KEPT];
    if (kind == BY_CLONE)
        by_clone(stack + sizeof *stacks);
    else if (kind == BY_VFORK || kind == BY_NAMESPACE)
        by_process(stack + sizeof *stacks, kind == BY_NAMESPACE ? CLONE_NEWPID : 0);
    else if (kind == BY_HANDLER)
        by_handler(stack, sizeof *stacks);
    else
        first();
}

static void keep(void)
{
    for (int i = 0; i < BLOCKS; i++)
        free(malloc(32));
}

static void stay(void)
{
    for (int i = 0; i < BLOCKS / 2; i++)
        free(malloc(24));
}

static void *kept_main(void *kind)
{
    pthread_setname_np(pthread_self(), "kept");
    begin((enum kind)(long)kind);
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&go);
    keep();
    return NULL;
}

static void *early_main(void *unused)
{
    stay();
    pthread_barrier_wait(&stayed);
    pthread_barrier_wait(&go);
    stay();
    return unused;
}

static void *late_main(void *unused)
{
    pthread_barrier_wait(&go);
    stay();
    stay();
    return unused;
}

static void *short_main(void *unused)
{
    pthread_setname_np(pthread_self(), "short");
    free(malloc(8));
    return unused;
}

static void come_and_go(void)
{
    pthread_t thread[TOGETHER];
    for (int n = 0; n < SHORT; n += TOGETHER) {
        for (int i = 0; i < TOGETHER; i++)
            pthread_create(&thread[i], NULL, short_main, NULL);
        for (int i = 0; i < TOGETHER; i++)
            pthread_join(thread[i], NULL);
    }
}

static void start(pthread_t *thread, int count, void *(*run)(void *), enum kind kind)
{
    for (int i = 0; i < count; i++)
        pthread_create(&thread[i], NULL, run, (void *)(long)kind);
}

static void one_kind(enum kind kind)
{
    pthread_t thread[KEPT + 2 * STAY];
    pthread_barrier_init(&stayed, NULL, STAY + 1);
    pthread_barrier_init(&begun, NULL, KEPT + 1);
    pthread_barrier_init(&go, NULL, KEPT + 2 * STAY);
    start(thread, STAY, early_main, kind);
    pthread_barrier_wait(&stayed);
    start(thread + STAY, KEPT, kept_main, kind);
    pthread_barrier_wait(&begun);
    come_and_go();
    start(thread + STAY + KEPT, STAY, late_main, kind);
    for (int i = 0; i < KEPT + 2 * STAY; i++)
        pthread_join(thread[i], NULL);
}

/* The child's only thread, which libc knows by its parent's number. */
static void in_child(void)
{
    pthread_t thread[STAY];
    pthread_barrier_init(&go, NULL, STAY + 1);
    first();
    come_and_go();
    start(thread, STAY, late_main, BY_ITSELF);
    pthread_barrier_wait(&go);
    keep();
    for (int i = 0; i < STAY; i++)
        pthread_join(thread[i], NULL);
    _exit(0);
}

static void *fork_main(void *unused)
{
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0)
        in_child();
    waitpid(pid, NULL, 0);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    pthread_t forks;
    sigaction(SIGUSR1, &action, NULL);
    for (enum kind kind = 0; kind < KINDS; kind++)
        one_kind(kind);
    pthread_create(&forks, NULL, fork_main, NULL);
    pthread_join(forks, NULL);
    return 0;
}
