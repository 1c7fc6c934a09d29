/* lineage.c - see lineage.h. */
#include "lineage.h"
#include "command.h"
#include "intmap.h"
#include "leader.h"
#include "lineage_gaps.h"
#include "lives.h"
#include "merged.h"
#include "text.h"
#include "unmeasured.h"
#include "xalloc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIDS_NAMED 8 /* in a sentence */

/* ---- who there is ---- */

static uint64_t since_begin(const struct lineage *l, uint64_t epoch_ns)
{
    return epoch_ns > l->epoch_ns ? epoch_ns - l->epoch_ns : 0;
}

static size_t add(struct lineage *l, size_t entry, const char *command)
{
    struct family *f = &l->family;
    size_t i = f->count++;
    f->kin = xgrow(f->kin, &l->kin_capacity, f->count, sizeof *f->kin);
    f->relatives = xgrow(f->relatives, &l->capacity, f->count, sizeof *f->relatives);
    l->recording_of =
        xgrow(l->recording_of, &l->recording_capacity, f->count, sizeof *l->recording_of);
    l->recording_of[i] = entry;
    f->kin[i] = (struct kin){.forker = KIN_NONE};
    const struct folder_entry *of = &l->folder->entries[entry];
    f->relatives[i] = (struct relative){.recording = of->name,
                                        .command = command,
                                        .clock_ns = since_begin(l, of->identity.epoch_ns),
                                        .ending = {.exec = ""}};
    return i;
}

static const char *kept(struct lineage *l, char *text)
{
    const char *copy = arena_string(l->memory, text);
    free(text);
    return copy;
}

static const char *command_of_head(struct lineage *l, const struct recording_identity *identity)
{
    char *arguments[sizeof identity->command];
    size_t count = 0;
    for (size_t at = 0; at < identity->command_bytes; at += strlen(identity->command + at) + 1)
        arguments[count++] = (char *)identity->command + at;
    return kept(l, text_command(arguments, count));
}

/* Serials are not indices, as some may be missing. */
static void add_forks(struct lineage *l, size_t entry, size_t first)
{
    const struct folder_entry *of = &l->folder->entries[entry];
    struct family *f = &l->family;
    struct intmap by_serial = {0}; /* less `first` */
    for (size_t i = 0; i < of->forks.count; i++) {
        const struct forked *forked = &of->forks.list[i];
        size_t forker = first + intmap_get(&by_serial, forked->parent);
        size_t child = add(l, entry, f->relatives[first].command);
        f->relatives[child].serial = forked->serial;
        f->kin[child] = (struct kin){.pid = forked->pid,
                                     .parent_pid = f->kin[forker].pid,
                                     .start_time = forked->start_time,
                                     .begin_ns = of->identity.epoch_ns, /* or later */
                                     .forker = forker};
        *intmap_place(&by_serial, forked->serial) = child - first;
    }
    intmap_clear(&by_serial);
}

static void add_head(struct lineage *l, size_t entry)
{
    const struct recording_identity *identity = &l->folder->entries[entry].identity;
    const char *command = command_of_head(l, identity);
    struct family *f = &l->family;
    size_t first = add(l, entry, command);
    f->kin[first] = (struct kin){.pid = identity->pid,
                                 .parent_pid = identity->parent_pid,
                                 .start_time = identity->start_time,
                                 .parent_start_time = identity->parent_start_time,
                                 .begin_ns = identity->epoch_ns,
                                 .forker = KIN_NONE};
    add_forks(l, entry, first);
}

static int runs_on(const struct image *image, const struct process *p)
{
    return image->running && p->ending.kind == END_UNKNOWN;
}

/* What to add to the image's time to get time since the tree's begin. */
static uint64_t shift_of(const struct lineage *l, const struct image *image)
{
    return since_begin(l, image->epoch_ns);
}

static void shift_peaks(struct totals *totals, uint64_t shift_ns)
{
    totals->peak_ns += shift_ns;
    totals->mapped_peak_ns += shift_ns;
    totals->memory_peak_ns += shift_ns;
}

static void take_figures(struct lineage *l, size_t i, const struct image *image,
                         const struct process *p)
{
    struct relative *r = &l->family.relatives[i];
    r->serial = p->serial;
    r->has_figures = 1;
    r->runs_on = runs_on(image, p);
    r->cut = image->cut;
    r->end_ns = image->epoch_ns + p->end_ns;
    r->ending = p->ending;
    r->ending.exec = arena_string(l->memory, p->ending.exec ? p->ending.exec : "");
    r->totals = p->totals;
    shift_peaks(&r->totals, shift_of(l, image));
    r->series_unknown = p->series_unknown;
    r->quality = p->quality;
    if (p->quality.lost)
        r->quality.loss.since_ns += shift_of(l, image);
}

/* A child that was never born is passed over: what a damaged file says that it forked goes to its
 * own parent, or to the image's first process where there is no such parent. */
