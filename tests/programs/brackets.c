/*
 * brackets.c - activations of which begin, end and number are known. For tests/e2e/test_brackets.py.
 *
 * BUILD -O0 -pthread
 *
 * A line for each function: its name, then twice, without and with the stacks of frees, how many
 * activations it has, and between which times (ns since 1970) the one that holds its own peak begins
 * and ends.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct moment {
    uint64_t low, high;
};

struct truth {
    const char *name;
    int count;
    struct moment begin, end;
};

enum { PLAIN, FREES };

static void *kept[64];
static int kept_count;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void nap(void)
{
    usleep(30000);
}

#define DO(moment, what)                                                                           \
    do {                                                                                           \
        (moment)->low = now();                                                                     \
        what;                                                                                      \
        (moment)->high = now();                                                                    \
    } while (0)

static void tell(const struct truth t[2])
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s", t->name);
    for (int i = PLAIN; i <= FREES; i++)
        n += snprintf(line + n, sizeof line - (size_t)n,
                      " %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, t[i].count,
                      t[i].begin.low, t[i].begin.high, t[i].end.low, t[i].end.high);
    line[n++] = '\n';
    write(1, line, (size_t)n);
}

static void tell_both(struct truth t)
{
    tell((struct truth[2]){t, t});
}

/* Returns, and keeps silent; main frees later. */
static void fill(void)
{
    struct truth t = {"fill", 1, {0, 0}, {0, 0}};
    for (int i = 0; i < 3; i++) {
        DO(i ? &t.end : &t.begin, kept[kept_count++] = malloc(1000));
        nap();
    }
    tell_both(t);
}

/* Ends at its last free, where these have stacks. */
static void drop(void)
{
    struct truth t[2] = {{"drop", 1, {0, 0}, {0, 0}}};
    void *p, *q;
    DO(&t[PLAIN].begin, p = malloc(700));
    nap();
    DO(&t[PLAIN].end, q = malloc(700));
    t[FREES] = t[PLAIN];
    nap();
    free(q);
    nap();
    DO(&t[FREES].end, free(p));
    tell(t);
}

/* The same of a realloc that releases. */
static void give_up(void)
{
    struct truth t[2] = {{"give_up", 1, {0, 0}, {0, 0}}};
    void *p;
    DO(&t[PLAIN].begin, p = malloc(5000));
    t[PLAIN].end = t[PLAIN].begin;
    t[FREES] = t[PLAIN];
    nap();
    DO(&t[FREES].end, p = realloc(p, 0));
    tell(t);
}

