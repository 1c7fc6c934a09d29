/*
 * rss_words.h - says which of two figures a resident set's peak is: the kernel's, which misses
 * nothing, or the highest of the samples that make the line of a picture. Any thread.
 */
#ifndef MPROF_RSS_WORDS_H
#define MPROF_RSS_WORDS_H

#include "summary.h"

/* How totals_resident is known: "the kernel's high-water mark". together: of several processes,
 * whose samples are summed; the kernel's mark is then that of the largest. */
const char *rss_words(const struct totals *totals, int together);

#endif
