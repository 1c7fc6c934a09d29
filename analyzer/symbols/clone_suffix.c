/* clone_suffix.c - see clone_suffix.h. */
#include "clone_suffix.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool ends_in(const char *symbol, size_t bytes, const char *end)
{
    size_t end_bytes = strlen(end);
    return bytes > end_bytes && memcmp(symbol + bytes - end_bytes, end, end_bytes) == 0;
}

static size_t without_number(const char *symbol, size_t bytes)
{
    while (bytes > 0 && is_digit(symbol[bytes - 1]))
        bytes--;
    return bytes;
}

/* "f" of "f.part.0"; the same length where there is no number, or none of these words. */
static size_t without_numbered(const char *symbol, size_t bytes)
{
    static const char *const words[] = {".part.",        ".isra.",  ".constprop.",  ".cold.",
                                        ".lto_priv.",    ".llvm.",  ".localalias.", ".clone.",
                                        ".ltrans_priv.", ".__uniq."};
    size_t number = without_number(symbol, bytes);
    for (size_t i = 0; number < bytes && i < sizeof words / sizeof words[0]; i++)
        if (ends_in(symbol, number, words[i]))
            return number - strlen(words[i]);
    return bytes;
}

static size_t without_last(const char *symbol, size_t bytes)
{
    static const char *const words[] = {".cold", ".localalias"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (ends_in(symbol, bytes, words[i]))
            return bytes - strlen(words[i]);
    return without_numbered(symbol, bytes);
}

size_t length_without_clone(const char *symbol, size_t bytes)
{
    size_t before;
    do {
        before = bytes;
        bytes = without_last(symbol, bytes);
    } while (bytes < before);
    return bytes;
}
