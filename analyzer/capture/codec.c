/* codec.c - see codec.h. */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#include "capture_format.h"
#include "shorten.h"
#include "xalloc.h"

static uint32_t hash_text(const char *text)
{
    uint32_t h = 0x811c9dc5u;
    for (; *text != 0; text++)
        h = (h ^ (uint8_t)*text) * 0x01000193u;
    return h ^ h >> 15;
}

static size_t slot_of(const struct string_table *t, const char *text)
{
    size_t i = hash_text(text) & (t->slot_count - 1);
    while (t->slots[i] != 0 && strcmp(t->texts[t->slots[i] - 1], text) != 0)
        i = (i + 1) & (t->slot_count - 1);
    return i;
}

/* Keeps the hash at most half full. */
static void grow_slots(struct string_table *t)
{
    if (t->count * 2 < t->slot_count)
        return;
    free(t->slots);
    t->slot_count = t->slot_count ? t->slot_count * 2 : 256;
    t->slots = xcalloc(t->slot_count, sizeof *t->slots);
    for (size_t i = 0; i < t->count; i++)
        t->slots[slot_of(t, t->texts[i])] = (uint32_t)i + 1;
}

void string_append(struct string_table *t, const char *text)
{
    t->texts = xgrow(t->texts, &t->capacity, t->count + 1, sizeof *t->texts);
    t->texts[t->count++] = text;
}

static uint32_t number_of_bounded(struct string_table *t, const char *text)
{
    grow_slots(t);
    size_t slot = slot_of(t, text);
    if (t->slots[slot] == 0) {
        string_append(t, text);
        t->slots[slot] = (uint32_t)t->count;
    }
    return t->slots[slot] - 1;
}

static uint32_t number_of_long(struct string_table *t, const char *text)
{
    char *shorter = shorten(text, strlen(text), CAPTURE_TEXT_MAX);
    size_t count = t->count;
    uint32_t number = number_of_bounded(t, shorter != NULL ? shorter : "");
    if (shorter == NULL || t->count == count) { /* it is there already */
        free(shorter);
        return number;
    }
    t->shortened =
        xgrow(t->shortened, &t->shortened_capacity, t->shortened_count + 1, sizeof *t->shortened);
    t->shortened[t->shortened_count++] = shorter;
    return number;
}

uint32_t string_number(struct string_table *t, const char *text)
{
    if (text == NULL)
        text = "";
    if (strnlen(text, CAPTURE_TEXT_MAX + 1) > CAPTURE_TEXT_MAX)
        return number_of_long(t, text);
    return number_of_bounded(t, text);
}

void string_table_free(struct string_table *t)
{
    for (size_t i = 0; i < t->shortened_count; i++)
        free(t->shortened[i]);
    free(t->shortened);
    free(t->texts);
    free(t->slots);
    *t = (struct string_table){0};
}

void code_u64(struct codec *c, uint64_t *value)
{
    if (c->out != NULL)
        bytes_number(c->out, *value);
    else
        *value = cursor_number(&c->in);
}

void code_u32(struct codec *c, uint32_t *value)
{
    uint64_t wide = *value;
    code_u64(c, &wide);
    if (wide > UINT32_MAX)
        c->in.bad = 1;
    *value = (uint32_t)wide;
}

void code_int(struct codec *c, int *value)
{
    uint64_t wide = zigzag((uint64_t)(int64_t)*value);
    code_u64(c, &wide);
    if (wide > UINT32_MAX)
        c->in.bad = 1;
    *value = (int)(int64_t)unzigzag(wide);
}

static const char *text_of(struct codec *c, uint64_t number)
{
    if (number >= c->strings->count) {
        c->in.bad = 1;
        return "";
    }
    return c->strings->texts[number];
}

void code_string(struct codec *c, const char **text)
{
    uint64_t number = c->out != NULL ? string_number(c->strings, *text) : 0;
    code_u64(c, &number);
    if (c->out == NULL)
        *text = text_of(c, number);
}

void code_count(struct codec *c, size_t *count, size_t least)
{
    uint64_t wide = *count;
    code_u64(c, &wide);
    if (c->out != NULL)
        return;
    if (c->in.bad || wide > (uint64_t)(c->in.end - c->in.at) / least) {
        c->in.bad = 1;
        wide = 0;
    }
    *count = wide;
}

/* What the numbers of a column are relative to. */
struct column_state {
    enum column_form form;
    uint64_t before; /* DIFFERENCE: the previous number; NEW: the highest so far + 1 */
};

static void code_relative(struct codec *c, struct column_state *s, uint64_t *value)
{
    if (s->form == COLUMN_PLAIN) {
        code_u64(c, value);
        return;
    }
    int newest = s->form == COLUMN_NEW;
    uint64_t code = zigzag(newest ? s->before - *value : *value - s->before);
    code_u64(c, &code);
    *value = newest ? s->before - unzigzag(code) : s->before + unzigzag(code);
    if (!newest)
        s->before = *value;
    else if (*value >= s->before)
        s->before = *value + 1;
}

void code_column(struct codec *c, void *array, size_t offset, size_t count, size_t stride,
                 size_t width, enum column_form form)
{
    struct column_state state = {form, 0};
    for (size_t i = 0; i < count && !c->in.bad; i++) {
        char *field = (char *)array + i * stride + offset;
        uint64_t value = width == 4 ? *(uint32_t *)field : *(uint64_t *)field;
        code_relative(c, &state, &value);
        if (width == 4 && value > UINT32_MAX)
            c->in.bad = 1;
        if (c->out != NULL)
            continue;
        if (width == 4)
            *(uint32_t *)field = (uint32_t)value;
        else
            *(uint64_t *)field = value;
    }
}

void code_string_column(struct codec *c, void *array, size_t offset, size_t count, size_t stride)
{
    struct column_state state = {COLUMN_NEW, 0};
    for (size_t i = 0; i < count && !c->in.bad; i++) {
        char *field = (char *)array + i * stride + offset;
        const char **text = (const char **)field;
        uint64_t number = c->out != NULL ? string_number(c->strings, *text) : 0;
        code_relative(c, &state, &number);
        if (c->out == NULL)
            *text = text_of(c, number);
    }
}
