/* test_lineage.c - whose children an image's processes become among those of other recordings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lineage.h"
#include "scratch.h"
#include "spool_builder.h"
#include <fcntl.h>
#include <stdio.h>

#define ROOT  "mprofile_20261122033648_10.mprof"
#define ASKED "mprofile_20261122033649_20.mprof"

/* A spool without events, of the tree 5. */
static void write_spool(const char *name, int pid, uint64_t epoch_ns)
{
    struct spool_builder b;
    size_t size;
    builder_init(&b);
    b.header.id[0] = (uint8_t)epoch_ns;
    b.header.id[1] = (uint8_t)(epoch_ns >> 8);
    b.header.pid = b.processes[0].pid = pid;
    b.header.start_time = b.processes[0].start_time = 10 * (uint64_t)pid;
    b.header.tree = 5;
    b.header.epoch_ns = epoch_ns;
    uint8_t *bytes = builder_bytes(&b, &size);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    free(bytes);
    builder_free(&b);
}

static int starter_of(const struct lineage *l, int pid)
{
    const struct kin *kin = l->family.kin;
    for (size_t i = 0; i < l->family.count; i++)
        if (kin[i].pid == pid)
            return kin[i].starter == KIN_NONE ? 0 : kin[kin[i].starter].pid;
    fail_msg("process %d is not in the family", pid);
    return 0;
}

/* In a damaged file a process may be said to be the child of one that was never born, or of one
 * that there is not. It stays in its own image's tree. */
static void test_a_child_of_one_that_was_never_born(void **state)
{
    (void)state;
    struct process processes[] = {{.serial = 0, .pid = 20},
                                  {.serial = 1, .parent = 0},
                                  {.serial = 2, .parent = 1, .pid = 22},
                                  {.serial = 3, .parent = 2, .pid = 23},
                                  {.serial = 4, .parent = 77, .pid = 24},
                                  {.serial = 5, .parent = 3},
                                  {.serial = 6, .parent = 5, .pid = 26}};
    struct image image = {.processes = processes, .process_count = 7, .epoch_ns = 2000};
    struct lineage l;
    write_spool(ROOT, 10, 1000);
    write_spool(ASKED, 20, 2000);
    lineage_read(&l, ASKED, &image, LINEAGE_HEADS);
    assert_int_equal(l.family.count, 6);
    assert_int_equal(starter_of(&l, 20), 10);
    assert_int_equal(starter_of(&l, 22), 20);
    assert_int_equal(starter_of(&l, 23), 22);
    assert_int_equal(starter_of(&l, 24), 20);
    assert_int_equal(starter_of(&l, 26), 23);
    lineage_free(&l);
}

/* The root knows how many others it had; who is not there is missing. */
static void test_recordings_that_are_absent(void **state)
{
    (void)state;
    struct process processes[] = {{.serial = 0, .pid = 10}};
    struct image image = {
        .processes = processes, .process_count = 1, .epoch_ns = 1000, .beside = 4};
    struct lineage l;
    write_spool("root.mprof.spool", 10, 1000);
    write_spool("root.mprof.1.spool", 20, 2000);
    FILE *unreadable = fopen("root.mprof.2", "w");
    fputs("nothing that can be read", unreadable);
    fclose(unreadable);
    lineage_read(&l, "root.mprof", &image, LINEAGE_FIGURES);
    assert_int_equal(l.family.unread, 1);
    assert_int_equal(l.family.missing, 2);
    lineage_free(&l);
    lineage_read(&l, "root.mprof", &image, LINEAGE_HEADS);
    lineage_tell_absent(&l, "root.mprof");
    lineage_free(&l);
    image.beside = 0;
    lineage_read(&l, "root.mprof", &image, LINEAGE_FIGURES);
    assert_int_equal(l.family.missing, 0);
    lineage_free(&l);
}

/* All times of peaks are since the family's start, whoever's image they are in. */
static void test_times_of_peaks(void **state)
{
    (void)state;
    struct process processes[] = {
        {.serial = 0,
         .pid = 10,
         .series_unknown = 1,
         .totals = {.peak_ns = 5, .mapped_peak_ns = 7, .memory_peak_ns = 9}}};
    struct image image = {.processes = processes, .process_count = 1, .epoch_ns = 1000};
    struct lineage l;
    write_spool("root.mprof.spool", 10, 1000);
    write_spool("root.mprof.1.spool", 20, 3000);
    lineage_read(&l, "root.mprof", &image, LINEAGE_FIGURES);
    assert_int_equal(l.family.count, 2);
    const struct relative *root = &l.family.relatives[0], *child = &l.family.relatives[1];
    assert_int_equal(root->totals.peak_ns, 5);
    assert_int_equal(root->totals.mapped_peak_ns, 7);
    assert_int_equal(root->totals.memory_peak_ns, 9);
    assert_true(root->series_unknown && !child->series_unknown);
    assert_true(child->has_figures);
    assert_int_equal(child->totals.peak_ns, 2000);
    assert_int_equal(child->totals.mapped_peak_ns, 2000);
    assert_int_equal(child->totals.memory_peak_ns, 2000);
    assert_true(root->clock_ns == 0 && child->clock_ns == 2000);
    lineage_free(&l);
}

/* Of one process, whatever it was before, figures are read without those of the others. */
static void test_figures_of_one_process(void **state)
{
    (void)state;
    struct process processes[] = {{.serial = 0, .pid = 10, .start_time = 100}};
    struct image image = {.processes = processes, .process_count = 1, .epoch_ns = 1000};
    struct lineage l;
    write_spool("root.mprof.spool", 10, 1000);
    write_spool("root.mprof.1.spool", 20, 2000);
    write_spool("root.mprof.2.spool", 20, 3000);
    write_spool("root.mprof.3.spool", 30, 4000);
    lineage_read(&l, "root.mprof", &image, LINEAGE_HEADS);
    assert_int_equal(lineage_choose(&l, "root.mprof", 20), 0);
    assert_int_equal(l.family.kin[l.family.self].kind, KIN_BECAME);
    lineage_read_lives(&l, l.family.self);
    for (size_t i = 0; i < l.family.count; i++)
        assert_int_equal(l.family.relatives[i].has_figures, l.family.kin[i].pid < 30);
    lineage_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_child_of_one_that_was_never_born, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(test_recordings_that_are_absent, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(test_figures_of_one_process, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_times_of_peaks, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
