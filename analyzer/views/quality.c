/* quality.c - see quality.h. */
#include "quality.h"
#include "units.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *add(char *sentence, uint64_t count, const char *one, const char *many)
{
    if (count == 0)
        return sentence;
    char number[UNITS_TEXT];
    size_t have = sentence ? strlen(sentence) : 0;
    sentence = xrealloc(sentence, have + UNITS_TEXT + strlen(many) + 4);
    sprintf(sentence + have, "%s%s %s", have ? ", " : "", units_count(number, count),
            count == 1 ? one : many);
    return sentence;
}

/* In detail where the recording knows it: "12 events lost since 1.2 s (5 allocations of 640 B, 6
 * frees, 1 other)". */
static char *loss_of(const struct quality *quality)
{
    const struct loss *loss = &quality->loss;
    char time[UNITS_TEXT], bytes[UNITS_TEXT], size[UNITS_TEXT + 4];
    if (quality->lost && !(loss->allocations + loss->frees + loss->others))
        return add(NULL, quality->lost, "event lost", "events lost");
    char *text = add(NULL, quality->lost, "event lost since", "events lost since");
    if (text) {
        snprintf(size, sizeof size, " of %s", units_bytes(bytes, loss->bytes));
        char *all = NULL, *parts = add(NULL, loss->allocations, "allocation", "allocations");
        parts = parts ? xrealloc(parts, strlen(parts) + sizeof size) : NULL;
        if (parts)
            strcat(parts, size);
        parts = add(parts, loss->frees, "free", "frees");
        parts = add(parts, loss->others, "other", "others");
        if (asprintf(&all, "%s %s (%s)", text, units_time(time, loss->since_ns), parts) >= 0) {
            free(text);
            text = all;
        }
        free(parts);
    }
    return add(text, loss->unplaced, "child without a place in the spool",
               "children without a place in the spool");
}

const char *quality_bound(const struct quality *quality, uint64_t ns)
{
    const struct loss *loss = &quality->loss;
    if (!quality->lost)
        return "";
    int only_more = loss->frees == 0 && loss->allocations + loss->others > 0;
    return only_more || (loss->since_ns > 0 && ns < loss->since_ns) ? " (at least)" : " (about)";
}

const char *quality_peak_bound(const struct process *p, uint64_t ns)
{
    const char *bound = quality_bound(&p->quality, ns);
    return !*bound && p->unended ? " (at least)" : bound;
}

const char *quality_table_note(const struct quality *quality, char text[QUALITY_NOTE])
{
    const struct loss *loss = &quality->loss;
    const char *bound = quality_bound(quality, UINT64_MAX);
    char time[UNITS_TEXT];
    int n = 0;
    text[0] = '\0';
    if (!quality->lost)
        return text;
    n = snprintf(text, QUALITY_NOTE, "(without what was lost: each %s so much",
                 strstr(bound, "least") ? "at least" : "about");
    if (loss->since_ns && !strstr(bound, "least"))
        n += snprintf(text + n, QUALITY_NOTE - (size_t)n, ", peaks before %s at least",
                      units_time(time, loss->since_ns));
    snprintf(text + n, QUALITY_NOTE - (size_t)n, ")\n");
    return text;
}

static char *add_frees(char *text, const struct quality *quality)
{
    text = add(text, quality->unmatched_frees, "unmatched free", "unmatched frees");
    return add(text, quality->implied_frees, "implied free", "implied frees");
}

static char *add_truncated(char *text, const struct quality *quality)
{
    return add(text, quality->truncated_stacks, "truncated stack", "truncated stacks");
}

/* Adds inherited blocks, stacks, names, and what was left out. */
static char *add_rest(char *text, const struct quality *quality)
{
    text = add(text, quality->inherited, "inherited block", "inherited blocks");
    text = add_truncated(text, quality);
    text = add(text, quality->unresolved_frames, "frame without a name", "frames without a name");
    text = add(text, quality->nameless_modules, "module without names", "modules without names");
    text = add(text, quality->undebugged_modules, "module with unread debug information",
               "modules with unread debug information");
    text = add(text, quality->shortened, "shortened name", "shortened names");
    return add(text, quality->left_out, "entry left out", "entries left out");
}

char *quality_of_figures(const struct quality *quality)
{
    return add_frees(loss_of(quality), quality);
}

char *quality_of_functions(const struct quality *quality)
{
    return add_truncated(quality_of_figures(quality), quality);
}

char *quality_of_all(const struct quality *quality)
{
    return add_rest(quality_of_figures(quality), quality);
}

char *quality_but_loss(const struct quality *quality)
{
    return add_rest(add_frees(NULL, quality), quality);
}
