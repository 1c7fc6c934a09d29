/*
 * trap_raw_clone.c - a child of clone by its number begins on the stack that it is given, and nowhere else.
 *
 * BUILD -O0
 * VALGRIND no: it makes no such child
 *
 * The C library's syscall() returns in the child to what lies on top of its stack: so it must be that function that
 * the program has called, with no frame of anybody else's around it. Once with memory of its own and once with its
 * parent's, each child makes a block of 100 bytes (in_child) and ends with status 7. Then 10 blocks of 20 (after).
 *
 * EXPECT after self allocations 10
 * EXPECT after self live_at_end_blocks 0
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES (1 << 20)

static void in_child(void)
{
    void *volatile block = malloc(100);
    free(block);
}

static void begin(void)
{
    in_child();
    _exit(7);
}

static int status_of_child(unsigned long flags)
{
    int status = -1;
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uintptr_t *top = (uintptr_t *)(stack + STACK_BYTES - 64); /* a multiple of 16, as for a call */
    top[0] = (uintptr_t)begin;
    long child = syscall(SYS_clone, flags | SIGCHLD, top, 0, 0, 0);
    if (child <= 0 || waitpid((pid_t)child, &status, 0) != child)
        return -1;
    munmap(stack, STACK_BYTES);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void after(void)
{
    for (int i = 0; i < 10; i++)
        free(malloc(20));
}

int main(void)
{
    if (status_of_child(0) != 7)
        return 1;
    if (status_of_child(CLONE_VM | CLONE_VFORK) != 7)
        return 2;
    after();
    return 0;
}
