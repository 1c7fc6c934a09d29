/*
 * family_view.h - the processes of a tree: who started whom, as text and as JSON.
 *
 * What a process became by exec stands after it, in the same depth and with the same pid; that it
 * was forked before is then shown only where it held more so, or started others.
 * A process's peak is that of the series; of memory, where anybody has mapped some, with what its
 * two parts were then. The text is at most 79 columns wide and names FAMILY_SHOWN processes, JSON
 * has all. Keys are documented in mprof-c(1). A write that fails is left to the stream's error
 * flag.
 */
#ifndef MPROF_FAMILY_VIEW_H
#define MPROF_FAMILY_VIEW_H

#include "family.h"
#include "json.h"

#define FAMILY_SHOWN 30

void family_text(const struct family *family, enum series series, FILE *out);

/* "gaps", and "processes": all of them, in order; times since epoch_ns. */
void family_json(struct json *j, const struct family *family, uint64_t epoch_ns);

/* The lines that say which process a report is about, "process 12, forked by 11", whose clock its
 * times are of, and what family_before says; is_biggest: also that it stands for a family whose
 * first process only starts others, and which options show others. NULL where there is nothing to
 * say. free() it. */
char *family_note(const struct family *family, size_t shown, enum series series, int is_biggest);

/* That an earlier image of the same process held more, and what sums both; NULL: none is known to.
 * free() it. */
char *family_before(const struct family *family, size_t shown, enum series series);

/* The same of all of them, "3 processes together"; a second line if the figures lack anything. */
char *family_sum_note(const struct family *family, int with_functions);

/* What the family's figures lack: "1 cut recording, 2 unreadable recordings, 1 process without a
 * recording", NULL if they are not known to lack anything; free() it. */
char *family_gaps(const struct family *family);
void family_gaps_json(struct json *j, const struct family *family); /* "gaps" */

/* How many processes the tree has; one that exec'd counts once. */
size_t family_size(const struct family *family);

/* The program's name, in 40 columns at most; free() it. */
char *family_program(const struct relative *relative);

/* The command line in `width` columns, without the program's folder; free() it. */
char *family_command(const struct relative *relative, size_t width);

/* "starter": the pid of who started it, or null. */
void family_starter_json(struct json *j, const struct family *family, size_t i);

void ending_json(struct json *j, const char *key, const struct ending *ending);

#endif
