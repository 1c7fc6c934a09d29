/*
 * trap_pointers.c - pointers that lead nowhere end as without us, wherever a hook looks at them.
 *
 * BUILD -O0 -w -pthread
 * VALGRIND no: it complains of the pointers
 *
 * A table of pointers (page 0, the last bytes before a guard page, no access, behind a file's end, none,
 * beyond user space) is given to a table of calls, as a path, as an environment, as a variable, as environ
 * of system and popen, as a filter. Then what runs from memory that is there into one that is not:
 * variables and lists of them. Then environments that are large, or name the library twice, or change
 * while they are looked at, and a child behind a filter that kills for the usual question whether memory
 * is there. Each answer and errno is printed. Then 10 blocks of 20 (after).
 *
 * EXPECT after self allocations 10
 * EXPECT after self live_at_end_blocks 0
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE     4096
#define NOWHERE  "/no/such/program"
#define NO_PLACE "LD_PRELOAD=/no/such/folder/libmprof.so"

static char *argv[] = {"x", NULL};
static const char *call_name;

static void say(const char *what, int i, long result)
{
    char text[300];
    int error = errno;
    write(1, text,
          (size_t)snprintf(text, sizeof text, "%s %s %d: %ld %s\n", call_name, what, i, result,
                           result ? strerror(error) : ""));
    errno = 0;
}

/* ---- the pointers ---- */

enum { POINTERS = 20 };
static char *pointer[POINTERS];
static char *guarded; /* a page of 'x' before one without access */

static void make_pointers(void)
{
    static const uintptr_t numbers[] = {
        1,       2,   3, 7, 8, 9, 16, 100, 4088, 4095, 4096, 65536, 0x7ffffffff000, 0x800000000000,
        -4096ul, -1ul};
    char *unmapped = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = memfd_create("short", 0), n = 0;
    guarded = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(guarded + PAGE, PAGE, PROT_NONE);
    memset(guarded, 'x', PAGE);
    for (; n < (int)(sizeof numbers / sizeof *numbers); n++)
        pointer[n] = (char *)numbers[n];
    pointer[n++] = guarded + PAGE;
    pointer[n++] = guarded + PAGE - 1;
    pointer[n++] = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0); /* SIGBUS for who reads */
    munmap(unmapped, PAGE);
    pointer[n++] = unmapped;
}

/* ---- the calls: each is given a path and an environment, one of them bad ---- */

static long call_execve(char *path, char **variables)
{
    return execve(path, argv, variables);
}

static long call_execveat(char *path, char **variables)
{
    return execveat(AT_FDCWD, path, argv, variables, 0);
}

static long call_execve_number(char *path, char **variables)
{
    return syscall(SYS_execve, path, argv, variables);
}

static long call_execveat_number(char *path, char **variables)
{
    return syscall(SYS_execveat, AT_FDCWD, path, argv, variables, 0);
}

static long call_execle(char *path, char **variables)
{
    return execle(path, "x", NULL, variables);
}

static long call_execvpe(char *path, char **variables)
{
    return path == pointer[0] ? 0 : execvpe("true", argv, variables);
}

static long call_execv(char *path, char **variables)
{
    char **before = environ;
    environ = variables;
    long result = execv(path, argv);
    environ = before;
    return result;
}

static long call_fexecve(char *path, char **variables)
{
    int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
    long result = fexecve(fd, argv, variables);
    close(fd);
    return result;
}

static long call_posix_spawn(char *path, char **variables)
{
    pid_t pid;
    return errno = posix_spawn(&pid, path, NULL, NULL, argv, variables);
}

static long call_posix_spawnp(char *path, char **variables)
{
    pid_t pid;
    return errno = posix_spawnp(&pid, "true", NULL, NULL, argv, variables);
}

static long call_system(char *path, char **variables)
{
    char **before = environ;
    environ = variables;
    long result = system("exit 3");
    environ = before;
    return result;
}

static long call_popen(char *path, char **variables)
{
    char **before = environ;
    environ = variables;
    FILE *f = popen("exit 3", "r");
    environ = before;
    return f ? pclose(f) : -1;
}

static const struct {
    const char *name;
    long (*call)(char *path, char **variables);
    int takes_path;
} calls[] = {
    {"execve", call_execve, 1},
    {"execveat", call_execveat, 1},
    {"execle", call_execle, 1},
    {"execv", call_execv, 1},
    {"posix_spawn", call_posix_spawn, 1},
    {"posix_spawnp", call_posix_spawnp, 0},
    {"execvpe", call_execvpe, 0},
    {"fexecve", call_fexecve, 0},
    {"system", call_system, 0},
    {"popen", call_popen, 0},
    {"SYS_execve", call_execve_number, 1},
    {"SYS_execveat", call_execveat_number, 1},
};
enum { CALLS = sizeof calls / sizeof *calls };

