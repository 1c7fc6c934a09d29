/*
 * report_view.h - the totals of a recording and its functions, as text and as JSON.
 *
 * Shows process 0 of the image: the one that was exec'd, or what the caller or merged.h put there.
 * Of a family whose first process only starts others the text begins with the sum; JSON never does.
 * The processes of its tree are named at the foot. The text is at most 79 columns wide, but for the
 * paths that `addresses` asks for. The keys of
 * the JSON are documented in mprof-c(1) and never change. A write that fails is left to the
 * stream's error flag.
 */
#ifndef MPROF_REPORT_VIEW_H
#define MPROF_REPORT_VIEW_H

#include "family.h"
#include "json.h"
#include "summary.h"

struct report {
    const struct image *image;
    enum series series; /* what to show; SERIES_MEMORY: with its two parts, as far as is known */
    const char *sort;   /* one of FUNCTION_ORDER_KEYS */
    long count;         /* functions to show; -1: text shows REPORT_FUNCTIONS, JSON all */
    const struct family *family; /* `self`, or all of it, was asked for */
    const struct image *source; /* its whole recording; NULL: the image sums the family's figures */
    const struct image *together; /* the sum, to be shown before `image`; NULL: not wanted */
    size_t shown;                 /* which relative the image is, where it is one process */
    int addresses;                /* the text also says where each function begins */
};

#define REPORT_FUNCTIONS 20

void report_text(const struct report *report, FILE *out);
void report_json(const struct report *report, FILE *out);

/* Pieces that other views share. */
/* Command, pid, start, end; `note` is a line of its own, NULL for none. */
void report_text_head(const struct image *image, const char *note, FILE *out);
void report_json_head(struct json *j, const struct image *image);
void report_json_totals(struct json *j, const struct totals *totals);
void report_json_quality(struct json *j, const struct quality *quality);
/* together: of several processes, so that it is not known what was held at the peak. */
void report_json_usage(struct json *j, const char *key, const struct usage *usage, int together);

#endif
