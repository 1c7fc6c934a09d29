/*
 * gnuplot_width.h - how wide a text is in a picture, so that none runs off the page.
 *
 * gnuplot does not say it. Widths are those of DejaVu Sans, which most systems take for "Sans" and
 * which is wider than what others take. Any thread.
 */
#ifndef MPROF_GNUPLOT_WIDTH_H
#define MPROF_GNUPLOT_WIDTH_H

#include <stddef.h>

/* Of a clean text, in hundredths of the font's size. */
size_t gnuplot_width(const char *text);

/* Clean, and no wider than `room`: what is too much is cut out as text_fit does. free() it. */
char *gnuplot_fit(const char *text, size_t room, int keep_end);

#endif
