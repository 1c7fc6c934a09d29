/* shorten.c - see shorten.h. */
#include "shorten.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIDDLE_BYTES = 14 }; /* "...5f3a90c1..." */

static uint32_t hash_bytes(const char *text, size_t bytes)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
    return (uint32_t)(hash ^ hash >> 32);
}

static int is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The last place for a cut, not after `at`, that leaves the head's last character whole. */
static size_t head_end(const char *text, size_t at)
{
    size_t end = at;
    while (end > 0 && at - end < 3 && is_inside_character(text[end]))
        end--;
    return is_inside_character(text[end]) ? at : end;
}

/* The first place, not before `at`, where the tail may begin. */
static size_t tail_begin(const char *text, size_t at, size_t bytes)
{
    size_t begin = at;
    while (begin < bytes && begin - at < 3 && is_inside_character(text[begin]))
        begin++;
    return begin < bytes && is_inside_character(text[begin]) ? at : begin;
}

char *shorten_between(const char *head, size_t head_bytes, const char *whole, size_t whole_bytes,
                      const char *tail)
{
    char *text;
    int bytes = asprintf(&text, "%.*s...%08x...%s", (int)head_bytes, head,
                         hash_bytes(whole, whole_bytes), tail);
    return bytes < 0 ? NULL : text;
}

char *shorten(const char *text, size_t bytes, size_t most)
{
    if (bytes <= most)
        return strndup(text, bytes);
    size_t half = (most - MIDDLE_BYTES) / 2;
    char *end = strndup(text + bytes - half, half);
    char *whole = end ? shorten_between(text, head_end(text, half), text, bytes,
                                        end + tail_begin(end, 0, half))
                      : NULL;
    free(end);
    return whole;
}
