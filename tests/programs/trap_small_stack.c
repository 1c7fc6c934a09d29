/*
 * trap_small_stack.c - what a handler can do on a small alternate stack it can do when it is recorded.
 *
 * BUILD -O1 -pthread -Wl,-z,now -ldl -fasynchronous-unwind-tables
 * VALGRIND no: it has stacks of its own
 *
 * Each way of being there, with each size of the stack and each thing to do, is a child of its own, below whose
 * stack no memory is; its status is printed. Sizes: 128 more than the least that the kernel asks for, and 4,096 (where that is more),
 * both also with 512 more. Ways: main; a thread whose first event that is; a stack set by syscall(2), set to be
 * disarmed (SS_AUTODISARM), or lying in main's own stack. Things: malloc and free from new places, realloc, mappings,
 * enough to fill chunks, after a pause (a sample is due), from a function that only libunwind can walk from, from a
 * library that was just loaded, a fork, an exec that fails. In main also behind a filter that kills who holds signals
 * back: the first five, and the timer. Then a timer strikes in hooks of mappings 500 times, on such
 * a stack. Then 10 blocks of 20 (after).
 *
 * EXPECT after self allocations 10
 * EXPECT after self live_at_end_blocks 0
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static void *volatile block;

/* ---- things to do ---- */

static void nothing(int signal)
{
    (void)signal;
}

static void allocate(int signal)
{
    (void)signal;
    block = malloc(24);
}

#define PLACE(n)                                                                                   \
    static __attribute__((noinline)) void place_##n(void)                                          \
    {                                                                                              \
        block = malloc(n + 30);                                                                    \
        __asm__ volatile("");                                                                      \
        free(block);                                                                               \
        __asm__ volatile("");                                                                      \
    }
#define PLACES(n) PLACE(n##0) PLACE(n##1) PLACE(n##2) PLACE(n##3) PLACE(n##4)
PLACES(1)
PLACES(2)
PLACES(3)
PLACES(4)
#define CALL(n)  place_##n();
#define CALLS(n) CALL(n##0) CALL(n##1) CALL(n##2) CALL(n##3) CALL(n##4)

static void from_places(int signal)
{
    (void)signal;
    CALLS(1) CALLS(2) CALLS(3) CALLS(4)
}

static void move(int signal)
{
    (void)signal;
    block = realloc(block, 1000);
    block = realloc(block, 1 << 20);
}

static void map(int signal)
{
    (void)signal;
    munmap(mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 2 * PAGE);
}

static void fill(int signal)
{
    (void)signal;
    for (int i = 0; i < 3000; i++) {
        block = malloc(100);
        free(block);
    }
}

static void late(int signal)
{
    (void)signal;
    usleep(110000);
    block = malloc(3);
}

/* Its CFA is an expression. */
void call_oddly(void (*f)(int), int signal);
__asm__(".globl call_oddly\n.type call_oddly,@function\ncall_oddly:\n.cfi_startproc\npush %rbx\n"
        ".cfi_escape 0x0f, 4, 0x77, 16, 0x23, 0\n.cfi_offset rbx,-16\nmov %rdi,%rax\n"
        "mov %esi,%edi\ncall *%rax\npop %rbx\n.cfi_def_cfa rsp, 8\nret\n.cfi_endproc\n"
        ".size call_oddly,.-call_oddly");

static void odd(int signal)
{
    call_oddly(allocate, signal);
}

static void *(*duplicate)(const void *);

static void from_library(int signal)
{
    (void)signal;
    if (duplicate)
        duplicate("text");
}

static int child_status;

static void fork_and_wait(int signal)
{
    (void)signal;
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) {
        block = malloc(5);
        syscall(SYS_exit_group, 0);
    }
    syscall(SYS_wait4, pid, &child_status, 0, NULL);
    if (child_status)
        syscall(SYS_exit_group, 9);
}

static void exec(int signal)
{
    char *argv[] = {"x", NULL};
    (void)signal;
    execve("/no/such/program", argv, environ);
}

static const struct {
    const char *name;
    void (*handler)(int);
} things[] = {{"nothing", nothing},    {"malloc", allocate},  {"places", from_places},
              {"realloc", move},       {"mappings", map},     {"chunks", fill},
              {"sample", late},        {"odd function", odd}, {"library", from_library},
              {"fork", fork_and_wait}, {"exec", exec}};
enum { THINGS = sizeof things / sizeof *things, FILTERED = 5 };

/* ---- ways of being there ---- */

