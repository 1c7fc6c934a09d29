/*
 * capture_read.h - reading what capture_fixture.h has written: copies of the file, and its events
 * against those that were written. Include cmocka.h first.
 */
#ifndef CAPTURE_READ_H
#define CAPTURE_READ_H

#include <sys/stat.h>

#include "capture_fixture.h"
#include "reader.h"

static inline off_t file_bytes(int fd)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    return status.st_size;
}

/* A copy of the first `size` bytes. */
static inline int copy_of(int fd, off_t size)
{
    static uint8_t data[4 << 20];
    int copy = memfd_create("copy", 0);
    assert_true(copy >= 0 && size <= (off_t)sizeof data);
    assert_int_equal(pread(fd, data, (size_t)size, 0), size);
    assert_int_equal(write(copy, data, (size_t)size), size);
    return copy;
}

/* The events of one process from event number `from` of it on; returns how many came. */
static inline size_t expect_events(struct reader *r, const struct fixture *f, uint32_t process,
                                   size_t skipped)
{
    struct event e;
    size_t count = 0;
    for (size_t i = 0; i < f->event_count; i++) {
        const struct event *told = &f->events[i].event;
        if (f->events[i].process != process)
            continue;
        if (skipped > 0) {
            skipped--;
            continue;
        }
        if (reader_next(r, &e) != 1)
            return count;
        assert_int_equal(told->kind, e.kind);
        assert_int_equal(told->thread, e.thread);
        assert_int_equal(told->class, e.class);
        assert_true(told->bytes == e.bytes);
        assert_true(told->ns / CAPTURE_TICK_NS * CAPTURE_TICK_NS == e.ns);
        count++;
    }
    assert_int_equal(reader_next(r, &e), 0);
    return count;
}

static inline size_t count_events(struct reader *r, uint32_t process)
{
    struct event e;
    size_t count = 0;
    assert_int_equal(reader_seek(r, process, 0), RECORDING_OK);
    while (reader_next(r, &e) == 1)
        count++;
    return count;
}

#endif
