/*
 * trap_foreign_threads.c - threads that the C library does not know map memory, while its own thread allocates.
 *
 * BUILD -O0 -fno-stack-protector -Wl,-z,now
 * VALGRIND no: it makes no such threads
 *
 * Each is a child of clone with its parent's memory: `shares` a thread and `process` a process on the thread-local
 * storage of main, which allocates meanwhile; `owns` on a block of its own, of three kinds; `lacks` without any, or on
 * what is hardly one. What they map cannot be recorded, as libmprof keeps a thread's state in that storage: it is
 * counted as lost, call by call; what they fork by number leaves at once. So is what a vforked child maps (1 call). A child of fork by its number has a copy of all, and is
 * recorded: 4 pages. main's 5 pages, mapped before, and 6, mapped after all that, are recorded.
 *
 *   shares 3000 times 3 calls, process 3000 times 2, owns and lacks 3 times 100 times 3 each, the vforked child 1
 *
 * EXPECT lost 16801
 * EXPECT maps 2
 * EXPECT mapped_at_end_bytes 45056
 * EXPECT child 1 mapped_at_end_bytes 16384
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096ul
#define BOTH  (PROT_READ | PROT_WRITE)
#define STACK (16 * PAGE)

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static volatile int ended;

static void end(void)
{
    ended = 1;
    syscall(SYS_exit, 0);
}

static void by_number(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        long p = syscall(SYS_mmap, 0, PAGE, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        syscall(SYS_mprotect, p, PAGE, PROT_NONE);
        syscall(SYS_munmap, p, PAGE);
    }
}

/* Its child has a copy of all that this thread is on, but no block either. */
static void fork_by_number(void)
{
    if (syscall(SYS_clone, 0, 0, 0, 0, 0) == 0)
        syscall(SYS_exit, 0);
}

static int shares(void *unused)
{
    by_number(3000);
    fork_by_number();
    end();
    return unused != NULL;
}

static int process(void *unused)
{
    for (int i = 0; i < 3000; i++) {
        void *p = mmap(NULL, PAGE, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(p, PAGE);
    }
    end();
    return unused != NULL;
}

/* More of the C library than this needs a block. */
static int lacks(void *unused)
{
    by_number(100);
    fork_by_number();
    end();
    return unused != NULL;
}

/* Besides, what else looks at the thread's state. */
static int owns(void *unused)
{
    stack_t off = {.ss_flags = SS_DISABLE};
    by_number(100);
    fork_by_number();
    prctl(PR_SET_NAME, "owns", 0, 0, 0);
    sigaltstack(&off, NULL);
    end();
    return unused != NULL;
}

static void run(int (*child)(void *), int flags, void *block)
{
    static char stacks[8][STACK] __attribute__((aligned(64)));
    static int used;
    char *stack = stacks[used++];
    ended = 0;
    if (clone(child, stack + STACK, flags, NULL, NULL, block, NULL) < 0)
        exit(2);
    for (size_t n = 0; !ended; n++)
        free(malloc(n % 1000 + 1));
    if (!(flags & CLONE_THREAD))
        wait(NULL);
    usleep(10000); /* until it has left its stack */
}

static char *map(size_t pages)
{
    char *p = mmap(NULL, pages * PAGE, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        exit(3);
    return p;
}

/* A block as a runtime of its own would have, in a page between two that are not there: its first word leads to itself;
 * where it is like libc's, the third one, too. All else is 0x5a. */
static void *own_block(size_t at, int is_like_libcs)
{
    static char pages[4][3 * PAGE] __attribute__((aligned(4096)));
    static int used;
    char *first = pages[used++];
    void **block = (void **)(first + PAGE + at);
    memset(first + PAGE, 0x5a, PAGE);
    if (syscall(SYS_munmap, first, PAGE) || syscall(SYS_munmap, first + 2 * PAGE, PAGE))
        exit(4);
    block[0] = block;
    if (is_like_libcs)
        block[2] = block;
    return block;
}

int main(void)
{
    int status = -1;
    map(5);
    run(shares, THREAD, NULL);
    run(process, CLONE_VM | SIGCHLD, NULL);
    run(owns, THREAD | CLONE_SETTLS, own_block(0, 0));
    run(lacks, THREAD | CLONE_SETTLS, own_block(PAGE - 8, 0)); /* one word */
    run(owns, THREAD | CLONE_SETTLS, own_block(0, 1));         /* nothing below */
    run(owns, THREAD | CLONE_SETTLS, own_block(PAGE / 2, 1));  /* other things below */
    run(lacks, THREAD | CLONE_SETTLS, (void *)7);              /* a number, no address */
    run(lacks, THREAD | CLONE_SETTLS, NULL);
    if (vfork() == 0) {
        syscall(SYS_mmap, 0, PAGE, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        _exit(0);
    }
    pid_t child = (pid_t)syscall(SYS_fork);
    if (child == 0) {
        map(4);
        _exit(5);
    }
    map(6);
    return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5 ? 0 : 1;
}
