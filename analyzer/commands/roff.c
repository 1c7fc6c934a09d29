/* roff.c - see roff.h. */
#include "roff.h"
#include <string.h>

#define PAGE_DATE  "2026-11-23"
#define LINE_WIDTH 76

/* Prints `length` bytes, escaping what roff would interpret. */
static void put_escaped(FILE *out, const char *text, size_t length, int line_begins)
{
    if (line_begins && length > 0 && (text[0] == '.' || text[0] == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else if (text[i] == '\'')
            fputs("\\(aq", out);
        else if (text[i] == '"')
            fputs("\\(dq", out);
        else
            fputc(text[i], out);
    }
}

static void put_filled(FILE *out, const char *text, const char *end)
{
    size_t column = 0;
    while (text < end) {
        text += strspn(text, " \n");
        size_t length = strcspn(text, " \n");
        if (text >= end || length == 0)
            break;
        if (column > 0 && column + 1 + length > LINE_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        if (column > 0)
            fputc(' ', out);
        put_escaped(out, text, length, column == 0);
        column += length + 1;
        text += length;
        if (strchr(".!?", text[-1])) /* the formatter wants a sentence to end its line */
            column = LINE_WIDTH;
    }
    fputc('\n', out);
}

void roff_title(FILE *out, const char *name, const char *section)
{
    fprintf(out, ".\\\" Made by mprof-c help; do not edit.\n.TH ");
    put_escaped(out, name, strlen(name), 0);
    fprintf(out, " %s %s \"mprof\\-c %s\"\n", section, PAGE_DATE, MPROF_VERSION);
}

void roff_section(FILE *out, const char *title)
{
    fprintf(out, ".SH %s\n", title);
}

void roff_subsection(FILE *out, const char *title)
{
    fputs(".SS ", out);
    put_escaped(out, title, strlen(title), 0);
    fputc('\n', out);
}

void roff_text(FILE *out, const char *text)
{
    for (const char *at = text; *at;) {
        const char *end = strstr(at, "\n\n");
        end = end ? end : at + strlen(at);
        if (at != text)
            fputs(".PP\n", out);
        put_filled(out, at, end);
        at = end + strspn(end, "\n");
    }
}

void roff_item(FILE *out, const char *tag, const char *argument, const char *text)
{
    fputs(".TP\n\\fB", out);
    put_escaped(out, tag, strlen(tag), 0);
    fputs("\\fR", out);
    if (argument) {
        fputs(" \\fI", out);
        put_escaped(out, argument, strlen(argument), 0);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff_text(out, text);
}
