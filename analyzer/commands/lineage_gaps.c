/* lineage_gaps.c - see lineage_gaps.h, and lineage_tell in lineage.h. */
#include "lineage_gaps.h"
#include "command.h"
#include "family_view.h"
#include "quality.h"
#include "spool_peek.h"
#include "text.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- recordings ---- */

static void tell_unread(const struct folder_unread *unread)
{
    char reason[SPOOL_REASON_BYTES], *spool = xmalloc(strlen(unread->name) + 8);
    strcat(strcpy(spool, unread->name), ".spool");
    int foreign = unread->error == RECORDING_FOREIGN;
    int refused = foreign && spool_peek_refusal(AT_FDCWD, spool, reason);
    errno = unread->error_number;
    if (refused)
        complain("%s: nothing was recorded: %s; its process is left out", unread->name, reason);
    else
        complain("%s: %s; its processes are left out", unread->name,
                 foreign ? "is damaged, or no recording" : recording_strerror(unread->error));
    free(spool);
}

static int is_of_root(const struct lineage *l)
{
    return l->asked < l->folder->count && l->folder->entries[l->asked].root == l->asked;
}

/* Only its name says whose an unreadable file is, and only the root has the name. */
static int is_unread(const struct lineage *l, size_t i)
{
    return is_of_root(l) &&
           folder_same_family(l->folder->entries[l->asked].name, l->folder->unread[i].name);
}

static void find_unread(struct lineage *l)
{
    for (size_t i = 0; i < l->folder->unread_count; i++) {
        if (!is_unread(l, i))
            continue;
        tell_unread(&l->folder->unread[i]);
        l->family.unread++;
    }
}

/* How many recordings the root has met that are not in its folder. */
static size_t count_absent(const struct lineage *l)
{
    size_t there = 0;
    if (!is_of_root(l))
        return 0;
    for (size_t i = 0; i < l->folder->count; i++)
        there += l->folder->entries[i].root == l->asked && i != l->asked;
    for (size_t i = 0; i < l->folder->unread_count; i++)
        there += (size_t)is_unread(l, i);
    return l->beside > there ? (size_t)l->beside - there : 0;
}

/* Is relative i the first of its recording in the tree? */
static int is_first_of_recording(const struct lineage *l, size_t i)
{
    for (size_t k = i; k-- > 0 && l->recording_of[k] == l->recording_of[i];)
        if (l->family.in_tree[k])
            return 0;
    return 1;
}

static void count_cut(struct lineage *l)
{
    struct family *f = &l->family;
    for (size_t i = 0; i < f->count; i++)
        f->cut += f->in_tree[i] && f->relatives[i].cut && is_first_of_recording(l, i);
}

/* ---- processes ---- */

/* Did it become something that is in no recording (not recordable, or its file is elsewhere or
 * gone)? */
static int became_unknown(const struct family *f, size_t i)
{
    return f->relatives[i].ending.kind == END_EXEC && !f->is_left[i];
}

static int is_same_starter(const struct kin *a, const struct kin *b)
{
    return a->parent_pid == b->parent_pid && a->parent_start_time == b->parent_start_time;
}

/* Was it started by a process that is in no recording? A starter that began before the family's
 * first process, or started that one, is not of the family: it only took over a child whose parent
 * had ended. Start times are in hundredths of a second, so many are the same. */
static int has_lost_starter(const struct family *f, size_t i)
{
    const struct kin *kin = &f->kin[i], *first = &f->kin[f->self];
    return i != f->self && kin->kind == KIN_FIRST && kin->parent_pid > 0 &&
           kin->parent_start_time != 0 && kin->parent_start_time >= first->start_time &&
           !is_same_starter(kin, first);
}

static int is_first_of_starter(const struct family *f, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (f->in_tree[k] && has_lost_starter(f, k) && is_same_starter(&f->kin[k], &f->kin[i]))
            return 0;
    return 1;
}

static int tells_of_missing(const struct family *f, size_t i)
{
    return became_unknown(f, i) || (has_lost_starter(f, i) && is_first_of_starter(f, i));
}

/* A recording that is not there is known by its number, by what its process started, or by both. */
static void count_missing(struct lineage *l)
{
    struct family *f = &l->family;
    size_t absent = count_absent(l);
    for (size_t i = 0; i < f->count; i++)
        f->missing += f->in_tree[i] && tells_of_missing(f, i);
    f->missing = absent > f->missing ? absent : f->missing;
}

