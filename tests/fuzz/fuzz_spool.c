/*
 * Any file as a spool: collected, as after the program's end and as a snapshot, and the capture
 * that comes of it read. The capture must be whole, and must say what the collector said.
 *
 * Input: records (fuzz.h). a: page, b: place in it. The file ends with the last byte of them, or
 * where a record without bytes lies.
 */
#include "fuzz.h"

#include "collect.h"
#include "fuzz_files.h"
#include "reader.h"

#define EVENTS_MAX 2000000

static void compare(const struct image *a, const struct image *b)
{
    if (a->process_count != b->process_count || a->stack_count != b->stack_count ||
        a->function_count != b->function_count || a->cut != b->cut)
        fuzz_fail("the capture is not what was collected");
    for (size_t i = 0; i < a->process_count; i++) {
        const struct process *p = &a->processes[i], *q = &b->processes[i];
        if (memcmp(&p->totals, &q->totals, sizeof p->totals) != 0 ||
            p->leak_count != q->leak_count || p->function_count != q->function_count ||
            p->heap_count != q->heap_count)
            fuzz_fail("process %zu is not what was collected", i);
    }
}

/* All events, which the reader's figures must go along with. */
static void read_events(struct reader *r)
{
    struct event e;
    int rc = 0, left = EVENTS_MAX;

    for (size_t i = 0; i < reader_image(r)->process_count; i++) {
        if (reader_seek(r, (uint32_t)i, 0) != RECORDING_OK)
            fuzz_fail("the capture's classes cannot be read");
        while ((rc = reader_next(r, &e)) > 0 && left-- > 0)
            ;
        if (rc < 0)
            fuzz_fail("an event of the capture cannot be read: %d", rc);
    }
}

static void collect(int spool, int running)
{
    struct collector *c;
    struct reader *r;
    int capture = fuzz_file("", 0);

    int rc = collector_open(&c, spool, capture, NULL);
    if (rc == COLLECT_OK) {
        if (running)
            collector_step(c);
        if (collector_finish(c, running) != COLLECT_OK)
            fuzz_fail("the capture was not written");
        if (reader_open(&r, dup(capture)) != RECORDING_OK || !reader_is_whole(r))
            fuzz_fail("the capture cannot be opened");
        compare(collector_image(c), reader_image(r));
        read_events(r);
        reader_close(r);
        collector_free(c);
    }
    close(capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = spool_of_records(data, size);
    collect(fd, size % 8 == 0); /* rarely: a snapshot sleeps a little */
    close(fd);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return spool_mutate(data, size, max_size, seed);
}
