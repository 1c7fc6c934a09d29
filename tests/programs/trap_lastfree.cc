/*
 * trap_lastfree.cc - what a thread and a program free at the very last.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: the emergency pool and the thread vectors are compared elsewhere
 *
 * 50 threads, one after the other: each has a thread_local object (80 bytes by hold), freed by its
 * destructor; a key whose destructor comes back in all 4 rounds, each time freeing a block of 90 and
 * making the next (round), the last round only frees: 4 blocks a thread; and a text of strerror, which
 * the C library frees behind all that (in strerror_l). A static object frees its block of 70 after main,
 * an atexit handler one of 60 (after).
 *
 * EXPECT hold inclusive allocations 50
 * EXPECT hold inclusive live_at_end_blocks 0
 * EXPECT next self allocations 200
 * EXPECT next self live_at_end_blocks 0
 * EXPECT after self allocations 2
 * EXPECT after self live_at_end_blocks 0
 * EXPECT thread_main inclusive live_at_end_blocks 0
 */
#include <cstdlib>
#include <cstring>
#include <pthread.h>

static pthread_key_t key;
static int made[64];

static void *after(size_t bytes)
{
    return malloc(bytes);
}

static void *hold()
{
    return operator new(80);
}

static void *next()
{
    return malloc(90);
}

struct last {
    void *block;
    explicit last(void *b) : block(b) {}
    ~last() { operator delete(block); }
};

struct at_the_end {
    void *block = after(70);
    ~at_the_end() { free(block); }
};

static at_the_end global;
static void *by_handler;
static int rounds;

static void destroy(void *value)
{
    free(value);
    if (++rounds % 4)
        pthread_setspecific(key, next());
}

static void *thread_main(void *value)
{
    thread_local last mine(hold());
    made[0] += mine.block != nullptr;
    made[1] += strerror(12345) != nullptr;
    pthread_setspecific(key, next());
    return value;
}

int main()
{
    by_handler = after(60);
    atexit([] { free(by_handler); });
    pthread_key_create(&key, destroy);
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        if (pthread_create(&thread, nullptr, thread_main, nullptr) || pthread_join(thread, nullptr))
            return 1;
    }
    return rounds == 200 && made[0] == 50 && made[1] == 50 ? 0 : 2;
}