static void add_image(struct lineage *l, size_t entry, const struct image *image)
{
    const char *command = kept(l, text_command(image->argv, image->argc));
    struct family *f = &l->family;
    size_t *kin_of = xcalloc(image->process_count + 1, sizeof *kin_of); /* by serial */
    for (size_t i = 0; i < image->process_count; i++) {
        const struct process *p = &image->processes[i];
        size_t forker = i == 0 ? KIN_NONE : kin_of[p->parent < i ? p->parent : 0];
        kin_of[i] = forker;
        if (!process_was_born(p))
            continue;
        size_t self = kin_of[i] = add(l, entry, command);
        f->kin[self] = (struct kin){.pid = p->pid,
                                    .parent_pid = p->parent_pid,
                                    .start_time = p->start_time,
                                    .begin_ns = image->epoch_ns + p->begin_ns,
                                    .forker = forker};
        if (i == 0)
            f->kin[self].parent_start_time = image->parent_start_time;
        take_figures(l, self, image, p);
    }
    free(kin_of);
}

/* Opens a recording of the tree; NULL after a sentence. */
static struct recording *open_entry(const struct lineage *l, size_t entry)
{
    const char *name = l->folder->entries[entry].name;
    struct recording *recording = NULL;
    int error = recording_open(&recording, name);
    if (error == RECORDING_OK && recording_image(recording)->process_count > 0)
        return recording;
    complain("%s: %s; its processes are left out", name,
             error ? recording_strerror(error) : "names no process");
    recording_close(recording);
    return NULL;
}

static void add_entry(struct lineage *l, size_t entry, enum lineage_depth depth)
{
    struct recording *recording = NULL;
    if (depth == LINEAGE_HEADS) {
        add_head(l, entry);
        return;
    }
    recording = open_entry(l, entry);
    if (recording)
        add_image(l, entry, recording_image(recording));
    else
        l->family.unread++;
    recording_close(recording);
}

/* ---- the tree ---- */

/* Orphans become the root's: nobody else is known who could have started them. */
static void adopt_orphans(struct family *f, size_t root)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->kin[i].starter == KIN_NONE && i != root)
            f->kin[i].starter = root;
}

static void set_order(struct lineage *l)
{
    struct family *f = &l->family;
    free(f->order);
    f->order = kinship_order(f->kin, f->count, f->self, &f->order_count);
    free(f->in_tree);
    f->in_tree = xcalloc(f->count + 1, 1);
    for (size_t i = 0; i < f->order_count; i++)
        f->in_tree[f->order[i]] = 1;
    free(f->is_left);
    f->is_left = xcalloc(f->count + 1, 1);
    for (size_t i = 0; i < f->count; i++)
        if (f->kin[i].kind == KIN_BECAME)
            f->is_left[f->kin[i].starter] = 1;
}

/* A recording that is not in the folder, or no longer, is alone. */
static void read_alone(struct lineage *l, const char *name, const struct image *image)
{
    struct folder *own = &l->own;
    own->entries = xrealloc(own->entries, (own->count + 1) * sizeof *own->entries);
    own->entries[own->count] =
        (struct folder_entry){.name = xstrdup(name), .root = own->count, .index = -1};
    add_image(l, own->count++, image);
}

static void finish(struct lineage *l, int is_root)
{
    struct family *f = &l->family;
    kinship_find(f->kin, f->count);
    if (f->count)
        adopt_orphans(f, is_root ? f->self : 0);
    set_order(l);
}

void lineage_read(struct lineage *l, const char *name, const struct image *image,
                  enum lineage_depth depth)
{
    *l = (struct lineage){
        .memory = arena_new(), .epoch_ns = image->epoch_ns, .beside = image->beside};
    char *path = folder_of_file(name);
    folder_read(&l->own, path); /* a folder that cannot be read has no others to name */
    free(path);
    l->folder = &l->own;
    const struct folder_entry *self = folder_named(l->folder, name);
    size_t root = self ? self->root : 0;
    l->asked = self ? (size_t)(self - l->folder->entries) : l->folder->count;
    if (!self)
        read_alone(l, name, image);
    for (size_t i = 0; self && i < l->folder->count; i++) {
        if (i == l->asked) {
            l->family.self = l->family.count;
            add_image(l, i, image);
        } else if (l->folder->entries[i].root == root) {
            add_entry(l, i, depth);
        }
    }
    finish(l, !self || root == l->asked);
    if (depth == LINEAGE_FIGURES)
        lineage_gaps_find(l);
}

void lineage_of_root(struct lineage *l, const struct folder *folder, size_t root)
{
    *l = (struct lineage){.memory = arena_new(),
                          .folder = folder,
                          .asked = root,
                          .epoch_ns = folder->entries[root].identity.epoch_ns};
    for (size_t i = root; i < folder->count; i++)
        if (folder->entries[i].root == root)
            add_head(l, i);
    finish(l, 1);
}

void lineage_free(struct lineage *l)
{
    free(l->family.kin);
    free(l->family.relatives);
    free(l->family.order);
    free(l->family.in_tree);
    free(l->family.is_left);
    free(l->recording_of);
    arena_free(l->memory);
    folder_free(&l->own);
    *l = (struct lineage){0};
}

/* ---- one of them ---- */

