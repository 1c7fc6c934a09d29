/*
 * gnuplot_resident.h - the line of the resident set beside that of one process.
 *
 * It joins the samples, which lie about a tenth of a second apart. Where it leaves the range of the
 * plot it is cut there, so that a window shows what the whole plot shows. Any thread.
 */
#ifndef MPROF_GNUPLOT_RESIDENT_H
#define MPROF_GNUPLOT_RESIDENT_H

#include "plot.h"

struct resident {
    struct plot_point *points; /* within the range; NULL: no such line */
    size_t count;
    const struct sample *samples; /* within the range; may be none, between two that are not */
    size_t sample_count;
    uint64_t highest; /* of the points */
    int own_axis;     /* so high that the line of memory would lie flat beside it */
};

/* For resident_release. */
struct resident resident_of(const struct plot *plot);
void resident_release(struct resident *r);

#endif
