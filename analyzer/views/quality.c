#include "quality.h"
#include "units.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *add(char *sentence, uint64_t count, const char *one, const char *many)
{
    if (count == 0)
        return sentence;
    char number[UNITS_TEXT];
    size_t have = sentence ? strlen(sentence) : 0;
    sentence = xrealloc(sentence, have + UNITS_TEXT + strlen(many) + 4);
    sprintf(sentence + have, "%s%s %s", have ? ", " : "", units_count(number, count),
            count == 1 ? one : many);
    return sentence;
}

char *quality_of_figures(const struct quality *quality)
{
    char *text = add(NULL, quality->lost, "event lost", "events lost");
    text = add(text, quality->unmatched_frees, "unmatched free", "unmatched frees");
    return add(text, quality->implied_frees, "implied free", "implied frees");
}

char *quality_of_all(const struct quality *quality)
{
    char *text = quality_of_figures(quality);
    text = add(text, quality->inherited, "inherited block", "inherited blocks");
    text = add(text, quality->truncated_stacks, "truncated stack", "truncated stacks");
    return add(text, quality->unresolved_frames, "frame without a name", "frames without a name");
}
