/* part_samples.c - reads the SAMPLES blocks of NAME.part. */
#include "part_samples.h"
#include "block.h"
#include "capture_ends.h"
#include "payloads.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

struct part {
    struct block_input input;
    struct bytes stored, payload;
    struct collector *collector;
};

static void give_block(struct part *p, const struct capture_block *head)
{
    size_t count = 0;

    if (!block_unpack(&p->input, head, &p->stored, &p->payload))
        return;
    struct codec c = {.in = {p->payload.data, p->payload.data + p->payload.size, 0}};
    code_count(&c, &count, 2);
    struct sample *samples = xcalloc(count + 1, sizeof *samples);
    code_samples(&c, samples, count);
    if (!c.in.bad)
        collector_earlier_samples(p->collector, head->process, samples, count);
    free(samples);
}

static void give_all(struct part *p)
{
    uint64_t offset = sizeof(struct capture_header);
    struct capture_block head;

    while (block_fetch(&p->input, offset, &head, &p->stored) > 0) {
        if (head.type == BLOCK_SAMPLES)
            give_block(p, &head);
        offset += sizeof head + head.stored_bytes;
    }
}

static int is_of(const struct collector *c, const struct capture_header *h)
{
    return memcmp(collector_image(c)->id, h->id, sizeof h->id) == 0;
}

void part_samples_give(int fd, struct collector *c)
{
    struct capture_header header;
    uint64_t file_bytes;
    struct part p = {.collector = c};

    if (fd < 0)
        return;
    if (capture_read_header(fd, &header, &file_bytes) == RECORDING_OK && is_of(c, &header)) {
        block_input_open(&p.input, fd, file_bytes);
        give_all(&p);
        block_input_close(&p.input);
        bytes_free(&p.stored);
        bytes_free(&p.payload);
    }
}
