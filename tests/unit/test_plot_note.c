/* test_plot_note.c - the foot of a picture says what spoils what is drawn, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plot_fixture.h"
#include "plot_note.h"
#include <stdlib.h>

static char *note_of(int with_functions)
{
    char *names[] = {"x.mprof"};
    struct plot_family *families[] = {NULL};
    return plot_note(&(struct plot_noted){names, &line, families, 1, with_functions});
}

static void test_truncated_stacks_spoil_functions(void **state)
{
    (void)state;
    make_plot();
    fixture.process.quality.truncated_stacks = 43;
    char *note = note_of(1);
    assert_string_equal(note, "43 truncated stacks");
    free(note);
    assert_null(note_of(0));
}

static void test_what_spoils_lines(void **state)
{
    (void)state;
    make_plot();
    fixture.process.quality = (struct quality){.truncated_stacks = 43, .unmatched_frees = 2};
    fixture.image.cut = 1;
    char *note = note_of(0);
    assert_string_equal(note, "cut recording, 2 unmatched frees");
    free(note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_truncated_stacks_spoil_functions, set_up),
        cmocka_unit_test_setup(test_what_spoils_lines, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
