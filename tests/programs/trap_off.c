/*
 * trap_off.c - 100,000 blocks of a thread that may make hardly any system call; test_off.sh runs it where
 * nothing is recorded.
 *
 * BUILD -O0 -pthread
 *
 * trap_off WAY: main (self), a forked child (child), or another thread of either (self-thread, child-thread)
 * puts itself behind a filter that kills for every call but those of malloc, mmap and munmap, write and exit;
 * past libc, so that nobody hears of it. Then it makes and frees 100,000 blocks, grows one of them, and maps and
 * drops a page 1,000 times. Prints "done"; the status is 0.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(SYS_brk),
    ALLOW(SYS_mmap),
    ALLOW(SYS_munmap),
    ALLOW(SYS_mremap),
    ALLOW(SYS_mprotect),
    ALLOW(SYS_write),
    ALLOW(SYS_exit_group),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};
static struct sock_fprog program = {sizeof code / sizeof *code, code};

static long raw_prctl(long option, long a, const void *b)
{
    long result;
    register long none __asm__("r10") = 0;
    register long more __asm__("r8") = 0;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(SYS_prctl), "D"(option), "S"(a), "d"(b), "r"(none), "r"(more)
                     : "rcx", "r11", "memory");
    return result;
}

static void *work(void *unused)
{
    void *volatile grown = malloc(100);
    if (raw_prctl(PR_SET_NO_NEW_PRIVS, 1, NULL) ||
        raw_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(1);
    for (int i = 0; i < 100000; i++)
        free(malloc(24));
    for (size_t bytes = 1000; bytes < 1 << 20; bytes *= 2)
        grown = realloc(grown, bytes);
    for (int i = 0; i < 1000; i++)
        munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    write(1, "done\n", 5);
    _exit(0);
    return unused;
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    int status = 0;
    pthread_t thread;
    if (strncmp(way, "child", 5) == 0 && fork() > 0)
        return wait(&status) > 0 ? status : 2;
    if (!strstr(way, "-thread"))
        work(NULL);
    if (pthread_create(&thread, NULL, work, NULL) == 0)
        pthread_join(thread, NULL);
    return 3;
}