void lineage_gaps_find(struct lineage *l)
{
    find_unread(l);
    count_cut(l);
    count_missing(l);
}

/* ---- in words ---- */

static void tell_cut(const struct lineage *l, const char *name)
{
    const struct family *f = &l->family;
    size_t i = 0;
    while (i < f->count && !(f->in_tree[i] && f->relatives[i].cut))
        i++;
    if (f->cut == 1)
        complain("%s: a recording of the tree is cut, this is what can be read of it: %s", name,
                 f->relatives[i].recording);
    else if (f->cut > 1)
        complain("%s: %zu recordings of the tree are cut, this is what can be read of them: %s and "
                 "others",
                 name, f->cut, f->relatives[i].recording);
}

/* Has the recording that relative i begins mappings and no event of the heap
 * (image_has_only_mappings)? */
static int has_only_mappings(const struct lineage *l, size_t i)
{
    const struct family *f = &l->family;
    int maps = 0;
    for (size_t k = i; k < f->count && l->recording_of[k] == l->recording_of[i]; k++) {
        const struct relative *r = &f->relatives[k];
        if (!r->has_figures || r->cut || r->runs_on || totals_have_blocks(&r->totals))
            return 0;
        maps |= totals_have_mappings(&r->totals);
    }
    return maps && f->relatives[i].ending.kind != END_EXEC;
}

/* Programs whose figures say nothing of their heap. */
static void tell_only_mappings(const struct lineage *l, const char *name)
{
    const struct family *f = &l->family;
    size_t first = f->count, count = 0;
    for (size_t i = f->count; i-- > 0;)
        if (f->in_tree[i] && is_first_of_recording(l, i) && has_only_mappings(l, i)) {
            first = i;
            count++;
        }
    if (count == 0)
        return;
    char *program = family_program(&f->relatives[first]), more[64] = "";
    if (count > 1)
        snprintf(more, sizeof more, ", and %zu more,", count - 1);
    complain("%s: of %s%s " QUALITY_ONLY_MAPPINGS, name, program, more);
    free(program);
}

/* "4711 (/usr/bin/true)" or "4711, which started 4712". */
static char *missing_one(const struct family *f, size_t i)
{
    char *text = NULL, *path = text_clean(f->relatives[i].ending.exec);
    int rc;
    if (became_unknown(f, i))
        rc = asprintf(&text, path[0] ? "%d (%s)" : "%d%s", f->kin[i].pid, path);
    else
        rc = asprintf(&text, "%d, which started %d", f->kin[i].parent_pid, f->kin[i].pid);
    free(path);
    return rc < 0 ? NULL : text;
}

static void tell_missing(const struct lineage *l, const char *name)
{
    const struct family *f = &l->family;
    size_t i = 0;
    while (i < f->count && !(f->in_tree[i] && tells_of_missing(f, i)))
        i++;
    if (i == f->count) {
        lineage_tell_absent(l, name);
        return;
    }
    char *one = missing_one(f, i);
    if (f->missing == 1)
        complain("%s: a process of the tree is in no recording here, what it did is left out: %s",
                 name, one ? one : "");
    else
        complain("%s: %zu processes of the tree are in no recording here, what they did is left "
                 "out: %s, and others",
                 name, f->missing, one ? one : "");
    free(one);
}

void lineage_tell_absent(const struct lineage *l, const char *name)
{
    size_t absent = count_absent(l);
    if (absent > 0)
        complain(
            "%s: %zu of the %zu recordings of its children %s not in the folder, what they did "
            "is left out",
            name, absent, (size_t)l->beside, absent == 1 ? "is" : "are");
}

static int any_runs(const struct family *f)
{
    for (size_t i = 0; i < f->order_count; i++)
        if (f->relatives[f->order[i]].runs_on)
            return 1;
    return 0;
}

void lineage_tell(const struct lineage *l, const char *name)
{
    if (any_runs(&l->family))
        complain("%s: processes of the tree are still running, this is what they did so far", name);
    tell_cut(l, name);
    tell_missing(l, name);
    tell_only_mappings(l, name);
}
