/*
 * report_view.h - the totals of a recording and its functions, as text and as JSON.
 *
 * Shows process 0 of the image, the one that was exec'd; its recorded children are named at the
 * foot. The text is at most 80 columns wide. The keys of the JSON are documented in mprof-c(1) and
 * never change. A write that fails is left to the stream's error flag.
 */
#ifndef MPROF_REPORT_VIEW_H
#define MPROF_REPORT_VIEW_H

#include "json.h"
#include "summary.h"

struct recorded_child { /* a recording of an image that a process of this one exec'd */
    const char *name;
    int32_t pid;
};

struct report {
    const struct image *image;
    const char *sort; /* one of FUNCTION_ORDER_KEYS */
    long count;       /* functions to show; -1: text shows REPORT_FUNCTIONS, JSON all */
    const struct recorded_child *children;
    size_t child_count;
};

#define REPORT_FUNCTIONS 20

void report_text(const struct report *report, FILE *out);
void report_json(const struct report *report, FILE *out);

/* Pieces that other views share. */
void report_text_head(const struct image *image, FILE *out); /* command, pid, start, end */
void report_json_head(struct json *j, const struct image *image);
void report_json_quality(struct json *j, const struct quality *quality);
void report_json_usage(struct json *j, const char *key, const struct usage *usage);

#endif
