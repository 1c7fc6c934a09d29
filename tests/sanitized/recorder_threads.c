/*
 * The recorder under ThreadSanitizer, which cannot come behind a preloaded library: its sources are
 * linked in (all but the hooks of malloc itself) and called as the hooks would.
 *
 *   recorder_threads EVENTS SHORT FORKS
 *
 * At the same time: threads that record EVENTS events each, from many places and depths; chains of
 * SHORT short threads, one behind the other; a thread that looks up rules all over the C library;
 * one that does as if the loader was at work; one that gives closed chunks' space back where
 * GIVE_BACK is set, as a collector does (what was in them is lost then); and FORKS forks, whose
 * children record, too. It prints what must be in the recording: "allocations frees" of the first
 * process, then of all children.
 */
#include "host.h"
#include "init.h"
#include "loaded.h"
#include "real.h"
#include "record.h"
#include "rules.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDERS = 3, CHAINS = 2, CHILD_EVENTS = 40, EVENTS_OF_SHORT = 6 };

/* In place of real.c: there are no hooks, so the C library's functions are the program's. */
int real_state = REAL_RESOLVED;
const void *const volatile real_relocated = (const void *)&real_relocated;
struct real real;

void real_resolve(void) {}

int host_is_foreign(void) /* it has a sanitizer, but not one that is in the way here */
{
    return 0;
}

int real_malloc_is_ours(void) /* no: libunwind's own threads' business is not what is looked at */
{
    return 0;
}

static unsigned long events, shorts, forks;
static int over; /* the helpers may stop */

/* ---- events, from many places ---- */

struct recorder {
    uint64_t random, address;
    unsigned long allocations, frees;
};

static uint32_t next_random(struct recorder *r)
{
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->random >> 33);
}

/* Stands for malloc, free and realloc: the recorder's functions want the frame of a hook. */
static __attribute__((noinline)) void hook(struct recorder *r)
{
    const void *p = (const void *)(r->address += 64);

    record_alloc(ARCH_CALLER(), p, 40);
    r->allocations++;
    if (next_random(r) % 4 == 0) {
        record_realloc_begin(ARCH_CALLER(), p);
        p = (const void *)(r->address += 64);
        record_realloc_moved(ARCH_CALLER(), p, 80);
        r->allocations++;
        r->frees++;
    }
    if (next_random(r) % 8) {
        record_free(ARCH_CALLER(), p);
        r->frees++;
    }
}

typedef void place(struct recorder *r, unsigned depth);
static place *const places[];

#define PLACE(n)                                                                                   \
    static __attribute__((noinline)) void place_##n(struct recorder *r, unsigned depth)            \
    {                                                                                              \
        if (depth > 0)                                                                             \
            places[next_random(r) % 16](r, depth - 1);                                             \
        else                                                                                       \
            hook(r);                                                                               \
        r->random ^= n;                                                                            \
    }
PLACE(0)
PLACE(1)
PLACE(2) PLACE(3) PLACE(4) PLACE(5) PLACE(6) PLACE(7) PLACE(8) PLACE(9) PLACE(10) PLACE(11)
    PLACE(12) PLACE(13) PLACE(14) PLACE(15)

        static place *const places[] = {place_0,  place_1,  place_2,  place_3, place_4,  place_5,
                                        place_6,  place_7,  place_8,  place_9, place_10, place_11,
                                        place_12, place_13, place_14, place_15};

static struct recorder new_recorder(void)
{
    static uint64_t count;
    uint64_t mine = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    return (struct recorder){.random = mine * 0x9e3779b97f4a7c15u, .address = mine << 32};
}

static void record_some(struct recorder *r, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        places[next_random(r) % 16](r, next_random(r) % 12);
}

static void add(struct recorder *sum, const struct recorder *r)
{
    __atomic_add_fetch(&sum->allocations, r->allocations, __ATOMIC_RELAXED);
    __atomic_add_fetch(&sum->frees, r->frees, __ATOMIC_RELAXED);
}

static struct recorder total;

static void *record_in_thread(void *count)
{
    struct recorder r = new_recorder();
    record_some(&r, *(unsigned long *)count);
    add(&total, &r);
    return NULL;
}

/* ---- short threads: states and chunks change hands ---- */

