/* chosen.c - see chosen.h. */
#include "chosen.h"
#include "choice.h"
#include "command.h"
#include "family_view.h"
#include "leader.h"
#include "text.h"
#include "xalloc.h"
#include <stdlib.h>

#define COMMAND_WIDTH 40 /* in a sentence */

/* ---- one process ---- */

/* Shows one process of an image; everything else is shared. Only a damaged recording lacks a
 * process that its head names. */
static int show_process(struct chosen *c, const struct image *image, const struct relative *r,
                        long pid)
{
    const struct process *process = image_process(image, r->serial);
    if (!process) {
        complain("%s: process %ld cannot be shown: the recording is damaged there; choose another "
                 "process",
                 r->recording, pid);
        return COMMAND_FAILED;
    }
    c->source = image;
    c->view = *image;
    c->view.processes = (struct process *)process; /* nobody writes there */
    c->view.process_count = 1;
    c->view.pid = process->pid;
    c->view.running = image->running && process->ending.kind == END_UNKNOWN;
    c->image = &c->view;
    return COMMAND_OK;
}

static void tell(const struct chosen *c, const char *name)
{
    if (!(c->how & CHOSEN_UNTOLD))
        choice_tell(c->holder, name);
}

/* Shows a relative, from whatever recording holds it. */
static int show_relative(struct chosen *c, size_t relative)
{
    const struct family *family = &c->lineage.family;
    const struct relative *r = &family->relatives[relative];
    c->shown = relative;
    lineage_read_lives(&c->lineage, relative);
    if (c->lineage.recording_of[relative] != c->lineage.asked) {
        c->other = choice_open(r->recording);
        if (!c->other)
            return COMMAND_FAILED;
    }
    c->holder = c->other ? c->other : c->recording;
    if (show_process(c, recording_image(c->holder), r, family->kin[relative].pid) != COMMAND_OK)
        return COMMAND_FAILED;
    tell(c, r->recording);
    return COMMAND_OK;
}

static void read_family(struct chosen *c, enum lineage_depth depth)
{
    lineage_free(&c->lineage);
    lineage_read(&c->lineage, c->name, recording_image(c->recording), depth);
    c->shown = c->lineage.family.self;
}

static int choose_process(struct chosen *c, long pid)
{
    read_family(c, LINEAGE_HEADS);
    if (lineage_choose(&c->lineage, c->name, pid) != 0)
        return COMMAND_FAILED;
    return show_relative(c, c->lineage.family.self);
}

/* ---- all of them ---- */

static int choose_tree(struct chosen *c)
{
    read_family(c, LINEAGE_FIGURES);
    c->image = c->sum = lineage_merge(&c->lineage);
    if (!c->sum)
        return COMMAND_FAILED;
    lineage_tell(&c->lineage, c->name);
    return COMMAND_OK;
}

/* ---- neither was asked for ---- */

/* The biggest of a family whose first process only starts others, and the sum of all; 0: it does
 * more than that, or is alone. Reads the figures of a family only. */
static int find_leader(struct chosen *c, int by_index, size_t *biggest)
{
    if (family_size(&c->lineage.family) < 2)
        return 0;
    read_family(c, LINEAGE_FIGURES);
    if (!leader_only_starts_by(&c->lineage.family, c->wanted,
                               by_index ? LEADER_PROCESS : LEADER_IMAGE, biggest))
        return 0;
    c->together = c->sum = lineage_merge(&c->lineage);
    return c->sum != NULL;
}

/* An index means the program that was started: what that became last. */
static int choose_last_image(struct chosen *c)
{
    size_t last = leader_last_image(&c->lineage.family);
    if (last == c->lineage.family.self)
        return 0;
    lineage_turn_to(&c->lineage, last);
    free(c->name);
    c->name = xstrdup(c->lineage.family.relatives[last].recording);
    return 1;
}

/* A file shows the image that it holds; where that is a shim, who wants the program finds it so. */
static void tell_last_image(const struct chosen *c)
{
    const struct image *image = c->image;
    struct lineage lineage;
    if (!(c->how & CHOSEN_HINTS) || image->processes[0].ending.kind != END_EXEC)
        return;
    lineage_read(&lineage, c->name, image, LINEAGE_HEADS);
    const struct family *f = &lineage.family;
    const struct relative *last = &f->relatives[leader_last_image(f)];
    char *command = text_fit_command(last->command, COMMAND_WIDTH);
    if (last != &f->relatives[f->self])
        complain("%s: the program became %s, which is in %s", c->name, command, last->recording);
    free(command);
    lineage_free(&lineage);
}

static int choose_first(struct chosen *c, int by_index)
{
    const struct image *image = recording_image(c->recording);
    size_t biggest;
    int may_lead = c->how & CHOSEN_LEADER && leader_has_family(image);
    if (c->how & CHOSEN_FAMILY || may_lead || by_index || image->beside > 0)
        read_family(c, LINEAGE_HEADS);
    if (may_lead && find_leader(c, by_index, &biggest)) {
        c->how |= CHOSEN_UNTOLD; /* lineage_tell speaks for all of them */
        int status = show_relative(c, biggest);
        if (status == COMMAND_OK)
            lineage_tell(&c->lineage, c->name);
        return status;
    }
    if (image->beside > 0 && !image->cut)
        lineage_tell_absent(&c->lineage, c->name);
    if (by_index && choose_last_image(c))
        return show_relative(c, c->lineage.family.self);
    if (c->lineage.family.count)
        lineage_read_lives(&c->lineage, c->shown);
    c->holder = c->recording;
    c->image = c->source = image;
    tell(c, c->name);
    tell_last_image(c);
    return COMMAND_OK;
}

static int choose_part(struct chosen *c, const struct choosing *choosing, int by_index)
{
    if (choosing->tree)
        return choose_tree(c);
    if (choosing->pid >= 0)
        return choose_process(c, choosing->pid);
    return choose_first(c, by_index);
}

int chosen_open(struct chosen *c, const char *command, const char *operand,
                const struct choosing *choosing, int how)
{
    *c = (struct chosen){.how = how, .wanted = series_wanted(&choosing->series)};
    if (series_check(command, &choosing->series) != COMMAND_OK)
        return COMMAND_USAGE;
    if (choosing->pid >= 0 && choosing->tree) {
        complain("%s: --pid is one process and --tree all of them; give one of both", command);
        return COMMAND_USAGE;
    }
    c->name = choice_name(operand);
    c->recording = c->name ? choice_open(c->name) : NULL;
    if (!c->recording)
        return COMMAND_FAILED;
    int status = choose_part(c, choosing, choice_is_index(operand));
    if (status == COMMAND_OK)
        status = series_choose(&choosing->series, c->name, &c->image->processes[0], &c->series);
    return status;
}

void chosen_close(struct chosen *c)
{
    image_free(c->sum);
    if (c->recording)
        lineage_free(&c->lineage);
    recording_close(c->other);
    recording_close(c->recording);
    free(c->name);
}
