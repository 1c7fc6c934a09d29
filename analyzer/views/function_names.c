/* function_names.c - see function_names.h. */
#include "function_names.h"
#include "text.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DOTS "..."

static int begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* ---- names as a user writes them ---- */

/* The first place of a pattern at which something was cut out, NULL without one. */
static const char *find_cut(const char *pattern, size_t *bytes)
{
    const char *sign = strstr(pattern, TEXT_ELLIPSIS), *dots = strstr(pattern, DOTS);
    const char *first = sign && (!dots || sign < dots) ? sign : dots;
    *bytes = strlen(first == sign ? TEXT_ELLIPSIS : DOTS);
    return first;
}

/* Is the text the pattern, with anything in place of what was cut out? */
static int fits(const char *text, const char *pattern)
{
    size_t bytes;
    const char *cut = find_cut(pattern, &bytes);
    if (!cut)
        return strcmp(text, pattern) == 0;
    if (strncmp(text, pattern, (size_t)(cut - pattern)) != 0)
        return 0;
    text += cut - pattern;
    for (pattern = cut + bytes; (cut = find_cut(pattern, &bytes)) != NULL; pattern = cut + bytes) {
        size_t middle = (size_t)(cut - pattern);
        text = memmem(text, strlen(text), pattern, middle);
        if (!text)
            return 0;
        text += middle;
    }
    size_t have = strlen(text), tail = strlen(pattern);
    return have >= tail && strcmp(text + have - tail, pattern) == 0;
}

/* Does the name, or what follows one of its namespaces, fit? Frees the name. */
static int ends_in(char *name, const char *wanted)
{
    int found = fits(name, wanted);
    for (const char *p = name; !found && (p = strstr(p, "::")) != NULL;)
        found = fits(p += 2, wanted);
    free(name);
    return found;
}

int function_is_called(const char *name, const char *wanted)
{
    return wanted[0] != '\0' && (strcmp(name, wanted) == 0 || ends_in(text_clean(name), wanted) ||
                                 ends_in(text_bare_name(name), wanted) ||
                                 ends_in(text_short_name(name, SIZE_MAX), wanted));
}

/* ---- wrappers ---- */

static int is_word(const char *name, const char *word, size_t bytes)
{
    if (word[bytes - 1] == '*')
        return strncmp(name, word, bytes - 1) == 0;
    return strncmp(name, word, bytes) == 0 && name[bytes] == '\0';
}

static int is_listed(const char *name)
{
    const char *word = WRAPPER_NAMES;
    while (*word) {
        size_t bytes = strcspn(word, " ");
        if (is_word(name, word, bytes))
            return 1;
        word += bytes;
        word += *word == ' ';
    }
    return 0;
}

static int is_operator_new(const char *name)
{
    static const char sign[] = "operator new";
    for (const char *p = name; (p = strstr(p, sign)) != NULL; p++) {
        char next = p[strlen(sign)];
        if ((p == name || p[-1] == ':') && (next == '\0' || next == '['))
            return 1;
    }
    return 0;
}

/* Inline namespaces of libstdc++ and libc++ stand in public names, too. */
static int is_library_internal(const char *name)
{
    if (!begins(name, "std::") && !begins(name, "__gnu_cxx::"))
        return 0;
    for (const char *p = name; (p = strstr(p, "::_")) != NULL; p++)
        if (!begins(p, "::__cxx11::") && !begins(p, "::__1::"))
            return 1;
    return name[0] == '_';
}

int function_is_wrapper(const char *name)
{
    char *bare = text_bare_name(name);
    int is_wrapper = is_listed(bare) || is_operator_new(bare) || is_library_internal(bare);
    free(bare);
    return is_wrapper;
}
