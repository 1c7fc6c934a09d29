/*
 * rss_words.h - which of two figures is a resident set's peak, and how it is known: the kernel's,
 * which misses nothing, or the highest of the samples that make the line of a picture. Any thread.
 */
#ifndef MPROF_RSS_WORDS_H
#define MPROF_RSS_WORDS_H

#include "summary.h"

#define RSS_WORDS 96

/* The peak, 0 where it is not known, and how it is: "the kernel's high-water mark". `sum`: the
 * process that is a whole family, whose samples are summed while the kernel's mark is that of the
 * largest process alone; the bigger of the two is the peak, and how many processes lack the figure
 * is said: "samples, summed; 3 processes have none". NULL: the totals are those of one process. */
uint64_t rss_peak(const struct totals *totals, const struct process *sum, char words[RSS_WORDS]);

#endif
