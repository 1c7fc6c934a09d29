/*
 * trap_loader.c - the loader's odd ways: $ORIGIN of the caller, RTLD_DEEPBIND, dlmopen, loading while
 * others work.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: it does not know the blocks that a deeply bound library makes without it
 *
 * trap_relay is loaded by its path and loads part_one by its bare name, which only its own $ORIGIN
 * finds. A block of 70 from relay_block goes back through relay_free. part_two is loaded with
 * RTLD_DEEPBIND: it binds to the C library past the recorder, so its block is not seen, but main's free
 * of it is: 1 unmatched. part_two once more by dlmopen, with a C library of its own: nothing of that is
 * seen, and nothing is freed. Then 200 times part_one is loaded and unloaded by one thread while one
 * allocates (busy) and one starts 200 threads, which make and free a block of 33 each (brief): no
 * deadlock, nothing unmatched.
 *
 * EXPECT unmatched_frees 1
 * EXPECT relay_block self allocations 1
 * EXPECT relay_block self live_at_end_blocks 0
 * EXPECT part_two self absent 1
 * EXPECT brief self allocations 200
 * EXPECT brief self live_at_end_blocks 0
 * EXPECT busy self live_at_end_blocks 0
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURNS 200

static char folder[4096];
static volatile int stop;

static const char *beside(const char *name, char *path)
{
    strcpy(stpcpy(path, folder), name);
    return path;
}

static int origin(void)
{
    char path[4200];
    void *library = dlopen(beside("trap_relay", path), RTLD_NOW);
    if (!library || dlopen("part_one", RTLD_NOW))
        return 1;
    void *(*relay)(const char *) = (void *(*)(const char *))dlsym(library, "relay");
    void *(*block)(void) = (void *(*)(void))dlsym(library, "relay_block");
    void (*release)(void *) = (void (*)(void *))dlsym(library, "relay_free");
    void *part = relay("part_one");
    if (!part)
        return 1;
    release(block());
    return dlclose(part) || dlclose(library);
}

static int bound_deeply(void)
{
    char path[4200];
    void *library = dlopen(beside("part_two", path), RTLD_NOW | RTLD_DEEPBIND);
    if (!library)
        return 1;
    void *(*part)(void) = (void *(*)(void))dlsym(library, "part_two");
    free(part());
    return dlclose(library);
}

static int other_namespace(void)
{
    char path[4200];
    void *library = dlmopen(LM_ID_NEWLM, beside("part_two", path), RTLD_NOW);
    if (!library)
        return 1;
    void *(*part)(void) = (void *(*)(void))dlsym(library, "part_two");
    return part() == NULL;
}

static void brief(void)
{
    free(malloc(33));
}

static void *brief_main(void *unused)
{
    brief();
    return unused;
}

static void *start_threads(void *failures)
{
    pthread_t thread;
    for (int i = 0; i < TURNS; i++)
        if (pthread_create(&thread, NULL, brief_main, NULL) || pthread_join(thread, NULL))
            ++*(int *)failures;
    return NULL;
}

static void *busy(void *unused)
{
    while (!stop) {
        void *p[8];
        for (int i = 0; i < 8; i++)
            p[i] = malloc(64);
        for (int i = 0; i < 8; i++)
            free(p[i]);
        usleep(20);
    }
    return unused;
}

static int loading_while_others_work(void)
{
    char path[4200];
    int failures = 0;
    pthread_t allocator, starter;
    beside("part_one", path);
    pthread_create(&allocator, NULL, busy, NULL);
    pthread_create(&starter, NULL, start_threads, &failures);
    for (int i = 0; i < TURNS && !failures; i++) {
        void *library = dlopen(path, RTLD_NOW);
        if (!library || dlclose(library))
            return 1;
    }
    pthread_join(starter, NULL);
    stop = 1;
    pthread_join(allocator, NULL);
    return failures;
}

int main(void)
{
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (n < 0)
        return 1;
    folder[n] = '\0';
    strrchr(folder, '/')[1] = '\0';
    return origin()                      ? 2
           : bound_deeply()              ? 3
           : other_namespace()           ? 4
           : loading_while_others_work() ? 5
                                         : 0;
}
