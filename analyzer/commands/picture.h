/*
 * picture.h - where a plot goes: a file by its extension, a window, or the terminal's text. Says in
 * one sentence what is wrong.
 */
#ifndef MPROF_PICTURE_H
#define MPROF_PICTURE_H

#include "gnuplot.h"

/* Chooses the kind of picture for -o `file`; NULL: a window if there is a display and gnuplot has
 * one, else text. Returns 0, or a negative number after a sentence (the extension is unknown). */
int picture_choose(struct picture *picture, const char *file);

/* Draws the plot. Returns the command's exit status, after a sentence unless it is COMMAND_OK. */
int picture_draw(const struct plot *plot, const struct picture *picture, const char *file);

#endif
