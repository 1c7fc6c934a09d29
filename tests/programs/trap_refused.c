/*
 * trap_refused.c - calls that fail because of what they were given fail as without us, and dlsym shows
 * what libc has.
 *
 * BUILD -O0 -w
 * VALGRIND no: it complains of the pointers
 *
 * Pointers that lead nowhere, to page 0, to the last bytes of a page before a guard page and to a text
 * that runs into it are given to all that looks at its arguments: exec in its forms, as a path, an
 * environment and a part of one, seccomp by prctl and by syscall; besides a filter that the kernel
 * refuses, whose jump would never end. Each answer and errno is printed. probe asks dlsym for functions of newer libcs. Then 10 blocks of 20 (after).
 *
 * EXPECT after self allocations 10
 * EXPECT after self live_at_end_blocks 0
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

static void say(const char *what, long result)
{
    char text[300];
    int error = errno;
    write(1, text,
          (size_t)snprintf(text, sizeof text, "%s: %ld %s\n", what, result, strerror(error)));
    errno = 0;
}

#define SAY(call) say(#call, (long)(call))

static void paths(const char *bad, char *argv[])
{
    SAY(execve(bad, argv, environ));
    SAY(execv(bad, argv));
    SAY(execl(bad, "x", NULL));
    SAY(execle(bad, "x", NULL, environ));
    SAY(execveat(-1, bad, argv, environ, 0));
    SAY(execveat(0, bad, argv, environ, 0));
}

static void environments(const char *bad, char *argv[])
{
    char *variables[] = {"A=1", (char *)bad, "LD_PRELOAD=/no/libmprof.so", NULL};
    if (!bad)
        return; /* that is the end of the list, and the program would start */
    SAY(execve("/bin/true", argv, (char **)bad));
    SAY(execve("/bin/true", argv, variables));
    SAY(execvpe("true", argv, variables));
}

static void filters(const char *bad)
{
    struct sock_fprog program = {3, (struct sock_filter *)bad};
    SAY(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, bad));
    SAY(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, bad));
    SAY(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
    SAY(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static void endless_filter(void)
{
    struct sock_filter code[] = {BPF_STMT(BPF_JMP | BPF_JA, (unsigned)-1),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {2, code};
    SAY(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void others(char *page, char *argv[])
{
    SAY(execve("/bin/true", (char **)8, environ));
    SAY(fexecve(-1, argv, environ));
    SAY(fexecve(0, NULL, environ));
    SAY(execvp("", argv));
    SAY(execvp("no-such-program-anywhere", argv));
    SAY(execve(page, argv, environ)); /* a name of PAGE bytes: too long */
    SAY(munmap((void *)1, 4096));
    SAY(mmap((void *)1, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SAY(mremap((void *)1, 4096, 8192, 0));
    SAY(prctl(-1, 0, 0, 0, 0));
    SAY(syscall(-1));
}

static void probe(void)
{
    static const char *const names[] = {"free_sized", "free_aligned_sized", "reallocarray",
                                        "malloc"};
    for (int i = 0; i < 4; i++) {
        say(names[i], dlsym(RTLD_DEFAULT, names[i]) != NULL);
        const char *error = dlerror();
        say(error ? error : "no error", 0);
        say(names[i], dlsym(RTLD_NEXT, names[i]) != NULL);
        error = dlerror();
        say(error ? error : "no error", 0);
    }
}

static void *block[10];

static void after(void)
{
    for (int i = 0; i < 10; i++)
        block[i] = malloc(20);
}

int main(void)
{
    char *argv[] = {"x", NULL};
    char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(two + PAGE, PAGE, PROT_NONE);
    memset(two, 'x', PAGE);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const char *bad[] = {NULL, (char *)8, two + PAGE, two + PAGE - 4, (char *)-8};
    for (int i = 0; i < 5; i++) {
        paths(bad[i], argv);
        environments(bad[i], argv);
        filters(bad[i]);
    }
    endless_filter();
    two[PAGE - 1] = 0;
    others(two, argv);
    probe();
    after();
    for (int i = 0; i < 10; i++)
        free(block[i]);
    return 0;
}
