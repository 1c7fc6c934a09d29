/* gnuplot_width.c - see gnuplot_width.h. */
#include "gnuplot_width.h"
#include "text.h"
#include <stdlib.h>

#define LETTERS_END 0x2000 /* alphabets are below, signs and ideographs above */
#define LETTER      80
#define SIGN        108
#define ARROW       0x203a /* stands in labels */
#define ARROW_WIDTH 40
#define NARROWEST   27

/* From the blank to the tilde. */
static const unsigned char widths[] = {
    32, 40, 46, 84, 64, 95, 78, 27, 39,  39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79,
    60, 79, 69, 63, 61, 73, 68, 99, 69,  61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63,
    63, 28, 28, 58, 28, 97, 63, 61, 63,  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84};

static size_t width_of(uint32_t code)
{
    if (code >= ' ' && code - ' ' < sizeof widths)
        return widths[code - ' '];
    return code == ARROW ? ARROW_WIDTH : code < LETTERS_END ? LETTER : SIGN;
}

size_t gnuplot_width(const char *text)
{
    size_t width = 0;
    for (size_t bytes; (bytes = text_character(text)) != 0; text += bytes)
        width += width_of(text_code(text));
    return width;
}

char *gnuplot_fit(const char *text, size_t room, int keep_end)
{
    char *clean = text_clean(text);
    size_t columns = text_width(clean), most = room / NARROWEST + 1;
    columns = columns < most ? columns : most;
    char *fit = text_fit(clean, columns, keep_end);
    while (columns > 0 && gnuplot_width(fit) > room) {
        free(fit);
        fit = text_fit(clean, --columns, keep_end);
    }
    free(clean);
    return fit;
}
