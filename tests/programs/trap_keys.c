/*
 * trap_keys.c - the program has all keys of pthread_key_create, and all rounds of their destructors.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: it takes keys itself
 *
 * All keys are made, and their numbers summed up: as many and the same as without us. Then 40 threads, four at a time,
 * that have a value in every one of them; each destructor's round makes and frees a block of 30 and sets the value
 * again, until there are no rounds left (round_of): 4 rounds. One key goes and comes in between. Then main has
 * them deleted, and makes 8 of them once more, behind a fork in the child, too.
 *
 * EXPECT round_of self allocations 640
 * EXPECT round_of self live_at_end_blocks 0
 * EXPECT in_thread self allocations 40
 * EXPECT in_thread self live_at_end_blocks 0
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS  40
#define TOGETHER 4
#define WATCHED  4 /* keys whose destructor allocates */

static pthread_key_t keys[4096];
static int count, rounds;

static void say(const char *what, long n)
{
    char text[100];
    write(1, text, (size_t)snprintf(text, sizeof text, "%s %ld\n", what, n));
}

static void round_of(void *value)
{
    __atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED);
    free(malloc(30));
    pthread_setspecific(keys[(long)value - 1], value);
}

static void *in_thread(void *unused)
{
    void *p = malloc(20);
    for (long i = 0; i < WATCHED; i++)
        pthread_setspecific(keys[i], (void *)(i + 1));
    free(p);
    return unused;
}

static void make_all(void)
{
    long sum = 0;
    while (count < 4096 && pthread_key_create(&keys[count], count < WATCHED ? round_of : NULL) == 0)
        sum += keys[count++];
    say("keys", count);
    say("sum of their numbers", sum);
}

static void run_threads(void)
{
    pthread_t thread[TOGETHER];
    for (int n = 0; n < THREADS; n += TOGETHER) {
        for (int i = 0; i < TOGETHER; i++)
            pthread_create(&thread[i], NULL, in_thread, NULL);
        for (int i = 0; i < TOGETHER; i++)
            pthread_join(thread[i], NULL);
        pthread_key_delete(keys[count - 1]);
        say("a key that went and came", pthread_key_create(&keys[count - 1], NULL));
    }
    say("rounds", rounds);
}

static void once_more(const char *who)
{
    pthread_key_t key;
    int n = 0;
    while (n < 4096 && pthread_key_create(&key, NULL) == 0)
        n++;
    say(who, n);
}

int main(void)
{
    make_all();
    run_threads();
    for (int i = 0; i < 8; i++)
        pthread_key_delete(keys[i]);
    pid_t child = fork();
    if (child == 0) {
        once_more("keys in the child");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    once_more("keys in the parent");
    return 0;
}
