/* text.c - see text.h. */
#include "text.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define GROUP_LEAST 5 /* columns of template arguments that are worth showing */

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

/* The place after `columns` characters of a clean text. */
static const char *skip_columns(const char *text, size_t columns)
{
    while (*text && columns-- > 0)
        text += text_character(text);
    return text;
}

/* What text_fit leaves of a clean text that is too wide. */
struct cut {
    const char *head_end, *tail;
};

static struct cut cut_out(const char *clean, size_t width, int keep_end)
{
    size_t kept = width > 0 ? width - 1 : 0, head = keep_end ? 0 : (kept + 1) / 2;
    return (struct cut){skip_columns(clean, head),
                        skip_columns(clean, text_width(clean) - (kept - head))};
}

char *text_fit(const char *text, size_t width, int keep_end)
{
    char *clean = text_clean(text);
    if (text_width(clean) <= width)
        return clean;
    struct cut cut = cut_out(clean, width, keep_end);
    char *fit = xmalloc(strlen(clean) + sizeof TEXT_ELLIPSIS);
    sprintf(fit, "%.*s%s%s", (int)(cut.head_end - clean), clean, width > 0 ? TEXT_ELLIPSIS : "",
            cut.tail);
    free(clean);
    return fit;
}

/* Does an odd number of quotes stand between them? */
static int is_quote_open(const char *begin, const char *end)
{
    int open = 0;
    for (; begin < end; begin++)
        open ^= *begin == '\'';
    return open;
}

