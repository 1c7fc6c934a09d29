/*
 * ends.c - the ways into and out of a program; test_ends.py runs each plain and recorded.
 *
 * BUILD -O0 -pthread
 *
 * ends WAY. Before main, in all ways: preinit (DT_PREINIT_ARRAY) makes 2 blocks of 100, the resolver of
 * an IFUNC, which runs while the program is being relocated, 1 of 110; main frees two of these and makes
 * 3 of 30 (in_main). What the handlers and threads make is called in_handler (each 50) and in_thread.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *early[2], *resolved, *block[3];

static void say(const char *text)
{
    write(1, text, strlen(text));
}

/* ---- before main ---- */

static void preinit(void)
{
    early[0] = malloc(60);
    early[0] = realloc(early[0], 100);
    early[1] = calloc(10, 10);
}

__attribute__((section(".preinit_array"), used)) static void (*at_preinit)(void) = preinit;

static int answer(void)
{
    return 42;
}

static int (*resolver(void))(void)
{
    resolved = malloc(110);
    return answer;
}

static int by_ifunc(void) __attribute__((ifunc("resolver")));

static void in_main(void)
{
    for (int i = 0; i < 3; i++)
        block[i] = malloc(30);
}

/* ---- handlers ---- */

static void in_handler(void)
{
    void *p = malloc(50);
    free(block[0]);
    block[0] = p;
}

static void by_on_exit(int status, void *text)
{
    char line[60];
    in_handler();
    write(1, line, (size_t)snprintf(line, sizeof line, "on_exit %d %s\n", status, (char *)text));
}

static void by_atexit(void)
{
    in_handler();
    say("atexit\n");
}

/* A handler that makes another one, as it may. */
static void by_atexit_more(void)
{
    in_handler();
    atexit(by_atexit);
}

static void by_quick_exit(void)
{
    in_handler();
    say("quick_exit\n");
}

static void by_signal(int number)
{
    (void)number;
    in_handler();
    say("signal\n");
}

/* ---- threads ---- */

static pthread_barrier_t barrier;

static void *in_thread(void *unused)
{
    for (int i = 0;; i++) {
        free(malloc((size_t)i % 300));
        if (i == 1000)
            pthread_barrier_wait(&barrier);
    }
    return unused;
}

static void three_threads(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, in_thread, NULL);
    pthread_barrier_wait(&barrier);
}

static void *ending_thread(void *how)
{
    if (strcmp(how, "exec") == 0)
        execl("/proc/self/exe", "ends", "_exit", NULL);
    exit(6);
}

static void thread_ends(const char *how)
{
    pthread_t thread;
    three_threads();
    atexit(by_atexit);
    pthread_create(&thread, NULL, ending_thread, (void *)how);
    for (;;)
        pause();
}

/* ---- ways ---- */

static void end(const char *way)
{
    if (strcmp(way, "on_exit") == 0) {
        on_exit(by_on_exit, "first");
        atexit(by_atexit_more);
        on_exit(by_on_exit, "last");
        exit(4);
    } else if (strcmp(way, "quick_exit") == 0) {
        atexit(by_atexit); /* not called */
        at_quick_exit(by_quick_exit);
        at_quick_exit(by_quick_exit);
        quick_exit(5);
    } else if (strcmp(way, "_exit") == 0) {
        atexit(by_atexit);
        printf("lost in the buffer");
        _exit(3);
    } else if (strcmp(way, "_Exit") == 0) {
        _Exit(3);
    } else if (strcmp(way, "exit_group") == 0) {
        syscall(SYS_exit_group, 3);
    } else if (strcmp(way, "exit_number") == 0) {
        syscall(SYS_exit, 3);
    } else if (strcmp(way, "abort") == 0) {
        abort();
    } else if (strcmp(way, "abort_handled") == 0) {
        signal(SIGABRT, by_signal);
        abort();
    } else if (strcmp(way, "kill") == 0) {
        three_threads();
        raise(SIGKILL);
    } else if (strcmp(way, "thread_exit") == 0) {
        thread_ends("exit");
    } else if (strcmp(way, "thread_exec") == 0) {
        thread_ends("exec");
    } else if (strcmp(way, "abort_threads") == 0) {
        three_threads();
        abort();
    }
}

int main(int argc, char **argv)
{
    free(early[0]);
    free(resolved);
    in_main();
    if (argc < 2 || by_ifunc() != 42)
        return 9;
    end(argv[1]);
    say("returned\n");
    return 8;
}
