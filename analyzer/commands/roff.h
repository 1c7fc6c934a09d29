/*
 * roff.h - text into roff: escaped, one sentence per line, lines short enough for any reader.
 */
#ifndef MPROF_ROFF_H
#define MPROF_ROFF_H

#include <stdio.h>

void roff_title(FILE *out, const char *name, const char *section);
void roff_section(FILE *out, const char *title);
void roff_subsection(FILE *out, const char *title);

/* Paragraphs with "\n\n" between them. */
void roff_text(FILE *out, const char *text);

/* A tagged paragraph: the tag in bold, its argument (NULL for none) in italics. */
void roff_item(FILE *out, const char *tag, const char *argument, const char *text);

#endif
