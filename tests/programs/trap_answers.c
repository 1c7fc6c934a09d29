/*
 * trap_answers.c - what the heap answers, and what it tells of itself, is what it says without us.
 *
 * BUILD -O0 -w
 * VALGRIND no: its answers are not glibc's
 *
 * A plain run and a recorded one must print the same: which alignments and sizes are refused, with what
 * errno; how much is usable of a block; all figures of mallinfo2 after each step; what mallopt,
 * malloc_trim, malloc_info and malloc_stats say; what mallopt's M_PERTURB leaves in a block. If the
 * recorder took a single block from the program's heap, they would differ. usable writes all that
 * malloc_usable_size gives of 200 blocks of 0 to 1990 bytes, and lets 133 of them grow or stay and 67 go by
 * realloc(p, 0). posix_memalign meets 5 sizes at 4 alignments. Alignments are at most a page: how much a
 * larger one takes from the heap depends on where the kernel put that.
 *
 * EXPECT unmatched_frees 0
 * EXPECT usable self allocations 333
 * EXPECT usable self live_at_end_blocks 0
 * EXPECT posix self allocations 20
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *what, long a, long b)
{
    char text[300];
    write(1, text, (size_t)snprintf(text, sizeof text, "%s: %ld %ld\n", what, a, b));
}

/* ---- alignments and sizes ---- */

static volatile size_t sizes[] = {0,
                                  1,
                                  8,
                                  10,
                                  4096,
                                  (size_t)PTRDIFF_MAX - 4096,
                                  PTRDIFF_MAX,
                                  (size_t)PTRDIFF_MAX + 1,
                                  SIZE_MAX - 64,
                                  SIZE_MAX};
static volatile size_t alignments[] = {0,
                                       1,
                                       2,
                                       3,
                                       4,
                                       8,
                                       16,
                                       24,
                                       48,
                                       64,
                                       100,
                                       4096,
                                       SIZE_MAX / 4,
                                       SIZE_MAX / 2 + 1,
                                       SIZE_MAX / 2 + 2,
                                       SIZE_MAX};

/* Was it given, how is it aligned, and what is errno? */
static void tell(const char *how, void *p, size_t alignment)
{
    int error = errno;
    size_t most = alignment ? alignment & -alignment : 16;
    say(how, p ? (uintptr_t)p % (most < 4096 ? most : 4096) : -1, error);
    free(p);
    errno = 0;
}

static void posix(void)
{
    errno = 0;
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++)
        for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
            size_t alignment = alignments[i], size = sizes[n];
            void *p = (void *)0x1230;
            int error = posix_memalign(&p, alignment, size);
            say("posix_memalign", error, error ? (long)p : 0);
            tell("posix_memalign", error ? NULL : p, alignment);
        }
}

static void *allocate(int how, size_t alignment, size_t size)
{
    return how == 0 ? aligned_alloc(alignment, size) : memalign(alignment, size);
}

static void alignments_of(int how)
{
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++)
        for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++)
            tell(how ? "memalign" : "aligned_alloc", allocate(how, alignments[i], sizes[n]),
                 alignments[i]);
}

static void plain_sizes(void)
{
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        size_t size = sizes[n];
        char *old = malloc(24);
        memset(old, 'o', 24);
        tell("malloc", malloc(size), 0);
        tell("calloc", calloc(size, 1), 0);
        tell("calloc 16", calloc(16, size), 0);
        tell("valloc", valloc(size), 4096);
        tell("pvalloc", pvalloc(size), 4096);
        tell("reallocarray", reallocarray(NULL, size, 3), 0);
        tell("realloc NULL", realloc(NULL, size), 0);
        char *p = reallocarray(old, size, 32);
        say("reallocarray old", p ? p[0] : -1, errno);
        if (p || (size * 32 == 0 && errno == 0))
            old = p;
        errno = 0;
        p = realloc(old, size);
        say("realloc old", p && size ? p[0] : -1, errno);
        if (p || size == 0)
            old = p;
        free(old);
        errno = 0;
    }
}

/* ---- usable sizes ---- */

static void usable(void)
{
    char *block[200];
    long all = 0;
    for (int i = 0; i < 200; i++) {
        block[i] = malloc((size_t)i * 10);
        size_t bytes = malloc_usable_size(block[i]);
        memset(block[i], i, bytes);
        all += (long)bytes * (i + 1);
    }
    for (int i = 0; i < 200; i++)
        block[i] = realloc(block[i], malloc_usable_size(block[i]) * (i % 3));
    say("usable", all, malloc_usable_size(NULL));
    for (int i = 0; i < 200; i++) {
        for (size_t n = 0; block[i] && n < malloc_usable_size(block[i]) && n < (size_t)i * 10; n++)
            all += block[i][n] != (char)i;
        free(block[i]);
    }
    say("as written", all, 0);
}

/* ---- what the heap tells of itself ---- */

static void figures(const char *when)
{
    struct mallinfo2 m = mallinfo2();
    struct mallinfo old = mallinfo();
    say(when, m.arena, m.ordblks);
    say("small, fast", m.smblks, m.fsmblks);
    say("mapped", m.hblks, m.hblkhd);
    say("highest, in use", m.usmblks, m.uordblks);
    say("free, top", m.fordblks, m.keepcost);
    say("mallinfo", old.arena, old.uordblks);
}

static void blocks(size_t size)
{
    void *p[64];
    for (int i = 0; i < 64; i++)
        p[i] = malloc(size);
    figures("all");
    for (int i = 0; i < 64; i += 2)
        free(p[i]);
    figures("half");
    for (int i = 1; i < 64; i += 2)
        free(p[i]);
    figures("none");
}

static void settings(void)
{
    say("mallopt", mallopt(M_MMAP_THRESHOLD, 16384), mallopt(M_TRIM_THRESHOLD, 65536));
    say("mallopt", mallopt(M_TOP_PAD, 0), mallopt(M_MXFAST, 200));
    say("mallopt", mallopt(M_MXFAST, -5), mallopt(12345, 1));
    blocks(20000);
    blocks(9000);
    say("trim", malloc_trim(0), malloc_trim(0));
    figures("trimmed");
    say("mallopt", mallopt(M_PERTURB, 0x5a), 0);
    unsigned char *p =
        malloc(5000); /* smaller ones may come from the thread's cache, as they are */
    say("perturbed", p[100], p[4999]);
    free(p);
    p = realloc(malloc(2000), 6000);
    say("perturbed", p[1999], p[5999]);
    free(p);
    say("mallopt", mallopt(M_PERTURB, 0), 0);
}

int main(void)
{
    figures("start");
    posix();
    alignments_of(0);
    alignments_of(1);
    plain_sizes();
    figures("sizes");
    usable();
    figures("usable");
    blocks(40);
    blocks(3000);
    settings();
    malloc_stats();
    say("malloc_info", malloc_info(1, stdout), errno);
    fflush(stdout);
    say("malloc_info", malloc_info(0, stdout), 0);
    return fflush(stdout);
}
