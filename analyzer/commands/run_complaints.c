/* run_complaints.c - what went wrong with the recordings: see run_summary.h. */
#include "command.h"
#include "run_summary.h"
#include <stdio.h>
#include <string.h>

static const char *why_failed(const struct gathered *one)
{
    switch ((enum collect_error)one->error) {
    case COLLECT_IO:
        return strerror(one->error_number);
    case COLLECT_TOO_NEW:
        return "the recorder is of a later version";
    case COLLECT_NOT_A_SPOOL:
    case COLLECT_DAMAGED:
    case COLLECT_EMPTY:
    case COLLECT_OK:
        break;
    }
    return "the recorder's output is damaged";
}

static void complain_failures(const struct run_summary *s)
{
    const struct gathered *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < gather_count(s->gather); i++) {
        const struct gathered *one = gather_get(s->gather, i);
        if (one->state != GATHERED_FAILED)
            continue;
        if (first == NULL)
            first = one;
        count++;
    }
    if (count == 1)
        complain("%s%s: cannot be completed: %s; the recording stays in %s.spool, and the next "
                 "command that reads it completes it",
                 s->folder, first->name, why_failed(first), first->name);
    else if (count > 1)
        complain("%s%s: cannot be completed: %s; this recording and %zu more stay in .spool files, "
                 "and the next command that reads one completes it",
                 s->folder, first->name, why_failed(first), count - 1);
}

static void complain_lost(const struct run_summary *s)
{
    for (size_t i = 0; i < gather_count(s->gather); i++) {
        const struct gathered *one = gather_get(s->gather, i);
        if (one->state == GATHERED_LOST)
            complain("%s%s: its spool is gone, and with it what it recorded", s->folder, one->name);
    }
}

static void complain_running(const struct run_summary *s)
{
    const struct gathered *first = NULL;
    size_t recordings = 0, processes = 0;

    for (size_t i = 0; i < gather_count(s->gather); i++) {
        const struct gathered *one = gather_get(s->gather, i);
        if (one->state != GATHERED_STAYS)
            continue;
        if (first == NULL)
            first = one;
        recordings++;
        processes += one->still_running;
    }
    if (recordings == 0)
        return;
    complain("%zu process%s still run%s and go%s on recording into %s%s.spool%s", processes,
             processes == 1 ? "" : "es", processes == 1 ? "s" : "", processes == 1 ? "es" : "",
             s->folder, first->name, recordings > 1 ? " and others" : "");
}

static void complain_reasons(const struct run_summary *s)
{
    for (size_t i = 0; i < gather_count(s->gather); i++) {
        const struct gathered *one = gather_get(s->gather, i);
        if (one->reason[0] != '\0') {
            complain("%s%s: not all of it could be recorded: %s", s->folder, one->name,
                     one->reason);
            return; /* the others of the tree most likely have the same */
        }
    }
}

/* Reports who has no recording at all: the root by its name, others by their number. */
static void complain_refused(const struct run_summary *s, int root_is_there)
{
    const char *reason;
    size_t refused = gather_refused(s->gather, &reason);

    if (!root_is_there && refused > 0)
        complain("%s: nothing was recorded: %s", s->program, reason);
    else if (!root_is_there && s->expected)
        complain("%s: nothing was recorded: the program never came to use the recorder, or could "
                 "not write to the folder of the recording",
                 s->program);
    if (!root_is_there && refused > 0)
        refused--;
    if (refused > 0)
        complain("%zu process%s of the family could not be recorded: %s", refused,
                 refused == 1 ? "" : "es", reason);
}

static int root_is_there(const struct gather *g)
{
    for (size_t i = 0; i < gather_count(g); i++)
        if (gather_get(g, i)->is_root)
            return 1;
    return 0;
}

void run_summary_complain(const struct run_summary *s)
{
    if (s->gather == NULL)
        return;
    complain_refused(s, root_is_there(s->gather));
    complain_failures(s);
    complain_lost(s);
    complain_running(s);
    complain_reasons(s);
}
