/*
 * rss_words.h - says which of two figures a resident set's peak is: the kernel's, which misses
 * nothing, or the highest of the samples that make the line of a picture. Any thread.
 */
#ifndef MPROF_RSS_WORDS_H
#define MPROF_RSS_WORDS_H

#include "summary.h"

#define RSS_WORDS 96

/* How totals_resident of one process is known: "the kernel's high-water mark". */
const char *rss_words(const struct totals *totals);

/* The same of a family's sum, whose samples are summed; the kernel's mark is then that of the
 * largest. How many processes lack the figure is said: "samples, summed; 3 processes have none". */
const char *rss_words_of_sum(const struct process *sum, char text[RSS_WORDS]);

#endif
