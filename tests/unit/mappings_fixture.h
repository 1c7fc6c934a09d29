/*
 * mappings_fixture.h - a spool of mappings, page by page from PLACE on, and what must come of it.
 */
#ifndef MPROF_MAPPINGS_FIXTURE_H
#define MPROF_MAPPINGS_FIXTURE_H

#include "collect_fixture.h"

#include <errno.h>
#include <sys/mman.h>

enum { MAIN = 1, WORK = 2, OTHER = 3 };

#define PAGE  4096ull
#define PLACE 0x100000ull
#define BOTH  (PROT_READ | PROT_WRITE)

static struct spool_builder b;
static struct builder_stream *s;

BUILDER_UNUSED static int begin(void **state)
{
    (void)state;
    builder_init(&b);
    s = builder_stream(&b, 0, 0);
    return 0;
}

/* A RANGE_MAP of pages [from, to) by MAIN and `function`. */
BUILDER_UNUSED static void range(struct builder_stream *stream, uint64_t time, uint64_t from,
                                 uint64_t to, uint64_t what, uint32_t function)
{
    struct spool_event e = {.kind = SPOOL_RANGE_MAP,
                            .has_stack = 1,
                            .address = PLACE + from * PAGE,
                            .size = (to - from) * PAGE,
                            .extra = what,
                            .base = stream->depth,
                            .push = 2};
    builder_event(stream, time, e, (uint32_t[]){MAIN, function});
}

BUILDER_UNUSED static void map(uint64_t time, uint64_t from, uint64_t to, int protection, int flags,
                               uint32_t function)
{
    range(s, time, from, to, spool_range_of(SPOOL_RANGE_MMAP, protection, flags), function);
}

BUILDER_UNUSED static void protect(uint64_t time, uint64_t from, uint64_t to, int protection,
                                   uint32_t function)
{
    range(s, time, from, to, spool_range_of(SPOOL_RANGE_PROTECT, protection, 0), function);
}

BUILDER_UNUSED static void drop(uint64_t time, uint64_t from, uint64_t to, enum spool_kind end)
{
    builder_plain(s, time, SPOOL_RANGE_BEGIN, PLACE + from * PAGE, (to - from) * PAGE);
    if (end != SPOOL_NOTHING)
        builder_plain(s, time + 1, end, 0, 0);
}

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

struct pages {
    uint64_t memory, reserved, files;
};

BUILDER_UNUSED static void expect_end(const struct collector *c, size_t serial, struct pages p)
{
    const struct totals *t = &process_of(c, serial)->totals;
    assert_int_equal(t->mapped_at_end_bytes, p.memory * PAGE);
    assert_int_equal(t->reserved_at_end_bytes, p.reserved * PAGE);
    assert_int_equal(t->file_at_end_bytes, p.files * PAGE);
}

BUILDER_UNUSED static void expect_peaks(const struct collector *c, struct pages p)
{
    const struct totals *t = &process_of(c, 0)->totals;
    assert_int_equal(t->mapped_peak_bytes, p.memory * PAGE);
    assert_int_equal(t->reserved_peak_bytes, p.reserved * PAGE);
    assert_int_equal(t->file_peak_bytes, p.files * PAGE);
}

BUILDER_UNUSED static uint64_t live_of(const struct collector *c, uint32_t function)
{
    const struct function_usage *u = usage_of(c, 0, function);
    return u ? u->mapped.self.live_at_end_bytes / PAGE : 0;
}

#endif