static void bad_pointers(int which)
{
    for (int i = 0; i < POINTERS; i++) {
        char *first[] = {pointer[i], "A=1", NULL};
        char *last[] = {"A=1", NO_PLACE, pointer[i], NULL};
        if (calls[which].takes_path)
            say("path", i, calls[which].call(pointer[i], environ));
        say("environment", i,
            calls[which].call("/bin/true", (char **)((uintptr_t)pointer[i] & ~7ul ?: 8)));
        say("first variable", i, calls[which].call("/bin/true", first));
        say("last variable", i, calls[which].call("/bin/true", last));
    }
}

/* Texts and lists that begin well. */
static void run_out(int which)
{
    static const char *const begins[] = {"LD_PRELOAD=", "LD_PRELOAD=/a/libmprof.so",
                                         "MPROF_OUTPUT=", "LD_PRE", "M"};
    char **list = (char **)(guarded + PAGE) - 3;
    for (int i = 0; i < 5; i++) {
        char *text = guarded + PAGE - strlen(begins[i]);
        char *variables[] = {"A=1", text, NO_PLACE, NULL};
        memcpy(text, begins[i], strlen(begins[i]));
        say("text", i, calls[which].call("/bin/true", variables));
    }
    for (int i = 0; i < 3; i++)
        list[i] = i == 1 ? NO_PLACE : "A=1";
    say("list", 0, calls[which].call("/bin/true", list));
    memset(guarded, 'x', PAGE);
}

static void filters(void)
{
    call_name = "filter";
    for (int i = 0; i < POINTERS; i++) {
        struct sock_fprog program = {3, (struct sock_filter *)pointer[i]};
        say("program", i, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, pointer[i]));
        say("program by syscall", i, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, pointer[i]));
        say("code", i, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
        say("code by syscall", i, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
        say("name", i, prctl(PR_SET_NAME, pointer[i]));
        say("program by prctl's number", i,
            syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, pointer[i], 0, 0));
        say("code by prctl's number", i,
            syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
        say("name by prctl's number", i, syscall(SYS_prctl, PR_SET_NAME, pointer[i], 0, 0, 0));
    }
}

/* ---- environments that are there ---- */

enum { MANY = 100000 };
static char *many[MANY + 2];

static void *in_small_stack(void *unused)
{
    (void)unused;
    many[MANY] = NO_PLACE;
    for (int i = 0; i < MANY; i++)
        many[i] = "A=1";
    say("many variables", 0, execve(NOWHERE, argv, many));
    return NULL;
}

static void large(void)
{
    static char texts[3][60000];
    char *variables[] = {texts[0], texts[1], texts[2], NULL};
    pthread_t thread;
    pthread_attr_t small;
    call_name = "large";
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    pthread_create(&thread, &small, in_small_stack, NULL);
    pthread_join(thread, NULL);
    for (int i = 0; i < 3; i++) {
        memset(texts[i], ':', sizeof texts[i] - 1);
        memcpy(texts[i], NO_PLACE, strlen(NO_PLACE));
    }
    say("three lists", 0, execve(NOWHERE, argv, variables));
}

static char *changing[66];
static volatile int over;

/* The list grows and shrinks, and its variables do. */
static void *change(void *unused)
{
    static char text[8000] = "LD_PRELOAD=/no/libmprof.so:";
    size_t begin = strlen(text);
    (void)unused;
    for (unsigned i = 0; !over; i++) {
        changing[3] = i & 1 ? NULL : "B=1";
        changing[2] = i & 2 ? text : "C=1";
        text[begin] = i & 4 ? 0 : 'x';
        changing[60] = i & 8 ? text : NULL;
    }
    return NULL;
}

static void race(void)
{
    pthread_t thread;
    long answers[3] = {0};
    call_name = "race";
    for (int i = 0; i < 65; i++)
        changing[i] = i % 8 == 1 ? NO_PLACE : "A=1";
    pthread_create(&thread, NULL, change, NULL);
    for (int i = 0; i < 3000; i++)
        answers[execve(NOWHERE, argv, changing) == -1 ? errno == ENOENT : 2]++;
    over = 1;
    pthread_join(thread, NULL);
    say("no such program", 0, answers[1]);
}

/* ---- where the usual question would be punished ---- */

static void behind_filter(void)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {4, code};
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
        for (int i = 0; i < 4; i++) {
            call_name = calls[i].name;
            bad_pointers(i);
            run_out(i);
        }
        _exit(0);
    }
    waitpid(pid, &status, 0);
    call_name = "behind a filter";
    say("status", 0, status);
}

static void *block[10];

static void after(void)
{
    for (int i = 0; i < 10; i++)
        block[i] = malloc(20);
}

int main(void)
{
    make_pointers();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int i = 0; i < CALLS; i++) {
        call_name = calls[i].name;
        bad_pointers(i);
        run_out(i);
    }
    filters();
    large();
    race();
    behind_filter();
    after();
    for (int i = 0; i < 10; i++)
        free(block[i]);
    return 0;
}
