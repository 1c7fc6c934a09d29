/*
 * fuzz.h - what the fuzz targets share: bytes as a file, output caught in memory, and records.
 *
 * A target is a program with LLVMFuzzerTestOneInput (libFuzzer). It reports by dying: of the
 * sanitizers, of libFuzzer's limits for time and memory, or by fuzz_fail.
 *
 * Records. A spool is sparse and a capture is full of checksums; bytes changed at random would
 * hardly get behind either. So these targets' inputs are lists of records, from which the file is
 * made:
 *
 *   u16 a, u16 b, u16 bytes, then that many bytes (or what is left)
 *
 * Every sequence of bytes is a list of records. records_mutate changes one of them, or its place.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#define FUZZ_UNUSED __attribute__((unused))

#define fuzz_fail(...)                                                                             \
    do {                                                                                           \
        dprintf(2, "fuzz target: " __VA_ARGS__);                                                   \
        dprintf(2, "\n");                                                                          \
        abort();                                                                                   \
    } while (0)

/* ---- files ---- */

FUZZ_UNUSED static void fuzz_write(int fd, uint64_t offset, const void *data, size_t size)
{
    if (pwrite(fd, data, size, (off_t)offset) != (ssize_t)size)
        fuzz_fail("no room for the input");
}

/* A file in memory; the caller closes it. */
FUZZ_UNUSED static int fuzz_file(const void *data, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        fuzz_fail("no file in memory");
    fuzz_write(fd, 0, data, size);
    return fd;
}

/* ---- output ---- */

struct fuzz_output {
    FILE *stream;
    char *text;
    size_t bytes;
};

/* From here to fuzz_release what is printed to *place (stdout, stderr) goes to memory. */
FUZZ_UNUSED static void fuzz_catch(struct fuzz_output *output, FILE **place)
{
    FILE *before = *place;
    *output = (struct fuzz_output){0};
    *place = open_memstream(&output->text, &output->bytes);
    if (!*place)
        fuzz_fail("no stream in memory");
    output->stream = before;
}

/* output->text is to be freed. */
FUZZ_UNUSED static void fuzz_release(struct fuzz_output *output, FILE **place)
{
    fclose(*place);
    *place = output->stream;
}

/* ---- records ---- */

#define RECORD_HEAD 6
#define RECORDS_MAX 512

struct record {
    uint16_t a, b;
    uint16_t size;
    const uint8_t *data;
};

/* Splits the input; returns how many there are. */
FUZZ_UNUSED static size_t records_split(const uint8_t *data, size_t size, struct record *records)
{
    size_t count = 0;
    while (size >= RECORD_HEAD && count < RECORDS_MAX) {
        struct record *r = &records[count++];
        memcpy(&r->a, data, 2);
        memcpy(&r->b, data + 2, 2);
        memcpy(&r->size, data + 4, 2);
        data += RECORD_HEAD;
        size -= RECORD_HEAD;
        if (r->size > size)
            r->size = (uint16_t)size;
        r->data = data;
        data += r->size;
        size -= r->size;
    }
    return count;
}

FUZZ_UNUSED static size_t record_put(uint8_t *to, size_t room, const struct record *r)
{
    if (room < RECORD_HEAD + (size_t)r->size)
        return 0;
    memcpy(to, &r->a, 2);
    memcpy(to + 2, &r->b, 2);
    memcpy(to + 4, &r->size, 2);
    if (r->size)
        memcpy(to + RECORD_HEAD, r->data, r->size);
    return RECORD_HEAD + r->size;
}

FUZZ_UNUSED static uint32_t fuzz_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* One record is changed (mostly), left out, repeated, moved or given other labels. The result goes
 * to data. */
FUZZ_UNUSED static size_t records_mutate(uint8_t *data, size_t size, size_t max_size, uint32_t seed)
{
    static struct record records[RECORDS_MAX];
    static uint8_t changed[1 << 16];
    size_t count = records_split(data, size, records);
    if (count == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    size_t at = fuzz_random(&seed) % count, other = fuzz_random(&seed) % count;
    uint32_t what = fuzz_random(&seed) % 32;
    struct record *r = &records[at];
    int leave_out = 0, twice = 0;
    if (what == 0 && count > 1) {
        leave_out = 1;
    } else if (what == 1) {
        twice = 1;
    } else if (what == 2) {
        struct record kept = *r;
        *r = records[other];
        records[other] = kept;
    } else if (what == 3) {
        r->a = (uint16_t)LLVMFuzzerMutate((uint8_t *)&r->a, 2, 2) ? r->a : 0;
    } else if (what == 4) {
        r->b = (uint16_t)LLVMFuzzerMutate((uint8_t *)&r->b, 2, 2) ? r->b : 0;
    } else {
        if (r->size)
            memcpy(changed, r->data, r->size);
        size_t room = max_size > size ? max_size - size : 0;
        room = r->size + room < UINT16_MAX ? r->size + room : UINT16_MAX;
        r->size = room ? (uint16_t)LLVMFuzzerMutate(changed, r->size, room) : 0;
        r->data = changed;
    }
    uint8_t *result = malloc(max_size + 1);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < (i != at ? 1 : leave_out ? 0 : twice ? 2 : 1); k++)
            used += record_put(result + used, max_size - used, &records[i]);
    memcpy(data, result, used);
    free(result);
    return used;
}

#endif
