/* json.c - see json.h. */
#include "json.h"
#include "text.h"
#include <inttypes.h>

/* JSON's escapes have four digits: higher codes take a pair of surrogates. */
static void put_escape(FILE *out, uint32_t code)
{
    if (code > 0xffff)
        fprintf(out, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    else
        fprintf(out, "\\u%04x", code);
}

static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    while (*text) {
        size_t bytes = text_character(text);
        unsigned char c = (unsigned char)*text;
        if (bytes == 0)
            fputs("\xef\xbf\xbd", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c == '\t')
            fputs("\\t", out);
        else if (text_is_control(text_code(text)))
            put_escape(out, text_code(text));
        else
            fwrite(text, 1, bytes, out);
        text += bytes ? bytes : 1;
    }
    fputc('"', out);
}

static void new_line(struct json *j)
{
    fprintf(j->out, "\n%*s", j->depth * 2, "");
}

static void item(struct json *j, const char *key)
{
    if (!j->first)
        fputc(',', j->out);
    j->first = 0;
    new_line(j);
    if (key) {
        put_string(j->out, key);
        fputs(": ", j->out);
    }
}

static void open_group(struct json *j, const char *key, char bracket)
{
    item(j, key);
    fputc(bracket, j->out);
    j->depth++;
    j->first = 1;
}

static void close_group(struct json *j, char bracket)
{
    j->depth--;
    if (!j->first)
        new_line(j);
    fputc(bracket, j->out);
    j->first = 0;
}

void json_start(struct json *j, FILE *out)
{
    *j = (struct json){.out = out, .depth = 1, .first = 1};
    fputc('{', out);
}

void json_finish(struct json *j)
{
    close_group(j, '}');
    fputc('\n', j->out);
}

void json_object(struct json *j, const char *key)
{
    open_group(j, key, '{');
}

void json_array(struct json *j, const char *key)
{
    open_group(j, key, '[');
}

void json_end_object(struct json *j)
{
    close_group(j, '}');
}

void json_end_array(struct json *j)
{
    close_group(j, ']');
}

void json_string(struct json *j, const char *key, const char *text)
{
    item(j, key);
    put_string(j->out, text);
}

void json_number(struct json *j, const char *key, uint64_t number)
{
    item(j, key);
    fprintf(j->out, "%" PRIu64, number);
}

void json_integer(struct json *j, const char *key, int64_t number)
{
    item(j, key);
    fprintf(j->out, "%" PRId64, number);
}

void json_seconds(struct json *j, const char *key, uint64_t ns)
{
    item(j, key);
    fprintf(j->out, "%" PRIu64 ".%09" PRIu64, ns / 1000000000u, ns % 1000000000u);
}

void json_null(struct json *j, const char *key)
{
    item(j, key);
    fputs("null", j->out);
}

void json_boolean(struct json *j, const char *key, int value)
{
    item(j, key);
    fputs(value ? "true" : "false", j->out);
}
