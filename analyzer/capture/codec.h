/*
 * codec.h - one description of a record for both directions.
 *
 * A function that names a record's fields in order, code_u64(c, &t->frees); .., writes them where
 * the codec has an output and fills them in where it has an input, so that the two cannot differ.
 * Reading checks only that the numbers are there and fit: if not, `bad` is set at the end, and
 * whoever reads an index compares it with its table.
 *
 * Arrays of structs are coded field by field ("columns"), which compresses better.
 */
#ifndef MPROF_CODEC_H
#define MPROF_CODEC_H

#include "bytes.h"

/* Texts by number, each stored once. Number 0 is "". When writing, a text of more than
 * CAPTURE_TEXT_MAX bytes is replaced by a shortened one (shorten.h), which the table owns. */
struct string_table {
    const char **texts;
    size_t count, capacity;
    char **shortened;
    size_t shortened_count, shortened_capacity;
    uint32_t *slots; /* when writing: hash of texts, 1 + number, 0 empty */
    size_t slot_count;
};

/* Number of this text, which must live as long as the table. */
uint32_t string_number(struct string_table *t, const char *text);
void string_append(struct string_table *t, const char *text); /* without looking it up */
void string_table_free(struct string_table *t);

struct codec {
    struct bytes *out; /* writing; NULL: reading */
    struct cursor in;
    struct string_table *strings;
};

void code_u64(struct codec *c, uint64_t *value);
void code_u32(struct codec *c, uint32_t *value);
void code_int(struct codec *c, int *value); /* zigzag; int32_t on every machine we know */
void code_string(struct codec *c, const char **text);
/* Reading: bad where fewer than count * least bytes are left. */
void code_count(struct codec *c, size_t *count, size_t least);

enum column_form {
    COLUMN_PLAIN,      /* the number */
    COLUMN_DIFFERENCE, /* zigzag difference to the previous entry, the first one's to 0 */
    COLUMN_NEW,        /* zigzag of (highest so far + 1) - number: 0 for one not seen yet */
};

/* Codes the field at `offset` of each struct in the array (NULL where there is none). */
void code_column(struct codec *c, void *array, size_t offset, size_t count, size_t stride,
                 size_t width, enum column_form form);
/* COLUMN(c, array, count, field, form): field is a uint32_t or uint64_t */
#define COLUMN(c, array, count, field, form)                                                       \
    code_column((c), (array), offsetof(__typeof__(*(array)), field), (count), sizeof *(array),     \
                sizeof(array)->field, (form))
/* The same for a const char *: string numbers as COLUMN_NEW. */
void code_string_column(struct codec *c, void *array, size_t offset, size_t count, size_t stride);
#define STRING_COLUMN(c, array, count, field)                                                      \
    code_string_column((c), (array), offsetof(__typeof__(*(array)), field), (count),               \
                       sizeof *(array))

#endif
