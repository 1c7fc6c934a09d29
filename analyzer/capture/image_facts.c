/* image_facts.c - what a spool's header says of its image. */
#include "collector.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static void fill_arguments(struct image *image, const struct spool_file *file)
{
    size_t bytes, count = 0;
    char *text = spool_file_string(file, file->header.command, &bytes);

    for (size_t at = 0; at < bytes; at += strlen(text + at) + 1)
        count++;
    image->argv = arena_take(image->memory, (count + 1) * sizeof *image->argv);
    for (size_t at = 0; at < bytes; at += strlen(text + at) + 1)
        image->argv[image->argc++] = arena_string(image->memory, text + at);
    free(text);
}

static const char *fact(struct image *image, const struct spool_file *file,
                        struct spool_string string)
{
    size_t bytes;
    char *text = spool_file_string(file, string, &bytes);
    const char *copy = arena_string(image->memory, text);

    free(text);
    return copy;
}

void image_facts_fill(struct image *image, const struct spool_file *file)
{
    const struct spool_header *h = &file->header;

    memcpy(image->id, h->id, sizeof image->id);
    memcpy(image->boot_id, h->boot_id, sizeof image->boot_id);
    image->tree = h->tree;
    image->pid = h->pid;
    image->parent_pid = h->parent_pid;
    image->start_time = h->start_time;
    image->parent_start_time = h->parent_start_time;
    image->epoch_ns = h->epoch_ns;
    image->start_kind = h->start_kind;
    image->kinds_untold = h->version < SPOOL_KINDS;
    fill_arguments(image, file);
    image->executable = fact(image, file, h->executable);
    image->folder = fact(image, file, h->folder);
    image->host = fact(image, file, h->host);
}