static void complain_of_pid(const struct lineage *l, const char *name, long pid)
{
    const struct family *f = &l->family;
    char pids[PIDS_NAMED * 12 + 64] = "";
    size_t named = 0, others = 0, used = 0;
    for (size_t i = 0; i < f->order_count; i++) {
        size_t self = f->order[i];
        if (f->is_left[self] || f->kin[self].pid == 0)
            continue;
        if (named == PIDS_NAMED) {
            others++;
            continue;
        }
        used += (size_t)snprintf(pids + used, sizeof pids - used, "%s%d", named++ ? ", " : "",
                                 f->kin[self].pid);
    }
    if (others)
        snprintf(pids + used, sizeof pids - used, " and %zu more", others);
    complain("%s: process %ld is not in this recording or its tree; there %s %s", name, pid,
             named + others == 1 ? "is only" : "are", pids);
}

void lineage_turn_to(struct lineage *l, size_t relative)
{
    l->family.self = relative;
    set_order(l);
}

static size_t last_life(const struct family *f, long pid)
{
    size_t found = KIN_NONE;
    for (size_t i = 0; i < f->order_count; i++) {
        size_t self = f->order[i];
        if (f->kin[self].pid == pid && pid != 0 &&
            (found == KIN_NONE || f->kin[self].begin_ns >= f->kin[found].begin_ns))
            found = self;
    }
    return found;
}

int lineage_choose(struct lineage *l, const char *name, long pid)
{
    size_t found = last_life(&l->family, pid);
    if (found == KIN_NONE) {
        complain_of_pid(l, name, pid);
        return -1;
    }
    lineage_turn_to(l, found);
    return 0;
}

/* ---- all of them ---- */

/* Visits those of the relatives [begin, end), which are of one recording, that are wanted. Returns
 * how many were taken. */
static size_t visit_recording(const struct lineage *l, size_t begin, size_t end,
                              const unsigned char *wanted, lineage_taker *take, void *context)
{
    struct recording *recording = open_entry(l, l->recording_of[begin]);
    size_t taken = 0, last = begin;
    for (size_t i = begin; i < end; i++)
        last = wanted[i] ? i : last;
    for (size_t i = begin; recording && i <= last; i++) {
        const struct image *image = recording_image(recording);
        const struct process *p = image_process(image, l->family.relatives[i].serial);
        if (!wanted[i] || !p)
            continue;
        struct lineage_visit visit = {recording,          image,    p, &l->family.relatives[i],
                                      shift_of(l, image), i == last};
        take(context, &visit);
        taken++;
    }
    recording_close(recording);
    return taken;
}

static size_t visit_wanted(const struct lineage *l, const unsigned char *wanted,
                           lineage_taker *take, void *context)
{
    const struct family *f = &l->family;
    size_t taken = 0;
    for (size_t begin = 0, end; begin < f->count; begin = end) {
        int any = 0;
        for (end = begin; end < f->count && l->recording_of[end] == l->recording_of[begin]; end++)
            any |= wanted[end];
        if (any)
            taken += visit_recording(l, begin, end, wanted, take, context);
    }
    return taken;
}

size_t lineage_visit(const struct lineage *l, lineage_taker *take, void *context)
{
    return visit_wanted(l, l->family.in_tree, take, context);
}

size_t lineage_visit_one(const struct lineage *l, size_t relative, lineage_taker *take,
                         void *context)
{
    unsigned char *wanted = xcalloc(l->family.count + 1, 1);
    wanted[relative] = 1;
    size_t taken = visit_wanted(l, wanted, take, context);
    free(wanted);
    return taken;
}

static void take_visit(void *context, const struct lineage_visit *visit)
{
    struct lineage *l = context;
    take_figures(l, (size_t)(visit->relative - l->family.relatives), visit->image, visit->process);
}

void lineage_read_lives(struct lineage *l, size_t relative)
{
    const struct family *f = &l->family;
    for (size_t i = relative; i != KIN_NONE; i = lives_before(f, i))
        if (!f->relatives[i].has_figures)
            lineage_visit_one(l, i, take_visit, l);
}

static void merge_one(void *context, const struct lineage_visit *visit)
{
    merged_add(context, visit->image, visit->process, visit->shift_ns,
               runs_on(visit->image, visit->process));
    if (visit->last)
        merged_forget(context);
}

/* A tree ends as its first process does, in whatever image that ends. */
static void set_ending(const struct family *f, struct image *image)
{
    size_t last = leader_last_image(f);
    if (!f->relatives[last].has_figures)
        return;
    struct ending *ending = &image->processes[0].ending;
    *ending = f->relatives[last].ending;
    ending->exec = arena_string(image->memory, ending->exec);
}

struct image *lineage_merge(const struct lineage *l)
{
    struct merged *m = merged_new();
    size_t taken = lineage_visit(l, merge_one, m);
    struct image *image = merged_finish(m);
    if (taken > 0) {
        struct unmeasured u = unmeasured_of(&l->family);
        image->processes[0].unsampled = u.unsampled;
        image->processes[0].unmeasured = u.unknown;
        image->processes[0].unended = u.unended;
        set_ending(&l->family, image);
        return image;
    }
    image_free(image);
    return NULL;
}
