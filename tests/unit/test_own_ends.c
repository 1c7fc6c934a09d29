/* test_own_ends.c - what several processes had at their ends, summed, is said to be that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "leaks_view.h"
#include "totals_view.h"
#include "view_fixture.h"
#include <stdlib.h>

static struct view_fixture fixture;

static int set_up(void **state)
{
    struct process *p = &fixture.process;
    (void)state;
    fixture_make(&fixture);
    p->totals.mapped_peak_bytes = p->totals.mapped_at_end_bytes = 8192;
    p->totals.memory_peak_bytes = p->totals.peak_bytes;
    return 0;
}

/* Does the text say it just where it sums? */
static void expect(const char *text, int is_sum, const char *sentence)
{
    if (is_sum != !!strstr(text, sentence))
        fail_msg("%d, '%s': %s", is_sum, sentence, text);
}

static void test_totals(void **state)
{
    (void)state;
    for (int is_sum = 0; is_sum < 2; is_sum++) {
        char text[4096] = "";
        FILE *out = fmemopen(text, sizeof text, "w");
        totals_text(&fixture.process, SERIES_MEMORY, is_sum, out);
        fclose(out);
        expect(text, is_sum, " 300 B in 3 blocks, at each one's own end\n");
        expect(text, is_sum, " 8.00 KiB in 0 pieces, at each one's own end\n");
    }
}

/* In a line of its own where there is no room beside what is said of lost events. */
static void test_wide_totals(void **state)
{
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    (void)state;
    fixture.process.totals.live_at_end_blocks = 1234567890;
    fixture.process.quality.lost = fixture.process.quality.loss.frees = 1;
    totals_text(&fixture.process, SERIES_MEMORY, 1, out);
    fclose(out);
    expect(text, 1, " blocks (about),\n                                  at each one's own end\n");
}

static void test_leaks(void **state)
{
    (void)state;
    for (int is_sum = 0; is_sum < 2; is_sum++) {
        char text[4096] = "";
        FILE *out = fmemopen(text, sizeof text, "w");
        leaks_text(&fixture.image, SERIES_MEMORY, is_sum, NULL, -1, 0, out);
        leaks_text(&fixture.image, SERIES_MAPPED, is_sum, NULL, -1, 0, out);
        fclose(out);
        expect(text, is_sum, "live at each one's own end: 300 B in 3 blocks ");
        expect(text, is_sum, "mapped at each one's own end: 8.00 KiB of 0 stacks\n");
        expect(text, !is_sum, "at exit: ");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_totals, set_up),
        cmocka_unit_test_setup(test_wide_totals, set_up),
        cmocka_unit_test_setup(test_leaks, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
