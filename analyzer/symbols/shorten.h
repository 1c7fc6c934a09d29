/*
 * shorten.h - shortens texts beyond a bound: to their beginning, what distinguishes them, and their
 * end.
 *
 *   void hold<pair_of<pair_of<int, in...5f3a90c1...r_of<int, int> > >*)
 *
 * The eight digits are a hash of the whole text, so that two long names that differ in the middle
 * stay two. A character of several bytes is never cut: what was UTF-8 still is.
 *
 * Threads: any. Memory: the caller's, with free(); NULL where there is none.
 */
#ifndef MPROF_SHORTEN_H
#define MPROF_SHORTEN_H

#include <stddef.h>

enum {
    NAME_BYTES_MAX = 8191,  /* of a function's name */
    PATH_BYTES_MAX = 65535, /* of a path in debug information */
    SHORTEN_LEAST = 64      /* no bound is smaller */
};

/* A copy of the text, which has `bytes` bytes, with at most `most` bytes. */
char *shorten(const char *text, size_t bytes, size_t most);

/* The same for a text of which only the two ends are known; `whole` is hashed in place of all of
 * it. */
char *shorten_between(const char *head, size_t head_bytes, const char *whole, size_t whole_bytes,
                      const char *tail);

#endif
