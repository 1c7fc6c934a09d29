/*
 * trap_interrupted.c - system calls that a signal interrupts, and who gets the signals.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: it has its own way of interrupting a call
 *
 * Each blocking call is interrupted by one signal when /proc says that the thread sleeps in it, without
 * and with SA_RESTART, and then released; result and errno are printed, to be compared with a plain run.
 * The handler makes and frees a block of 80 (in_handler), 2 * 8 times. waited: with SIGUSR1 blocked in all
 * threads of the program it is sent to the process 500 times and waited for; had the recorder a thread,
 * that would get it and the program would die. The number of threads is printed, too.
 *
 * EXPECT in_handler self allocations 16
 * EXPECT in_handler self live_at_end_blocks 0
 * EXPECT waited self allocations 500
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum call { READ, WRITE, RECV, SEM_WAIT, NANOSLEEP, POLL, WAITPID, SIGSUSPEND, CALLS };
static const char *const names[] = {"read",      "write", "recv",    "sem_wait",
                                    "nanosleep", "poll",  "waitpid", "sigsuspend"};

static int from_pipe[2], to_pipe[2], sockets[2];
static char filler[4096];
static sem_t semaphore;
static pid_t child, main_tid;
static pthread_t main_thread;
static atomic_int turn, done; /* turn: the call's number + 1 while main is in it */
static atomic_int handled;

static void say(const char *what, long a, long b)
{
    char text[100];
    write(1, text, (size_t)snprintf(text, sizeof text, "%s: %ld %ld\n", what, a, b));
}

static void in_handler(void)
{
    free(malloc(80));
}

static void handler(int unused)
{
    (void)unused;
    in_handler();
    handled++;
}

/* ---- the one that interrupts ---- */

static int sleeps(void)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", main_tid);
    int fd = open(path, O_RDONLY);
    read(fd, text, sizeof text - 1);
    close(fd);
    const char *name_end = strrchr(text, ')');
    return name_end && name_end[2] == 'S';
}

static void rest(void)
{
    struct timespec moment = {0, 1000000};
    nanosleep(&moment, NULL);
}

static void wait_until_it_sleeps(void)
{
    for (int times = 0; times < 5; times = sleeps() ? times + 1 : 0)
        rest();
}

/* Lets a call come to its end that the signal did not end. */
static void release(enum call call)
{
    static char much[1 << 16];
    if (call == READ)
        write(from_pipe[1], "x", 1);
    else if (call == WRITE)
        read(to_pipe[0], much, sizeof much);
    else if (call == RECV)
        write(sockets[1], "x", 1);
    else if (call == SEM_WAIT)
        sem_post(&semaphore);
    else if (call == WAITPID)
        kill(child, SIGKILL);
}

static void *interrupter(void *unused)
{
    int last = 0;
    while (!done) {
        int now = turn, before = handled;
        if (now == last || now == 0) {
            rest();
            continue;
        }
        last = now;
        wait_until_it_sleeps();
        pthread_kill(main_thread, SIGUSR2);
        while (handled == before)
            rest();
        for (int times = 0; turn == now && times < 3; times += turn == now && sleeps())
            rest();
        if (turn == now)
            release((now - 1) % CALLS);
    }
    return unused;
}

/* ---- the calls ---- */

static long make_call(enum call call)
{
    static char much[1 << 16];
    struct timespec long_time = {100, 0};
    sigset_t none;
    switch (call) {
    case READ:
        return read(from_pipe[0], much, 1);
    case WRITE:
        return write(to_pipe[1], much, 1);
    case RECV:
        return recv(sockets[0], much, 1, 0);
    case SEM_WAIT:
        return sem_wait(&semaphore);
    case NANOSLEEP:
        return nanosleep(&long_time, NULL);
    case POLL:
        return poll(NULL, 0, 100000);
    case WAITPID:
        return waitpid(child, NULL, 0) > 0 ? 0 : -1;
    default:
        sigemptyset(&none);
        return sigsuspend(&none);
    }
}

static void make_calls(int round)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = round ? SA_RESTART : 0};
    sigaction(SIGUSR2, &action, NULL);
    for (enum call call = 0; call < CALLS; call++) {
        if (call == WAITPID && (child = fork()) == 0)
            for (;;)
                pause();
        errno = 0;
        turn = round * CALLS + call + 1;
        long result = make_call(call);
        int error = errno;
        turn = 0;
        say(names[call], result, error);
        if (call == WAITPID && result < 0) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
        }
    }
}

/* ---- threads and signals ---- */

static void count_threads(void)
{
    int n = 0;
    char entries[4096];
    int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    long bytes = syscall(SYS_getdents64, fd, entries, sizeof entries);
    for (long at = 0; at < bytes; at += *(unsigned short *)(entries + at + 16))
        n++;
    close(fd);
    say("threads", n - 2, 0);
}

static void waited(const sigset_t *set)
{
    int got = 0, number;
    for (int i = 0; i < 500; i++) {
        kill(getpid(), SIGUSR1);
        got += sigwait(set, &number) == 0 && number == SIGUSR1;
        free(malloc(8));
    }
    say("signals", got, 0);
}

int main(void)
{
    sigset_t set;
    pthread_t thread;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    count_threads();
    waited(&set);
    if (pipe(from_pipe) || pipe(to_pipe) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
        return 1;
    fcntl(to_pipe[1], F_SETPIPE_SZ, 4096);
    fcntl(to_pipe[1], F_SETFL, O_NONBLOCK);
    while (write(to_pipe[1], filler, sizeof filler) > 0)
        ;
    fcntl(to_pipe[1], F_SETFL, 0);
    sem_init(&semaphore, 0, 0);
    main_thread = pthread_self();
    main_tid = (pid_t)syscall(SYS_gettid);
    pthread_create(&thread, NULL, interrupter, NULL);
    count_threads();
    make_calls(0);
    make_calls(1);
    done = 1;
    pthread_join(thread, NULL);
    return 0;
}
