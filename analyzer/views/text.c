#include "text.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS    "\xe2\x80\xa6"

size_t text_character(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    if (p[0] < 0x80)
        return p[0] != 0;
    size_t bytes = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < bytes; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    int overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    int outside = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || outside ? 0 : bytes;
}

uint32_t text_code(const char *text)
{
    static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *p = (const unsigned char *)text;
    size_t bytes = text_character(text);
    uint32_t code = p[0] & lead[bytes];
    for (size_t i = 1; i < bytes; i++)
        code = code << 6 | (p[i] & 0x3f);
    return code;
}

int text_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff || (code & 0xfffe) == 0xfffe;
}

#define CLEAN_MAX 10 /* "\u{10ffff}" */

char *text_clean(const char *text)
{
    char *clean = xmalloc(strlen(text) * CLEAN_MAX + 1), *out = clean;
    while (*text) {
        size_t bytes = text_character(text);
        uint32_t code = text_code(text);
        if (bytes == 0)
            out = stpcpy(out, REPLACEMENT);
        else if (text_is_control(code))
            out += sprintf(out, code < 0x100 ? "\\x%02x" : "\\u{%x}", code);
        else
            out = mempcpy(out, text, bytes);
        text += bytes ? bytes : 1;
    }
    *out = '\0';
    return clean;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

double text_proportional(const char *text)
{
    double width = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (strchr("ijlftr.,:;'|!()[] ", c))
            width += 0.6;
        else if (strchr("WMmw@%", c))
            width += 1.5;
        else if (c >= 'A' && c <= 'Z')
            width += 1.15;
        else
            width += (c & 0xc0) != 0x80;
    }
    return width;
}

/* The place behind `columns` characters of a clean text. */
static const char *skip_columns(const char *text, size_t columns)
{
    while (*text && columns-- > 0)
        text += text_character(text);
    return text;
}

char *text_fit(const char *text, size_t width, int keep_end)
{
    char *clean = text_clean(text);
    size_t have = text_width(clean);
    if (have <= width)
        return clean;
    size_t kept = width > 0 ? width - 1 : 0;
    size_t head = keep_end ? 0 : (kept + 1) / 2;
    const char *head_end = skip_columns(clean, head);
    const char *tail = skip_columns(clean, have - (kept - head));
    char *fit = xmalloc(strlen(clean) + sizeof ELLIPSIS);
    sprintf(fit, "%.*s%s%s", (int)(head_end - clean), clean, width > 0 ? ELLIPSIS : "", tail);
    free(clean);
    return fit;
}

/* The end of the first item of "a, b (c)". */
static size_t item_bytes(const char *list)
{
    const char *end = strstr(list, ", ");
    const char *open = strstr(list, " (");
    if (open && (!end || open < end))
        end = open;
    return end ? (size_t)(end - list) + (*end == ',') : strlen(list);
}

static size_t word_bytes(const char *words)
{
    return strcspn(words, " ");
}

static void print_items(const char *head, const char *list, size_t width,
                        size_t (*first_bytes)(const char *), FILE *out)
{
    size_t indent = strlen(head), column = indent;
    fputs(head, out);
    while (*list) {
        size_t bytes = first_bytes(list);
        if (column > indent && column + bytes + 1 > width) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fwrite(list, 1, bytes, out);
        column += bytes;
        list += bytes;
        list += *list == ' ';
    }
    fputc('\n', out);
}

void text_list(const char *head, const char *list, size_t width, FILE *out)
{
    print_items(head, list, width, item_bytes, out);
}

void text_words(const char *head, const char *words, size_t width, FILE *out)
{
    print_items(head, words, width, word_bytes, out);
}

/* ---- names of functions ---- */

/* The place behind the bracket that closes the one at p, or the end. */
static const char *skip_group(const char *p)
{
    char open = *p, close = open == '<' ? '>' : open == '(' ? ')' : open == '[' ? ']' : '}';
    int depth = 0;
    for (; *p; p++) {
        if (*p == open)
            depth++;
        else if (*p == close && !(close == '>' && p[-1] == '-') && --depth == 0)
            return p + 1;
    }
    return p;
}

static int begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