/* And of mapped memory that is unmapped. */
static void map_some(void)
{
    struct truth t[2] = {{"map_some", 1, {0, 0}, {0, 0}}};
    char *p;
    DO(&t[PLAIN].begin,
       p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    nap();
    DO(&t[PLAIN].end, mprotect(p, 4096, PROT_NONE));
    t[FREES] = t[PLAIN];
    nap();
    DO(&t[FREES].end, munmap(p, 8192));
    tell(t);
}

/* Calls itself; its outermost call is the activation. */
static void descend(struct truth *t, int depth, size_t size)
{
    void *p;
    DO(depth == 3 ? &t[PLAIN].begin : &t[PLAIN].end, p = malloc(size));
    nap();
    if (depth > 1)
        descend(t, depth - 1, size);
    DO(&t[FREES].end, free(p));
}

static void descend_thrice(void)
{
    static const size_t sizes[] = {100, 300, 200};
    struct truth all[3][2] = {{{0}}};
    for (int i = 0; i < 3; i++) {
        descend(all[i], 3, sizes[i]);
        kept[kept_count++] = malloc(1);
    }
    all[1][PLAIN].name = "descend";
    all[1][PLAIN].count = all[1][FREES].count = 3;
    all[1][FREES].begin = all[1][PLAIN].begin;
    tell(all[1]);
}

/* Called four times from one line, with nothing in between: that cannot be known. */
static void *once(struct moment *m)
{
    void *p;
    DO(m, p = malloc(50));
    return p;
}

static void same_line(void)
{
    struct truth t = {"once", 1, {0, 0}, {0, 0}};
    for (int i = 0; i < 4; i++)
        kept[kept_count++] = once(i ? &t.end : &t.begin);
    tell_both(t);
}

/* The same with an allocation in between. The last call holds the peak. */
static void *other(struct moment *m)
{
    void *p;
    DO(m, p = malloc(50));
    return p;
}

static void apart(void)
{
    struct truth t = {"other", 4, {0, 0}, {0, 0}};
    for (int i = 0; i < 4; i++) {
        kept[kept_count++] = other(&t.begin);
        kept[kept_count++] = malloc(1);
        nap();
    }
    t.end = t.begin;
    tell_both(t);
}

/* And with a free of the caller's. The second call holds the peak. */
static void *passing(struct moment *m, size_t size)
{
    void *p;
    DO(m, p = malloc(size));
    return p;
}

static void freed_between(void)
{
    struct truth t[2] = {{"passing", 1, {0, 0}, {0, 0}}, {"", 4, {0, 0}, {0, 0}}};
    struct moment calls[4];
    for (int i = 0; i < 4; i++) {
        void *p = passing(&calls[i], i == 1 ? 400 : 100);
        nap();
        free(p);
    }
    t[PLAIN].begin = calls[0];
    t[PLAIN].end = calls[3];
    t[FREES].begin = t[FREES].end = calls[1];
    tell(t);
}

/* In two threads, one after the other; the second one's holds more. Main frees. */
static void work(struct truth *t, size_t size)
{
    DO(&t->begin, kept[kept_count++] = malloc(size));
    nap();
    DO(&t->end, kept[kept_count++] = malloc(size));
}

static void *worker(void *truth)
{
    struct truth *t = truth;
    work(t, t->count == 1 ? 2000 : 3000);
    nap();
    free(kept[--kept_count]);
    free(kept[--kept_count]);
    return NULL;
}

static void work_twice(void)
{
    struct truth t = {"work", 0, {0, 0}, {0, 0}};
    for (t.count = 1; t.count <= 2; t.count++) {
        pthread_t thread;
        pthread_create(&thread, NULL, worker, &t);
        pthread_join(thread, NULL);
    }
    t.count = 2;
    tell_both(t);
}

/* What it makes is freed by another thread, while it is still at work. */
static void *take(void *p)
{
    free(p);
    return NULL;
}

static void make(void)
{
    struct truth t = {"make", 1, {0, 0}, {0, 0}};
    pthread_t thread;
    void *p;
    DO(&t.begin, p = malloc(900));
    nap();
    pthread_create(&thread, NULL, take, p); /* which allocates a vector of the thread's */
    pthread_join(thread, NULL);
    nap();
    DO(&t.end, kept[kept_count++] = malloc(10));
    tell_both(t);
}

/* The function that a thread runs in is over with the thread's last event, even if it is a free
 * without a stack, and not with the program, nor with what others do. */
static void *serve(void *truth)
{
    struct truth *t = truth;
    void *p;
    DO(&t->begin, p = malloc(4000));
    nap();
    DO(&t->end, free(p));
    return NULL;
}

static void serve_apart(void)
{
    struct truth t = {"serve", 1, {0, 0}, {0, 0}};
    pthread_t thread;
    pthread_create(&thread, NULL, serve, &t);
    pthread_join(thread, NULL);
    nap();
    kept[kept_count++] = malloc(10);
    tell_both(t);
}

/* A wrapper gets no bracket. */
static void *xmalloc(size_t size)
{
    void *p = malloc(size);
    return p ? p : (abort(), NULL);
}

static void wrapped(void)
{
    struct truth t = {"wrapped", 1, {0, 0}, {0, 0}};
    DO(&t.begin, kept[kept_count++] = xmalloc(500000));
    nap();
    DO(&t.end, kept[kept_count++] = xmalloc(500000));
    tell_both(t);
}

int main(void)
{
    fill();
    nap();
    while (kept_count)
        free(kept[--kept_count]);
    drop();
    give_up();
    map_some();
    descend_thrice();
    same_line();
    apart();
    freed_between();
    work_twice();
    make();
    wrapped();
    serve_apart();
    while (kept_count)
        free(kept[--kept_count]);
    return 0;
}
