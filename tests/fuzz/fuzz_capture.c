/*
 * Any file as a capture: opened whole or cut, all its events, its windows.
 *
 * Input: a byte. 0: the rest is the file; else records (fuzz_files.h) of which a capture is made.
 */
#include "fuzz.h"

#include "fuzz_files.h"
#include "reader.h"

#define EVENTS_MAX 1000000 /* a small file can hold no more */

static void read_events(struct recording *r, uint32_t process, uint64_t from)
{
    struct event e = {0};
    size_t count = 0, classes;

    const struct event_class *list = recording_classes(r, &classes);
    if (recording_seek(r, process, from) != RECORDING_OK)
        return;
    while (recording_next(r, &e) > 0) {
        if (!list || e.class >= classes)
            fuzz_fail("an event of class %u of %zu", e.class, classes);
        if (++count > EVENTS_MAX)
            fuzz_fail("more events than the file has bytes");
    }
}

static void read_windows(struct recording *r, const struct process *p)
{
    uint64_t end = p->end_ns, windows[][2] = {{0, end}, {end / 3, end / 2}, {end / 2, UINT64_MAX}};

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct timeline line = {0};
        recording_timeline(r, p->serial, (enum series)(i % SERIES_COUNT), windows[i][0],
                           windows[i][1], &line);
        if (line.count > TIMELINE_BUCKETS)
            fuzz_fail("%zu buckets where there is room for %d", line.count, TIMELINE_BUCKETS);
        timeline_clear(&line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recording *r;
    char path[64];
    if (size == 0)
        return 0;
    int fd = data[0] ? capture_of_records(data + 1, size - 1) : fuzz_file(data + 1, size - 1);

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (recording_open(&r, path) == RECORDING_OK) {
        const struct image *image = recording_image(r);
        for (size_t i = 0; i < image->process_count && i < 8; i++) {
            read_events(r, (uint32_t)i, 0);
            read_events(r, (uint32_t)i, image->processes[i].end_ns / 2);
            read_windows(r, &image->processes[i]);
        }
        recording_close(r);
    }
    close(fd);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    if (size < 2 || data[0] == 0 || seed % 64 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    return 1 + records_mutate(data + 1, size - 1, max_size - 1, seed);
}
