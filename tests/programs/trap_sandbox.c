/*
 * trap_sandbox.c - seccomp, strict and by filter, and a counter that must not be read: nobody is killed.
 *
 * BUILD -O0
 * VALGRIND no: it would be killed by the filters itself
 *
 * Fourteen children each make and free 100 blocks of 40 bytes, close a door, and make and free 20,000 of
 * 48, which takes the recorder past its first chunk and past a sample of the resident set:
 *   1 strict mode            2 a filter against openat, by prctl      3 the same by syscall(SYS_seccomp)
 *   4 a filter against all but what this program needs     5 PR_SET_TSC      6 a prctl of two arguments
 *   7 a filter that knows only one advice for madvise, not the recorder's
 *   8 one that knows two, but not the one for huge pages; 60,000 blocks, so that those are wanted
 *   9 one that fails all advices but one, as Chromium's does; 450,000 blocks, more than is ever set aside
 *  10 one that fails all of madvise and kills for a futex      11 one that fails mremap
 *  12 as 2, 13 as 5, by syscall(SYS_prctl)
 *  14 a filter that kills for mremap, which the kernel refuses; 450,000 blocks, as nothing has changed
 * Each tells the parent by its status that it came to its end; it leaves by the system call, as strict
 * mode knows no other way. Each but 8, 9 and 14: 20,100 allocations and frees.
 *
 * EXPECT allocations 0
 * EXPECT child 1 allocations 20100
 * EXPECT child 1 frees 20100
 * EXPECT child 1 lost 0
 * EXPECT child 1 live_at_end_blocks 0
 * EXPECT child 2 allocations 20100
 * EXPECT child 2 frees 20100
 * EXPECT child 2 lost 0
 * EXPECT child 3 allocations 20100
 * EXPECT child 3 frees 20100
 * EXPECT child 3 lost 0
 * EXPECT child 4 allocations 20100
 * EXPECT child 4 frees 20100
 * EXPECT child 4 lost 0
 * EXPECT child 5 allocations 20100
 * EXPECT child 5 frees 20100
 * EXPECT child 5 lost 0
 * EXPECT child 6 allocations 20100
 * EXPECT child 6 frees 20100
 * EXPECT child 6 lost 0
 * EXPECT child 7 allocations 20100
 * EXPECT child 7 frees 20100
 * EXPECT child 7 lost 0
 * EXPECT child 8 allocations 60100
 * EXPECT child 8 frees 60100
 * EXPECT child 8 lost 0
 * EXPECT child 9 allocations 450100
 * EXPECT child 9 frees 450100
 * EXPECT child 9 lost 0
 * EXPECT child 10 allocations 20100
 * EXPECT child 10 frees 20100
 * EXPECT child 10 lost 0
 * EXPECT child 11 allocations 20100
 * EXPECT child 11 frees 20100
 * EXPECT child 11 lost 0
 * EXPECT child 12 allocations 20100
 * EXPECT child 12 frees 20100
 * EXPECT child 12 lost 0
 * EXPECT child 13 allocations 20100
 * EXPECT child 13 frees 20100
 * EXPECT child 13 lost 0
 * EXPECT child 14 allocations 450100
 * EXPECT child 14 frees 450100
 * EXPECT child 14 lost 0
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_CALL(number, action)                                                                    \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, (action))
#define ELSE(action) BPF_STMT(BPF_RET | BPF_K, (action))

static struct sock_filter no_open[] = {LOAD(nr), IF_CALL(SYS_openat, SECCOMP_RET_KILL_PROCESS),
                                       ELSE(SECCOMP_RET_ALLOW)};
static struct sock_filter little[] = {LOAD(nr), IF_CALL(SYS_exit, SECCOMP_RET_ALLOW),
                                      IF_CALL(SYS_write, SECCOMP_RET_ALLOW),
                                      ELSE(SECCOMP_RET_KILL_PROCESS)};
static struct sock_filter one_advice[] = {LOAD(nr),
                                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 1, 0),
                                          ELSE(SECCOMP_RET_ALLOW),
                                          LOAD(args[2]),
                                          IF_CALL(MADV_DONTNEED, SECCOMP_RET_ALLOW),
                                          ELSE(SECCOMP_RET_KILL_PROCESS)};
static struct sock_filter two_advices[] = {LOAD(nr),
                                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 1, 0),
                                           ELSE(SECCOMP_RET_ALLOW),
                                           LOAD(args[2]),
                                           IF_CALL(MADV_DONTNEED, SECCOMP_RET_ALLOW),
                                           IF_CALL(23 /* POPULATE_WRITE */, SECCOMP_RET_ALLOW),
                                           ELSE(SECCOMP_RET_KILL_PROCESS)};
