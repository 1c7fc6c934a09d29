/*
 * xalloc.h - memory that is there: malloc and its family for the analyzer, which end the program
 * with one sentence and exit code 1 where the machine has no more. Release with free().
 */
#ifndef MPROF_XALLOC_H
#define MPROF_XALLOC_H

#include <stddef.h>

/* From now on memory comes in huge pages where the kernel has some: for callers that want much of
 * it and touch all of it once, as a page fault costs more than the work on the page. */
void xalloc_huge_pages(void);

void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t bytes);
void *xaligned(size_t alignment, size_t bytes); /* bytes: a multiple of alignment */
void *xrealloc(void *old, size_t bytes);
char *xstrdup(const char *text);

/* Makes room for `needed` elements in an array of `*capacity` ones, at least doubling it, and
 * returns the array, which may have moved. New elements are zeroed. */
void *xgrow_now(void *array, size_t *capacity, size_t needed, size_t element_bytes);
static inline void *xgrow(void *array, size_t *capacity, size_t needed, size_t element_bytes)
{
    return __builtin_expect(needed <= *capacity, 1)
               ? array
               : xgrow_now(array, capacity, needed, element_bytes);
}

/* Ends the program, too: it counts `what` up to `most`, and there are more. */
void xalloc_too_many(const char *what, size_t most) __attribute__((noreturn));

#endif
