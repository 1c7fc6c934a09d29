/*
 * hostile.c - functions h0 .. h11 leak a block each; test_hostile_names.py gives them names that no compiler would;
 * no case of its own.
 *
 * BUILD -O0 -g0 -pthread
 *
 * hostile [THREAD-NAME ..]: they run in a thread of that name.
 */
#include <pthread.h>
#include <stdlib.h>

#define FUNCTION(n)                                                                                \
    __attribute__((noinline)) void h##n(void);                                                     \
    void h##n(void)                                                                                \
    {                                                                                              \
        void *volatile p = malloc(100000 + (n)*1000);                                              \
        (void)p;                                                                                   \
    }
FUNCTION(0)
FUNCTION(1)
FUNCTION(2)
FUNCTION(3)
FUNCTION(4)
FUNCTION(5)
FUNCTION(6)
FUNCTION(7)
FUNCTION(8)
FUNCTION(9)
FUNCTION(10)
FUNCTION(11)

static void *all(void *name)
{
    if (name)
        pthread_setname_np(pthread_self(), name);
    h0(), h1(), h2(), h3(), h4(), h5(), h6(), h7(), h8(), h9(), h10(), h11();
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    for (int i = 1; i < argc; i++)
        if (pthread_create(&thread, NULL, all, argv[i]) || pthread_join(thread, NULL))
            return 1;
    all(NULL);
    return 0;
}
