/* plot_note.c - see plot_note.h. */
#include "plot_note.h"
#include "command.h"
#include "quality.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>

/* "still running", "cut recording", what a family lacks; NULL where it is whole. */
static char *state_of(const struct plot_noted *noted, size_t i)
{
    const struct image *image = noted->lines[i].image;
    const struct plot_family *family = noted->families[i];
    char *text = NULL, *gaps = family ? plot_family_gaps(family) : NULL;
    int running = family ? plot_family_runs_on(family) : image->running;
    if (!gaps && !family && image->cut && !running)
        gaps = xstrdup("cut recording");
    if (!running)
        return gaps;
    if (asprintf(&text, "still running%s%s", gaps ? ", " : "", gaps ? gaps : "") < 0)
        text = NULL;
    free(gaps);
    return text;
}

/* Both, with `between` between them; frees them. Each may be NULL. */
static char *joined(char *a, const char *between, char *b)
{
    char *both = NULL;
    if (!a || !b)
        return a ? a : b;
    if (asprintf(&both, "%s%s%s", a, between, b) < 0)
        both = NULL;
    free(a);
    free(b);
    return both;
}

/* What is not exact in what is drawn of a recording or its family, and what has no line of its own;
 * NULL where there is nothing of that. Also complains of it. */
static char *note_of_one(const struct plot_noted *noted, size_t i)
{
    const struct plot_family *family = noted->families[i];
    struct quality quality =
        family ? plot_family_quality(family) : noted->lines[i].image->processes[0].quality;
    char *text =
        noted->with_functions ? quality_of_functions(&quality) : quality_of_figures(&quality);
    char *left_out = family ? plot_family_left_out(family) : NULL;
    if (text)
        complain("%s: %s, so the picture is no exact one", noted->names[i], text);
    if (left_out)
        complain("%s: %s", noted->names[i], left_out);
    return joined(joined(state_of(noted, i), ", ", left_out), ", ", text);
}

/* Where there are several recordings, says whose note it is; frees it. */
static char *with_name(const struct plot_noted *noted, size_t i, char *note)
{
    char *named = NULL;
    if (!note || noted->count == 1)
        return note;
    if (asprintf(&named, "%s: %s", noted->names[i], note) < 0)
        return note;
    free(note);
    return named;
}

char *plot_note(const struct plot_noted *noted)
{
    char *note = NULL;
    for (size_t i = 0; i < noted->count; i++)
        note = joined(note, "; ", with_name(noted, i, note_of_one(noted, i)));
    return note;
}
