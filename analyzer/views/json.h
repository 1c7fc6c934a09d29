/*
 * json.h - a writer of JSON: it keeps the commas, the indentation and the escapes right.
 *
 * Strings may hold anything; bytes that are no UTF-8 come out as U+FFFD. Numbers are written plain
 * and locale-free, seconds with nine decimals (a nanosecond). The caller pairs begin and end. A
 * failed write is left to the stream's own error flag. `key` is NULL inside an array.
 */
#ifndef MPROF_JSON_H
#define MPROF_JSON_H

#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    int depth;
    int first; /* nothing was written yet at this depth */
};

void json_start(struct json *j, FILE *out); /* opens the outermost object */
void json_finish(struct json *j);           /* closes it and ends the line */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_end_array(struct json *j);
void json_string(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, uint64_t number);
void json_integer(struct json *j, const char *key, int64_t number);
void json_seconds(struct json *j, const char *key, uint64_t ns);
void json_null(struct json *j, const char *key);
void json_boolean(struct json *j, const char *key, int value);

#endif
