/*
 * trap_taken.c - what a process can see of its own resources is what it would be without us.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: it takes descriptors and signals itself
 *
 * Printed at the start, after 20,000 blocks of 40 (blocks) and a pause for a sample, in a thread, and in a
 * forked child: the next descriptor and all that are open, signals that are handled, ignored and blocked, threads,
 * umask, name, the alternate stack, timers, and the keys that are left.
 *
 * EXPECT blocks self allocations 20000
 * EXPECT blocks self live_at_end_blocks 0
 * EXPECT child 1 lost 0
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(const char *text)
{
    write(1, text, strlen(text));
}

static void put_number(const char *what, long n)
{
    char text[100];
    snprintf(text, sizeof text, "  %s %ld\n", what, n);
    put(text);
}

static void put_descriptors(void)
{
    int fd = open("/dev/null", O_RDONLY);
    put_number("next descriptor", fd);
    close(fd);
    for (int i = 0; i < 1000; i++)
        if (fcntl(i, F_GETFD) >= 0)
            put_number("open", i);
}

/* Lines of /proc/self/status. */
static void put_status(void)
{
    static const char *const wanted[] = {
        "Name:",   "Umask:",  "Threads:", "SigPnd:",     "ShdPnd:",
        "SigBlk:", "SigIgn:", "SigCgt:",  "NoNewPrivs:", "Seccomp:"};
    static char status[8192];
    int fd = open("/proc/thread-self/status", O_RDONLY);
    status[read(fd, status, sizeof status - 1)] = 0;
    close(fd);
    for (char *line = strtok(status, "\n"); line; line = strtok(NULL, "\n"))
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) {
                put("  ");
                put(line);
                put("\n");
            }
}

static void put_keys(void)
{
    static pthread_key_t keys[2048];
    int n = 0;
    while (n < 2048 && pthread_key_create(&keys[n], NULL) == 0)
        n++;
    put_number("keys", n);
    while (n > 0)
        pthread_key_delete(keys[--n]);
}

static void put_all(const char *when)
{
    stack_t alternate;
    struct itimerval timer;
    put(when);
    put("\n");
    put_descriptors();
    put_status();
    put_keys();
    sigaltstack(NULL, &alternate);
    put_number("alternate stack", alternate.ss_flags);
    for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
        getitimer(which, &timer);
        put_number("timer", timer.it_value.tv_sec + timer.it_value.tv_usec);
    }
}

static void blocks(void)
{
    for (int i = 0; i < 20000; i++)
        free(malloc(40));
}

static void *in_thread(void *unused)
{
    free(malloc(10));
    put_all("in a thread");
    return unused;
}

int main(void)
{
    pthread_t thread;
    put_all("at the start");
    blocks();
    usleep(110000);
    free(malloc(10));
    put_all("after a sample");
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        free(malloc(10));
        put_all("in a child");
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    put_all("at the end");
    return 0;
}
