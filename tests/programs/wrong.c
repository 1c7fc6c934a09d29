/*
 * wrong.c - programs that misuse their heap; test_wrong.py runs each plain and recorded.
 *
 * BUILD -O0 -w
 *
 * wrong WAY: makes and frees 100 blocks of 40 (before), which must be in the recording, and then does
 * what must not be done. glibc ends some of it, with a sentence on standard error, and lets others pass;
 * what the program then sees is printed, so that it can be compared.
 */
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *block[100];
static char in_program[64] __attribute__((aligned(16)));

static void say(const char *what, long value)
{
    char text[80];
    write(1, text, (size_t)snprintf(text, sizeof text, "%s %ld\n", what, value));
}

static void before(void)
{
    for (int i = 0; i < 100; i++)
        block[i] = malloc(40);
    for (int i = 0; i < 100; i++)
        free(block[i]);
}

/* ---- frees ---- */

static void double_free_cached(void)
{
    char *p = malloc(40);
    free(p);
    free(p);
}

static void double_free_large(void)
{
    char *p = malloc(5000), *guard = malloc(16);
    free(p);
    free(p);
    say("passed", guard != NULL);
}

/* glibc does not notice: another block lies between. Then two callers are given one block. */
static void double_free_unnoticed(void)
{
    mallopt(M_MXFAST, 64);
    char *p[10];
    for (int i = 0; i < 9; i++)
        p[i] = malloc(40);
    for (int i = 0; i < 7; i++)
        free(p[i]); /* the thread's cache is full now */
    free(p[7]);
    free(p[8]);
    free(p[7]);
    for (int i = 0; i < 10; i++)
        p[i] = malloc(40);
    int twice = 0;
    for (int i = 0; i < 10; i++)
        for (int n = 0; n < i; n++)
            twice += p[i] == p[n];
    say("blocks given twice", twice);
}

static void free_stack(void)
{
    char on_stack[64] __attribute__((aligned(16)));
    memset(on_stack, 0, sizeof on_stack);
    free(on_stack + 16);
}

static void free_static(void)
{
    free(in_program + 16);
}

static void free_odd(void)
{
    char *p = malloc(64);
    free(p + 3);
}

static void free_interior(void)
{
    char *p = calloc(8, 16);
    free(p + 64);
}

static void free_small_number(void)
{
    free((void *)16);
}

static void free_mapping(void)
{
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(p + 64);
}

static void free_unmapped(void)
{
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p, 8192);
    free(p + 64);
}

static void realloc_foreign(void)
{
    say("realloc", realloc(in_program + 16, 100) != NULL);
}

static void realloc_freed(void)
{
    char *p = malloc(5000), *guard = malloc(16);
    free(p);
    say("realloc", realloc(p, 100000) != NULL || guard == NULL);
}

/* ---- uses ---- */

/* The next block of that size is the freed one, with what was written into it. */
static void use_after_free(void)
{
    char *p = malloc(500);
    memset(p, 'a', 500);
    free(p);
    memset(p + 16, 'b', 484);
    char *q = malloc(500);
    say("the same", p == q);
    say("text", q[16] * 1000 + q[499]);
    free(q);
    say("of a freed one", p[100]);
}

static void use_of_unmapped(void)
{
    char *p = malloc(1 << 20);
    p[0] = 1;
    free(p);
    p[0] = 2;
}

static void size_of_freed(void)
{
    char *p = malloc(100);
    free(p);
    say("usable", malloc_usable_size(p));
}

/* ---- overflows ---- */

static void overflow_into_text(void)
{
    char *p = malloc(24), *q = malloc(24);
    strcpy(q, "the neighbour's text");
    memset(p, 'x', 24);
    memset(p + 32, 'y', 5);
    write(1, q, 21);
    free(q);
    free(p);
}

static void overflow_into_size(void)
{
    char *p = malloc(24), *q = malloc(2000), *r = malloc(24);
    memset(p, 'x', 32);
    free(q);
    free(r);
}

static void overflow_small_size(void)
{
    char *p = malloc(24), *q = malloc(24);
    memset(p, 0x41, 32);
    free(q);
    say("passed", 1);
}

static void overflow_into_top(void)
{
    char *p = malloc(24);
    memset(p, 0xff, 4000);
    say("grown", malloc(200000) != NULL);
    say("grown", malloc(100000) != NULL);
}

static void overflow_into_list(void)
{
    char *p = malloc(2000), *q = malloc(2000), *guard = malloc(16);
    free(q);
    memset(p, 'x', 2032);
    say("grown", malloc(2000) != NULL && guard);
}

static void overflow_before(void)
{
    char *p = malloc(24), *q = malloc(2000), *guard = malloc(16);
    memset(q - 16, 0, 16);
    free(q);
    say("passed", p && guard);
}

/* A handler tells of it and goes on, as crash reporters do, with blocks of its own. */
static void report_crash(int number)
{
    for (int i = 0; i < 10; i++)
        free(malloc(100000));
    say("crash", number);
    signal(number, SIG_DFL);
    raise(number);
}

static void crash_reported(void)
{
    signal(SIGSEGV, report_crash);
    *(volatile char *)16 = 1;
}

#define WAY(name)                                                                                  \
    {                                                                                              \
#name, name                                                                                \
    }
static const struct {
    const char *name;
    void (*function)(void);
} ways[] = {WAY(double_free_cached), WAY(double_free_large),  WAY(double_free_unnoticed),
            WAY(free_stack),         WAY(free_static),        WAY(free_odd),
            WAY(free_interior),      WAY(free_small_number),  WAY(free_mapping),
            WAY(free_unmapped),      WAY(realloc_foreign),    WAY(realloc_freed),
            WAY(use_after_free),     WAY(use_of_unmapped),    WAY(size_of_freed),
            WAY(overflow_into_text), WAY(overflow_into_size), WAY(overflow_small_size),
            WAY(overflow_into_top),  WAY(overflow_into_list), WAY(overflow_before),
            WAY(crash_reported)};

/* Without an argument: names the ways. */
int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (argc < 2) {
            puts(ways[i].name);
        } else if (strcmp(argv[1], ways[i].name) == 0) {
            before();
            ways[i].function();
            say("end", 0);
        }
    return 0;
}
