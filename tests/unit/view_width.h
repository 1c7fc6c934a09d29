/* view_width.h - no line of a view's text is wider than a terminal. */
#ifndef VIEW_WIDTH_H
#define VIEW_WIDTH_H

#include "text.h"
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static inline void fixture_check_width(const char *text)
{
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        char one[1024];
        snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
        if (text_width(one) > 79)
            fail_msg("wider than 79 columns: %s", one);
    }
}

#endif