static void *chain(void *context)
{
    unsigned long count = EVENTS_OF_SHORT;
    pthread_t id;

    (void)context;
    for (unsigned long i = 0; i < shorts; i++) {
        if (pthread_create(&id, NULL, record_in_thread, &count) != 0)
            abort();
        pthread_join(id, NULL);
    }
    return NULL;
}

/* ---- helpers, until all is over ---- */

static int is_over(void)
{
    return __atomic_load_n(&over, __ATOMIC_ACQUIRE);
}

/* The rule cache: many writers and readers of the same entries. */
static void *look_up(void *context)
{
    uintptr_t begin = (uintptr_t)printf & ~0xfffful;

    (void)context;
    while (!is_over())
        for (uintptr_t at = 0; at < 0x10000 && !is_over(); at += 61)
            rule_find(begin + at, 0, __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED));
    return NULL;
}

static void *load(void *context)
{
    (void)context;
    while (!is_over()) {
        loaded_changed();
        usleep(200);
    }
    return NULL;
}

/* What a collector does to the recorder: closed chunks become free. */
static void *give_back(void *file)
{
    int fd = open(file, O_RDWR);
    struct spool_header h;
    struct spool_control control;

    if (fd < 0 || pread(fd, &h, sizeof h, 0) != sizeof h)
        abort();
    while (!is_over()) {
        if (pread(fd, &control, sizeof control, SPOOL_PAGE) != sizeof control)
            abort();
        for (uint64_t at = h.chunks_offset; at < control.carved;) {
            struct spool_chunk c;
            uint32_t moved = SPOOL_CHUNK_MOVED;
            if (pread(fd, &c, sizeof c, (off_t)at) != sizeof c)
                break;
            int valid = c.mark == SPOOL_CHUNK_MARK && c.offset == at;
            if (valid && c.flags & SPOOL_CHUNK_SLOT && c.closed == SPOOL_CHUNK_CLOSED &&
                pwrite(fd, &moved, sizeof moved,
                       (off_t)(at + offsetof(struct spool_chunk, closed))) != sizeof moved)
                abort();
            at += valid && c.bytes ? c.bytes : SPOOL_PAGE;
        }
        usleep(1000);
    }
    close(fd);
    return NULL;
}

/* ---- forks beside all this ---- */

static void fork_some(struct recorder *children)
{
    for (unsigned long i = 0; i < forks; i++) {
        struct recorder r = new_recorder();
        int ends[2];
        if (pipe(ends) != 0)
            abort();
        pid_t pid = fork();
        if (pid == 0) {
            record_some(&r, CHILD_EVENTS);
            _exit(write(ends[1], &r, sizeof r) == sizeof r ? 0 : 1);
        }
        close(ends[1]);
        int status = -1;
        if (pid < 0 || read(ends[0], &r, sizeof r) != sizeof r || waitpid(pid, &status, 0) != pid ||
            status != 0) {
            printf("child %lu: status %#x\n", i, status);
            exit(1);
        }
        close(ends[0]);
        add(children, &r);
    }
}

int main(int argc, char **argv)
{
    pthread_t recorders[RECORDERS], chains[CHAINS], helpers[4];
    struct recorder children = {0};
    char *file = getenv("GIVE_BACK");
    int helper_count = 0;

    if (argc != 4)
        return 2;
    events = strtoul(argv[1], NULL, 10);
    shorts = strtoul(argv[2], NULL, 10);
    forks = strtoul(argv[3], NULL, 10);
    for (int i = 0; i < RECORDERS; i++)
        pthread_create(&recorders[i], NULL, record_in_thread, &events);
    for (int i = 0; i < CHAINS; i++)
        pthread_create(&chains[i], NULL, chain, NULL);
    pthread_create(&helpers[helper_count++], NULL, look_up, NULL);
    pthread_create(&helpers[helper_count++], NULL, look_up, NULL);
    pthread_create(&helpers[helper_count++], NULL, load, NULL);
    if (file)
        pthread_create(&helpers[helper_count++], NULL, give_back, file);
    fork_some(&children);
    for (int i = 0; i < RECORDERS; i++)
        pthread_join(recorders[i], NULL);
    for (int i = 0; i < CHAINS; i++)
        pthread_join(chains[i], NULL);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < helper_count; i++)
        pthread_join(helpers[i], NULL);
    printf("%lu %lu\n%lu %lu\n", total.allocations, total.frees, children.allocations,
           children.frees);
    return 0;
}
