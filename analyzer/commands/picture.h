/*
 * picture.h - where a plot goes: a file by its extension, a window, or the terminal's text.
 * Says in one sentence what is wrong.
 */
#ifndef MPROF_PICTURE_H
#define MPROF_PICTURE_H

#include "gnuplot.h"

/* The kind of picture for -o `file`; NULL: a window where there is a display and gnuplot has one,
 * else text. 0, or a negative number after a sentence (the extension is unknown). */
int picture_choose(struct picture *picture, const char *file);

/* Draws the plot. The command's exit status, a sentence where it is not COMMAND_OK. */
int picture_draw(const struct plot *plot, const struct picture *picture, const char *file);

#endif