enum way { IN_MAIN, IN_THREAD, BY_SYSCALL, DISARMED, IN_OWN_STACK, WAYS };
static const char *const way_names[] = {"main", "thread", "by syscall", "disarmed", "own stack"};

static void take_place(char *base, size_t size, enum way way, void (*handler)(int))
{
    stack_t stack = {.ss_sp = base, .ss_size = size};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    if (way == DISARMED)
        stack.ss_flags = (int)SS_AUTODISARM;
    if (way == BY_SYSCALL ? syscall(SYS_sigaltstack, &stack, NULL) : sigaltstack(&stack, NULL))
        _exit(9);
}

/* The lowest byte of `size` bytes behind a page without access. */
static char *behind_guard(size_t size)
{
    char *p = mmap(NULL, PAGE + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(p + PAGE, size, PROT_READ | PROT_WRITE);
    return p + PAGE;
}

static void strike(char *base, size_t size, enum way way, void (*handler)(int))
{
    take_place(base, size, way, handler);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
}

static __attribute__((noinline)) void strike_in_own_stack(size_t size, void (*handler)(int))
{
    char around[8 * PAGE];
    char *base = (char *)(((unsigned long)around + 2 * PAGE) & -PAGE);
    memset(around, 0, sizeof around);
    mprotect(base - PAGE, PAGE, PROT_NONE);
    strike(base, size, IN_OWN_STACK, handler);
    mprotect(base - PAGE, PAGE, PROT_READ | PROT_WRITE);
}

static size_t size_now;
static void (*handler_now)(int);

static void *thread_main(void *unused)
{
    strike(behind_guard(size_now), size_now, IN_THREAD, handler_now);
    return unused;
}

static void be_there(size_t size, enum way way, void (*handler)(int))
{
    pthread_t thread;
    size_now = size;
    handler_now = handler;
    if (handler == from_library) {
        void *library = dlopen("libbsd.so.0", RTLD_NOW);
        duplicate = library ? (void *(*)(const void *))dlsym(library, "strdup") : NULL;
    }
    if (way == IN_THREAD && pthread_create(&thread, NULL, thread_main, NULL) == 0)
        pthread_join(thread, NULL);
    else if (way == IN_OWN_STACK)
        strike_in_own_stack(size, handler);
    else
        strike(behind_guard(size), size, way, handler);
    _exit(0);
}

static void try_all(const char *size_name, size_t size)
{
    char text[200];
    for (int way = 0; way < WAYS; way++)
        for (int i = 0; i < THINGS; i++) {
            int status;
            pid_t pid = fork();
            if (pid == 0)
                be_there(size, (enum way)way, things[i].handler);
            waitpid(pid, &status, 0);
            write(1, text,
                  (size_t)snprintf(text, sizeof text, "%s, %s, %s: %d\n", size_name, way_names[way],
                                   things[i].name, status));
        }
}

/* ---- in the middle of hooks ---- */

static volatile int strikes;

static void on_timer(int signal)
{
    map(signal);
    strikes++;
}

static void storm(size_t size)
{
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    take_place(behind_guard(size), size, IN_MAIN, on_timer);
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_ONSTACK};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    while (strikes < 500)
        map(0);
    setitimer(ITIMER_REAL, &never, NULL);
}

/* ---- where signals cannot be held back ---- */

static void forbid_holding(void)
{
    struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 1),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(8);
}

static void try_filtered(size_t size)
{
    for (int i = 0; i <= FILTERED; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            map(0);
            forbid_holding();
            if (i == FILTERED)
                storm(size);
            else
                strike(behind_guard(size), size, IN_MAIN, things[i].handler);
            _exit(0);
        }
        waitpid(pid, &status, 0);
        printf("filtered, %s: %d\n", i == FILTERED ? "storm" : things[i].name, status);
        fflush(stdout);
    }
}

static void *kept[10];

static void after(void)
{
    for (int i = 0; i < 10; i++)
        kept[i] = malloc(20);
}

int main(void)
{
    size_t least = getauxval(51 /* AT_MINSIGSTKSZ */);
    least = ((least > 2048 ? least : 2048) + 128 + 15) & -16ul;
    size_t page = least < PAGE ? PAGE : least;
    try_all("least", least);
    try_all("least and 512", least + 512);
    try_all("4096", page);
    try_all("4096 and 512", page + 512);
    try_filtered(page);
    storm(page + 512);
    after();
    for (int i = 0; i < 10; i++)
        free(kept[i]);
    return 0;
}
