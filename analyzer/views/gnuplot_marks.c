/* gnuplot_marks.c - see gnuplot_marks.h. */
#include "gnuplot_marks.h"
#include <math.h>

#define ARM       0.014 /* of the axes' width */
#define ARM_STEP  0.003
#define HALF      0.038 /* of the axes' height */
#define HALF_STEP 0.018
#define NEAR_X    0.012 /* closer than this two brackets hide each other */
#define NEAR_Y    0.05

static int near(uint64_t ns_a, uint64_t ns_b, uint64_t bytes_a, uint64_t bytes_b, double width,
                double height)
{
    return fabs((double)ns_a - (double)ns_b) / 1e9 < NEAR_X * width &&
           fabs((double)bytes_a - (double)bytes_b) < NEAR_Y * height;
}

static int hide_each_other(const struct span *a, const struct span *b, double width, double height)
{
    return near(a->begin_ns, b->begin_ns, a->begin_level, b->begin_level, width, height) ||
           near(a->end_ns, b->end_ns, a->end_level, b->end_level, width, height);
}

/* Is a drawn inside b? For equal ones the index decides, so that it is never both. */
static int is_inside(const struct plot *plot, size_t a, size_t b)
{
    const struct span *s = &plot->functions[a].span, *t = &plot->functions[b].span;
    uint64_t first = s->end_ns - s->begin_ns, second = t->end_ns - t->begin_ns;
    return first != second ? first < second : a > b;
}

void bracket_boxes(const struct plot *plot, double width, double height, struct bracket_box *boxes)
{
    size_t count = plot->function_count;
    int levels[PLOT_FUNCTIONS_MAX] = {0};
    /* A bracket's level is one more than that of any it encloses; count rounds settle all. */
    for (size_t round = 0; round < count; round++)
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < count; k++)
                if (i != k && is_inside(plot, k, i) && levels[i] <= levels[k] &&
                    hide_each_other(&plot->functions[i].span, &plot->functions[k].span, width,
                                    height))
                    levels[i] = levels[k] + 1;
    for (size_t i = 0; i < count; i++) {
        boxes[i].level = levels[i];
        boxes[i].arm = (ARM + ARM_STEP * levels[i]) * width;
        boxes[i].half = (HALF + HALF_STEP * levels[i]) * height;
    }
}
