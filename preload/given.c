/* given.c - see given.h. */
#include "given.h"

#include <string.h>

size_t given_length(struct given *g, const char *text, size_t most)
{
    size_t n = 0;
    while (n < most) {
        size_t left = SYS_PAGE - ((uintptr_t)text + n) % SYS_PAGE, found;
        if (!given_is_there(g, text + n, 1))
            return GIVEN_REFUSED;
        if (left > most - n)
            left = most - n;
        found = strnlen(text + n, left);
        n += found;
        if (found < left)
            break;
    }
    return n;
}

int given_begins(struct given *g, const char *text, const char *with)
{
    for (; *with; text++, with++)
        if (!given_is_there(g, text, 1) || *text != *with)
            return 0;
    return 1;
}