static int is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Bytes of "operator<<", "operator()", "operator new[]" at p, 0 where none is. */
static size_t operator_bytes(const char *start, const char *p)
{
    if (!begins(p, "operator") || (p > start && is_word(p[-1])) || is_word(p[8]))
        return 0;
    /* Longest first; the demangler puts a blank between an operator and template arguments that
     * begin with the same sign. */
    static const char *const signs[] = {
        "()", "[]", "<=>", "<<=", ">>=", "->*", "->", "<<", ">>", "<=", ">=", "==", "!=",
        "&&", "||", "++",  "--",  "+=",  "-=",  "*=", "/=", "%=", "^=", "&=", "|=", "<",
        ">",  "+",  "-",   "*",   "/",   "%",   "^",  "&",  "|",  "~",  "!",  "=",  ","};
    const char *q = p + 8;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (begins(q, signs[i]))
            return 8 + strlen(signs[i]);
    if (*q == ' ') { /* a word: new, delete[], or the type of a conversion */
        q += strcspn(q, "(");
        return (size_t)(q - p);
    }
    return 8;
}

/* Without parameters, template arguments and tags; `out` is as large as the name. A Rust
 * "<Type as Trait>::f" begins with its bracket and becomes "Type::f". */
static void strip_name(const char *name, char *out)
{
    const char *p = name;
    char *begin = out;
    while (*p) {
        size_t operator= operator_bytes(name, p);
        int at_begin = out == begin || (out - begin >= 2 && out[-1] == ':' && out[-2] == ':');
        if (operator) {
            out = mempcpy(out, p, operator);
            p += operator;
        } else if (*p == '<' && at_begin) {
            const char *end = skip_group(p), *as = strstr(p, " as ");
            const char *type_end = as && as < end ? as : end - (end[-1] == '>');
            char *type = xcalloc(1, (size_t)(type_end - p));
            memcpy(type, p + 1, (size_t)(type_end - p - 1));
            strip_name(type, out);
            out += strlen(out);
            free(type);
            p = end;
        } else if (begins(p, "(anonymous namespace)")) {
            out = stpcpy(out, "(anon)");
            p += strlen("(anonymous namespace)");
        } else if (begins(p, "{lambda")) {
            out = stpcpy(out, "{lambda}");
            p = skip_group(p);
        } else if (*p == '<' || *p == '(' || begins(p, "[abi:") || begins(p, "[clone")) {
            p = skip_group(p);
        } else if (*p == ' ' && (begins(p, " const") || begins(p, " [clone"))) {
            p += *(p + 1) == 'c' ? strlen(" const") : 1;
        } else if (*p == ' ' && p[1] == '<') { /* "operator<< <char>" */
            p++;
        } else if (*p == ' ') { /* what stood before was the return type */
            out = begin;
            p++;
        } else if (*p == '.' && (begins(p, ".part.") || begins(p, ".cold") || begins(p, ".isra.") ||
                                 begins(p, ".constprop."))) {
            break;
        } else {
            *out++ = *p++;
        }
    }
    *out = '\0';
}

char *text_short_name(const char *function, size_t width)
{
    char *clean = text_clean(function);
    char *stripped = xmalloc(strlen(clean) + 16);
    strip_name(clean, stripped);
    const char *name = stripped[0] ? stripped : clean;
    while (text_width(name) > width && strstr(name, "::"))
        name = strstr(name, "::") + 2;
    char *fit = text_fit(name, width, 0);
    free(stripped);
    free(clean);
    return fit;
}

char *text_command(char *const *argv, size_t argc)
{
    size_t bytes = 1;
    for (size_t i = 0; i < argc; i++)
        bytes += strlen(argv[i]) + 3;
    char *joined = xmalloc(bytes), *out = joined;
    for (size_t i = 0; i < argc; i++) {
        int quote = argv[i][0] == '\0' || strpbrk(argv[i], " \t\n") != NULL;
        out += sprintf(out, "%s%s%s%s", i ? " " : "", quote ? "'" : "", argv[i], quote ? "'" : "");
    }
    *out = '\0';
    char *clean = text_clean(joined);
    free(joined);
    return clean;
}
