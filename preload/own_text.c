/*
 * own_text.c - libc's functions of text and memory, for this library alone: hidden, so that the
 * linker binds our calls, and those that the compiler makes, here. A program, or a library
 * preloaded before ours, may define them, too, and theirs may not be ready when we start, or count
 * their calls. Short rather than fast: on the way of an event all lengths are constants.
 */
#include "arch_x86_64.h"

#include <string.h>

/* ---- memory ---- */

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    arch_copy(to, from, bytes);
    return to;
}

void *memset(void *to, int byte, size_t bytes)
{
    arch_fill(to, byte, bytes);
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const unsigned char *p = a, *q = b;
    for (; bytes; bytes--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

void *memchr(const void *in, int byte, size_t bytes)
{
    for (const unsigned char *p = in; bytes; bytes--, p++)
        if (*p == (unsigned char)byte)
            return (void *)p;
    return NULL;
}

/* ---- text ---- */

size_t strnlen(const char *text, size_t most)
{
    size_t n = 0;
    while (n < most && text[n])
        n++;
    return n;
}

size_t strlen(const char *text)
{
    return strnlen(text, (size_t)-1);
}

char *strcpy(char *restrict to, const char *restrict text)
{
    return memcpy(to, text, strlen(text) + 1);
}

int strncmp(const char *a, const char *b, size_t most)
{
    for (; most && *a && *a == *b; most--)
        a++, b++;
    return most ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *text, int byte)
{
    return memchr(text, byte, strlen(text) + 1);
}

char *strrchr(const char *text, int byte)
{
    char *last = NULL;
    for (char *p = strchr(text, byte); p; p = *p ? strchr(p + 1, byte) : NULL)
        last = p;
    return last;
}

/* How many bytes at the start are in the set (is_in 1), or are not (0)? */
static size_t span(const char *text, const char *set, int is_in)
{
    size_t n = 0;
    while (text[n] && (strchr(set, text[n]) != NULL) == is_in)
        n++;
    return n;
}

size_t strspn(const char *text, const char *set)
{
    return span(text, set, 1);
}

size_t strcspn(const char *text, const char *set)
{
    return span(text, set, 0);
}

char *strstr(const char *text, const char *part)
{
    size_t bytes = strlen(part);
    for (; strncmp(text, part, bytes) != 0; text++)
        if (!*text)
            return NULL;
    return (char *)text;
}