#define FAIL (SECCOMP_RET_ERRNO | EPERM)
static struct sock_filter failed_advice[] = {LOAD(nr),
                                             BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 1, 0),
                                             ELSE(SECCOMP_RET_ALLOW),
                                             LOAD(args[2]),
                                             IF_CALL(MADV_DONTNEED, SECCOMP_RET_ALLOW),
                                             ELSE(FAIL)};
static struct sock_filter no_futex[] = {LOAD(nr), IF_CALL(SYS_madvise, FAIL),
                                        IF_CALL(SYS_futex, SECCOMP_RET_KILL_PROCESS),
                                        ELSE(SECCOMP_RET_ALLOW)};
static struct sock_filter no_mremap[] = {LOAD(nr), IF_CALL(SYS_mremap, FAIL),
                                         ELSE(SECCOMP_RET_ALLOW)};
static struct sock_filter killing[] = {LOAD(nr), IF_CALL(SYS_mremap, SECCOMP_RET_KILL_PROCESS),
                                       ELSE(SECCOMP_RET_ALLOW)};
static struct sock_fprog killing_program = {sizeof killing / sizeof *killing, killing};
static struct sock_fprog failed_advice_program = {sizeof failed_advice / sizeof *failed_advice,
                                                  failed_advice};
static struct sock_fprog no_futex_program = {sizeof no_futex / sizeof *no_futex, no_futex};
static struct sock_fprog no_mremap_program = {sizeof no_mremap / sizeof *no_mremap, no_mremap};
static struct sock_fprog two_advices_program = {sizeof two_advices / sizeof *two_advices,
                                                two_advices};
static struct sock_fprog one_advice_program = {sizeof one_advice / sizeof *one_advice, one_advice};
static struct sock_fprog no_open_program = {sizeof no_open / sizeof *no_open, no_open};
static struct sock_fprog little_program = {sizeof little / sizeof *little, little};

static void churn(int turns, size_t bytes)
{
    for (int i = 0; i < turns; i++)
        free(malloc(bytes));
}

static int close_door(int which)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int is_counter = which == 5 || which == 13;
    usleep(which > 1 && !is_counter ? 110000 : 0); /* the next event is due for a sample */
    switch (which) {
    case 1:
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    case 2:
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &no_open_program);
    case 3:
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &no_open_program);
    case 4:
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &little_program);
    case 5:
        return prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
    case 7:
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &one_advice_program);
    case 8:
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &two_advices_program);
    case 9:
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &failed_advice_program);
    case 10:
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &no_futex_program);
    case 11:
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &no_mremap_program);
    case 12:
        return (int)syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &no_open_program);
    case 13:
        return (int)syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0);
    case 14:
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, ~0u, &killing_program) == 0;
    default:
        return prctl(PR_SET_NAME, "renamed");
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && close_door(7) == 0) /* tests/e2e/test_exec_behind_filter.sh */
        return execv(argv[1], argv + 1);
    for (int which = 1; which <= 14; which++) {
        pid_t child = fork();
        if (child == 0) {
            churn(100, 40);
            if (close_door(which))
                _exit(99);
            churn(which == 8 ? 60000 : which == 9 || which == 14 ? 450000 : 20000, 48);
            syscall(SYS_exit, 10 + which);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 10 + which)
            return 100 + which;
    }
    return 0;
}
