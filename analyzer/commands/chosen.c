/* chosen.c - see chosen.h. */
#include "chosen.h"
#include "choice.h"
#include "command.h"
#include <stdlib.h>

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

/* Heads name all processes except some forked ones of large recordings; only for those are the
 * other recordings opened. */
static int find_process(struct chosen *c, long pid)
{
    const struct image *image = recording_image(c->recording);
    if (lineage_find(&c->lineage, pid) == 0)
        return 0;
    if (c->lineage.family.more) {
        lineage_free(&c->lineage);
        lineage_read(&c->lineage, c->name, image, LINEAGE_FIGURES);
    }
    return lineage_choose(&c->lineage, c->name, pid);
}

static int choose_process(struct chosen *c, long pid)
{
    const struct family *family = &c->lineage.family;
    if (find_process(c, pid) != 0)
        return COMMAND_FAILED;
    const struct relative *r = &family->relatives[family->self];
    if (c->lineage.recording_of[family->self] != c->lineage.asked) {
        c->other = choice_open(r->recording);
        if (!c->other)
            return COMMAND_FAILED;
    }
    struct recording *shown = c->other ? c->other : c->recording;
    if (show_process(c, recording_image(shown), r, pid) != COMMAND_OK)
        return COMMAND_FAILED;
    choice_tell(shown, r->recording);
    return COMMAND_OK;
}

static int choose_tree(struct chosen *c)
{
    lineage_free(&c->lineage);
    lineage_read(&c->lineage, c->name, recording_image(c->recording), LINEAGE_FIGURES);
    c->image = c->sum = lineage_merge(&c->lineage);
    if (!c->sum)
        return COMMAND_FAILED;
    lineage_tell(&c->lineage, c->name);
    return COMMAND_OK;
}

static int choose_part(struct chosen *c, const struct choosing *choosing)
{
    if (choosing->tree)
        return choose_tree(c);
    if (choosing->pid >= 0)
        return choose_process(c, choosing->pid);
    c->image = c->source = recording_image(c->recording);
    choice_tell(c->recording, c->name);
    return COMMAND_OK;
}

int chosen_open(struct chosen *c, const char *command, const char *operand,
                const struct choosing *choosing, int with_family)
{
    *c = (struct chosen){0};
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
    if (with_family || choosing->pid >= 0)
        lineage_read(&c->lineage, c->name, recording_image(c->recording), LINEAGE_HEADS);
    int status = choose_part(c, choosing);
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
