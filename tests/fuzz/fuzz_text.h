/* fuzz_text.h - what all output must be, whatever the recording's names are. */
#ifndef TESTS_FUZZ_TEXT_H
#define TESTS_FUZZ_TEXT_H

#include "fuzz.h"
#include "text.h"

/* Lines of valid UTF-8 without a control character (a tab between columns aside): nothing that a
 * terminal would obey. */
FUZZ_UNUSED static void check_text(const char *text, size_t size, const char *what)
{
    for (size_t i = 0; i < size;) {
        size_t bytes = text_character(text + i);
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
            (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0))
            fuzz_fail("%s: control character %#x at %zu of %zu", what, c, i, size);
        if (bytes == 0)
            fuzz_fail("%s: no UTF-8 at %zu of %zu: %#x", what, i, size, c);
        i += bytes;
    }
}

/* ---- JSON (RFC 8259) ---- */

static const char *skip_value(const char *p, unsigned depth);

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t\n\r");
}

/* One character, escaped or not. */
static const char *skip_character(const char *p)
{
    if ((unsigned char)*p < 0x20)
        return NULL;
    if (*p++ != '\\')
        return p;
    if (!*p || !strchr("\"\\/bfnrtu", *p))
        return NULL;
    return *p == 'u' && strspn(p + 1, "0123456789abcdefABCDEF") < 4 ? NULL : p + 1;
}

static const char *skip_string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    while (p && *p != '"')
        p = skip_character(p);
    return p ? p + 1 : NULL;
}

static const char *skip_number(const char *p)
{
    char *end;
    if (!strchr("-0123456789", *p) || !*p)
        return NULL;
    strtod(p, &end);
    return end;
}

static const char *skip_list(const char *p, unsigned depth, char open, char close)
{
    p = skip_blanks(p + 1);
    if (*p == close)
        return p + 1;
    for (;;) {
        if (open == '{') {
            p = skip_string(p);
            if (!p || *(p = skip_blanks(p)) != ':')
                return NULL;
            p++;
        }
        p = skip_value(p, depth + 1);
        if (!p)
            return NULL;
        p = skip_blanks(p);
        if (*p == close)
            return p + 1;
        if (*p++ != ',')
            return NULL;
        p = skip_blanks(p);
    }
}

static const char *skip_value(const char *p, unsigned depth)
{
    p = skip_blanks(p);
    if (depth > 32)
        return NULL;
    if (*p == '{' || *p == '[')
        return skip_list(p, depth, *p, *p == '{' ? '}' : ']');
    if (*p == '"')
        return skip_string(p);
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(p, words[i], strlen(words[i])) == 0)
            return p + strlen(words[i]);
    return skip_number(p);
}

/* One value, and nothing behind it. */
FUZZ_UNUSED static void check_json(const char *text)
{
    const char *end = skip_value(text, 0);
    if (!end || *skip_blanks(end))
        fuzz_fail("no JSON: %.300s", text);
}

/* ---- gnuplot ---- */

/* Double quotes around, and in them nothing that ends them or that gnuplot would run or expand. */
FUZZ_UNUSED static const char *skip_quoted(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p != '"'; p++) {
        if (!*p || *p == '\n' || *p == '`' || *p == '@')
            return NULL;
        if (*p == '\\' && !*++p)
            return NULL;
    }
    return p + 1;
}

FUZZ_UNUSED static void check_quoted(const char *text)
{
    const char *end = skip_quoted(text);
    if (!end || *end)
        fuzz_fail("a name that gets out of its quotes: %s", text);
}

/* Outside of quotes nothing is found in a script but what the program itself writes: no command
 * that reads, writes or runs. */
FUZZ_UNUSED static void check_script(const char *script, size_t size)
{
    static const char *const forbidden[] = {"system", "shell",  "load", "call", "`", "|",
                                            "!",      "import", "eval", "@",    "<", ">"};
    char outside[256];
    size_t used = 0;
    if (strlen(script) != size)
        fuzz_fail("a script with a NUL in it");
    for (const char *p = script; *p;) {
        if (*p == '"') {
            if (!(p = skip_quoted(p)))
                fuzz_fail("a name gets out of its quotes in: %s", script);
            continue;
        }
        if (*p != '\n' && used < sizeof outside - 1)
            outside[used++] = *p;
        if (*p++ != '\n')
            continue;
        outside[used] = '\0';
        if (strncmp(outside, "$", 1) != 0) /* $data << end */
            for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
                if (strstr(outside, forbidden[i]))
                    fuzz_fail("'%s' in a line of the script: %s", forbidden[i], outside);
        used = 0;
    }
}

#endif