/* The quote that the cut has left alone begins or ends there. */
char *text_fit_command(const char *command, size_t width)
{
    char *clean = text_clean(command);
    if (text_width(clean) <= width || width < 2) {
        free(clean);
        return text_fit(command, width, 0);
    }
    struct cut cut = cut_out(clean, width, 0);
    if (is_quote_open(cut.head_end, cut.tail)) /* in one of both, not in the other */
        cut = cut_out(clean, width - 1, 0);
    char *fit = xmalloc(strlen(clean) + sizeof TEXT_ELLIPSIS + 1);
    sprintf(fit, "%.*s" TEXT_ELLIPSIS "%s%s", (int)(cut.head_end - clean), clean,
            is_quote_open(cut.head_end, cut.tail) ? "'" : "", cut.tail);
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
                        size_t (*first_bytes)(const char *), int breaks, FILE *out)
{
    size_t indent = strlen(head), column = indent;
    fputs(head, out);
    while (*list) {
        size_t bytes = first_bytes(list);
        if (breaks && indent < width && bytes > width - indent)
            bytes = (size_t)(skip_columns(list, width - indent) - list);
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
    print_items(head, list, width, item_bytes, 0, out);
}

void text_words(const char *head, const char *words, size_t width, FILE *out)
{
    print_items(head, words, width, word_bytes, 1, out);
}

/* ---- names of functions ---- */

/* The place after the bracket that closes the one at p, or the end. */
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

/* A name being written. A group is what stands in template brackets. */
struct stripping {
    char *begin, *out;
    size_t groups;     /* met so far */
    size_t group_room; /* columns for the inside of each; 0: groups are left out */
};

static char *copy_between(const char *begin, const char *end)
{
    size_t bytes = end > begin ? (size_t)(end - begin) : 0;
    char *copy = xcalloc(bytes + 1, 1);
    memcpy(copy, begin, bytes);
    return copy;
}

/* Writes a group with its brackets, unless groups are left out. */
static void put_group(struct stripping *s, const char *p, const char *end)
{
    int closed = end > p + 1 && end[-1] == '>';
    s->groups++;
    if (s->group_room == 0)
        return;
    char *inside = copy_between(p + 1, end - closed), *fit = text_fit(inside, s->group_room, 0);
    s->out += sprintf(s->out, "<%s%s", fit, closed ? ">" : "");
    free(fit);
    free(inside);
}

/* Writes "{lambda(int)#1}" without its parameters, and without its number where groups are left
 * out. */
static void put_lambda(struct stripping *s, const char *p, const char *end)
{
    const char *number = memchr(p, '#', (size_t)(end - p));
    s->out = stpcpy(s->out, "{lambda");
    if (number && s->group_room)
        s->out = mempcpy(s->out, number, strcspn(number, "}"));
    s->out = stpcpy(s->out, "}");
}

static void strip_name(const char *name, struct stripping *s);

/* A Rust "<Type as Trait>::f" without groups is "Type::f". */
static void put_type(struct stripping *s, const char *p, const char *end)
{
    const char *as = strstr(p, " as ");
    const char *type_end = as && as < end ? as : end - (end[-1] == '>');
    char *type = copy_between(p + 1, type_end);
    struct stripping inner = {.begin = s->out, .out = s->out};
    strip_name(type, &inner);
    s->groups++;
    s->out = inner.out;
    free(type);
}

/* Writes the name without parameters, return type and tags; there must be room for three names. */
static void strip_name(const char *name, struct stripping *s)
{
    const char *p = name;
    while (*p) {
        size_t operator= operator_bytes(name, p);
        int at_begin = s->out == s->begin ||
                       (s->out - s->begin >= 2 && s->out[-1] == ':' && s->out[-2] == ':');
        if (operator) {
            s->out = mempcpy(s->out, p, operator);
            p += operator;
        } else if (*p == '<') {
            const char *end = skip_group(p);
            if (at_begin && s->group_room == 0)
                put_type(s, p, end);
            else
                put_group(s, p, end);
            p = end;
        } else if (begins(p, "(anonymous namespace)")) {
            s->out = stpcpy(s->out, "(anon)");
            p += strlen("(anonymous namespace)");
        } else if (begins(p, "{lambda")) {
            put_lambda(s, p, skip_group(p));
            p = skip_group(p);
        } else if (*p == '(' || begins(p, "[abi:") || begins(p, "[clone")) {
            p = skip_group(p);
        } else if (*p == ' ' && (begins(p, " const") || begins(p, " [clone"))) {
            p += *(p + 1) == 'c' ? strlen(" const") : 1;
        } else if (*p == ' ' && p[1] == '<') { /* "operator<< <char>" */
            p++;
        } else if (*p == ' ') { /* what came before was the return type */
            s->out = s->begin;
            s->groups = 0;
            p++;
        } else {
            *s->out++ = *p++;
        }
    }
    *s->out = '\0';
}

/* Strips a clean name; returns the number of its groups. */
static size_t strip_into(char *to, const char *clean, size_t group_room)
{
    struct stripping s = {.begin = to, .out = to, .group_room = group_room};
    strip_name(clean, &s);
    if (!*to)
        strcpy(to, clean);
    return s.groups;
}

static char *stripped(const char *clean, size_t width)
{
    char *name = xmalloc(3 * strlen(clean) + 16);
    size_t groups = strip_into(name, clean, SIZE_MAX);
    if (groups == 0 || text_width(name) <= width)
        return name;
    strip_into(name, clean, 0);
    size_t bare = text_width(name) + 2 * groups;
    if (bare < width && (width - bare) / groups >= GROUP_LEAST)
        strip_into(name, clean, (width - bare) / groups);
    return name;
}

char *text_bare_name(const char *function)
{
    char *clean = text_clean(function);
    char *name = xmalloc(3 * strlen(clean) + 16);
    strip_into(name, clean, 0);
    char *address = strstr(name, "@0x");
    if (address && address > name)
        *address = '\0';
    free(clean);
    return name;
}

char *text_short_name(const char *function, size_t width)
{
    char *clean = text_clean(function), *whole = stripped(clean, width), *name = whole;
    while (text_width(name) > width && !strchr(name, '<') && strstr(name, "::"))
        name = strstr(name, "::") + 2;
    char *fit = text_fit(name, width, 0);
    free(whole);
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

/* Bytes that no shell takes for anything but themselves; those above ASCII are letters. */
static int is_plain(char c)
{
    return is_word(c) || (c & 0x80) != 0 || (c != '\0' && strchr("%+,-./:=@^", c) != NULL);
}

char *text_word(const char *name)
{
    const char *p = name;
    while (is_plain(*p))
        p++;
    if (*p == '\0' && p > name)
        return text_clean(name);
    char *quoted = xmalloc(4 * strlen(name) + 3), *out = stpcpy(quoted, "'");
    for (p = name; *p; p++) {
        if (*p == '\'')
            out = stpcpy(out, "'\\'");
        *out++ = *p;
    }
    strcpy(out, "'");
    char *clean = text_clean(quoted);
    free(quoted);
    return clean;
}
