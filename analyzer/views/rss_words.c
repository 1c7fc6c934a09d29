/* rss_words.c - see rss_words.h. */
#include "rss_words.h"

#include <stdio.h>

const char *rss_words(const struct totals *totals)
{
    return totals_mark_holds(totals) ? "the kernel's high-water mark" : "the highest sample";
}

const char *rss_words_of_sum(const struct process *sum, char text[RSS_WORDS])
{
    int is_mark = totals_mark_holds(&sum->totals);
    size_t lacking = is_mark ? sum->unmeasured : sum->unsampled;
    int n =
        snprintf(text, RSS_WORDS, "%s", is_mark ? "the largest process alone" : "samples, summed");
    if (lacking)
        snprintf(text + n, RSS_WORDS - (size_t)n, "; %zu process%s none", lacking,
                 lacking == 1 ? " has" : "es have");
    return text;
}
