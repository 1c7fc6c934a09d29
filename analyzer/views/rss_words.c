/* rss_words.c - see rss_words.h. */
#include "rss_words.h"

const char *rss_words(const struct totals *totals, int together)
{
    if (together)
        return totals_mark_holds(totals) ? "the largest process alone" : "samples, summed";
    return totals_mark_holds(totals) ? "the kernel's high-water mark" : "the highest sample";
}
