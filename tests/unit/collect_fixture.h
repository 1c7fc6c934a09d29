/* collect_fixture.h - collects a spool made by spool_builder.h and looks up figures in the image.
 */
#ifndef MPROF_COLLECT_FIXTURE_H
#define MPROF_COLLECT_FIXTURE_H

#include "collect.h"
#include "spool_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define FRAMES(...)                                                                                \
    (sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)), (uint32_t[])                           \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* Collects and releases the builder; the caller frees the collector. */
BUILDER_UNUSED static struct collector *collect(struct spool_builder *b)
{
    struct collector *c;
    int fd = builder_file(b);
    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    close(fd);
    builder_free(b);
    return c;
}

BUILDER_UNUSED static const struct process *process_of(const struct collector *c, size_t serial)
{
    const struct image *image = collector_image(c);
    assert_true(serial < image->process_count);
    return &image->processes[serial];
}

/* The usage of the function that pc id `pc` stands for; NULL if it has none. */
BUILDER_UNUSED static const struct function_usage *usage_of(const struct collector *c,
                                                            size_t serial, uint32_t pc)
{
    const struct process *p = process_of(c, serial);
    char name[32];
    snprintf(name, sizeof name, "0x%x", 0x1000 * pc);
    for (size_t i = 0; i < p->function_count; i++)
        if (strcmp(collector_image(c)->functions[p->functions[i].function].name, name) == 0)
            return &p->functions[i];
    return NULL;
}

/* What must hold of any image, however damaged its spool. */
BUILDER_UNUSED static void check_sums(const struct image *image)
{
    for (size_t i = 0; i < image->process_count; i++) {
        const struct process *p = &image->processes[i];
        struct usage sum = {0};
        uint64_t mapped_at_peak = 0, memory_at_peak = 0, mapped_then = 0;
        for (size_t k = 0; k < p->function_count; k++) {
            const struct usage *self = &p->functions[k].heap.self;
            assert_true(p->functions[k].function < image->function_count);
            sum.allocations += self->allocations;
            sum.allocated_bytes += self->allocated_bytes;
            sum.at_peak_bytes += self->at_peak_bytes;
            sum.live_at_end_bytes += self->live_at_end_bytes;
            sum.live_at_end_blocks += self->live_at_end_blocks;
            sum.temporary += self->temporary;
            mapped_at_peak += p->functions[k].mapped.self.at_peak_bytes;
            memory_at_peak += p->functions[k].memory.self.at_peak_bytes;
            mapped_then += p->functions[k].mapped_then.self_bytes;
        }
        const struct loss *lost = &p->quality.loss; /* counted, but of no function */
        assert_int_equal(sum.allocations + lost->allocations, p->totals.allocations);
        assert_int_equal(sum.allocated_bytes + lost->bytes, p->totals.allocated_bytes);
        assert_int_equal(sum.at_peak_bytes, p->totals.peak_bytes);
        assert_int_equal(sum.live_at_end_bytes, p->totals.live_at_end_bytes);
        assert_int_equal(sum.live_at_end_blocks, p->totals.live_at_end_blocks);
        assert_int_equal(sum.temporary, p->totals.temporary);
        assert_int_equal(mapped_at_peak, p->series_unknown ? 0 : p->totals.mapped_peak_bytes);
        assert_int_equal(memory_at_peak, p->totals.memory_peak_bytes);
        assert_int_equal(mapped_then, p->totals.mapped_then_bytes);
        uint64_t leaked = 0;
        for (size_t k = 0; k < p->leak_count; k++)
            leaked += p->leaks[k].bytes;
        assert_int_equal(leaked, p->totals.live_at_end_bytes);
        leaked = 0;
        for (size_t k = 0; k < p->mapped_leak_count; k++)
            leaked += p->mapped_leaks[k].bytes;
        assert_int_equal(leaked, p->series_unknown ? 0 : p->totals.mapped_at_end_bytes);
    }
}

#endif
