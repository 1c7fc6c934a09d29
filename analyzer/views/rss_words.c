/* rss_words.c - see rss_words.h. */
#include "rss_words.h"

#include <stdio.h>

static uint64_t peak_of_sum(const struct process *sum, char words[RSS_WORDS])
{
    int is_mark = totals_largest_exceeds(&sum->totals);
    size_t lacking = is_mark ? sum->unmeasured : sum->unsampled;
    int n =
        snprintf(words, RSS_WORDS, "%s", is_mark ? "the largest process alone" : "samples, summed");
    if (lacking)
        snprintf(words + n, RSS_WORDS - (size_t)n, "; %zu process%s none", lacking,
                 lacking == 1 ? " has" : "es have");
    return is_mark ? sum->totals.rss_mark_bytes : sum->totals.rss_peak_bytes;
}

uint64_t rss_peak(const struct totals *totals, const struct process *sum, char words[RSS_WORDS])
{
    if (sum)
        return peak_of_sum(sum, words);
    snprintf(words, RSS_WORDS, "%s",
             totals_mark_holds(totals) ? "the kernel's high-water mark" : "the highest sample");
    return totals_resident(totals);
}
