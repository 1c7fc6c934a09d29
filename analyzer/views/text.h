/*
 * text.h - text of unknown origin (names, paths, command lines) made fit to be shown.
 *
 * A name in a recording may hold anything: terminal escapes, newlines, marks that turn the
 * direction of writing, bytes that are no UTF-8. text_clean makes one line of valid UTF-8 out of
 * it; the rest works on such lines. Results are new strings for free(). Any thread.
 */
#ifndef MPROF_TEXT_H
#define MPROF_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of the valid UTF-8 character at p (1-4), 0 where there is none. Surrogates and overlong
 * forms are not valid. */
size_t text_character(const char *p);

/* The code point of the valid character at p. */
uint32_t text_code(const char *p);

/* Must a character not reach a terminal as it is? Controls, and what changes the order or the lines
 * of the text around it: marks of direction, line and paragraph separators, noncharacters. */
int text_is_control(uint32_t code);

/* Control characters as \xNN or \u{NNNN}, invalid bytes as U+FFFD. */
char *text_clean(const char *text);

/* Columns of a clean text, counted one per character. */
size_t text_width(const char *text);

/* Stands for what was cut out of a text. */
#define TEXT_ELLIPSIS "\xe2\x80\xa6"

/* Clean and at most `width` columns: what is too much is cut out at the front (keep_end) or in the
 * middle, and leaves an ellipsis. */
char *text_fit(const char *text, size_t width, int keep_end);

/* The same of a command line (text_command), cut in the middle: quotes stay pairs. */
char *text_fit_command(const char *command, size_t width);

/* The name of a function as it reads best in `width` columns: parameters, return type and ABI tags
 * left out, "(anonymous namespace)" kept as "(anon)". Template arguments stay, if need be with
 * their middles cut out. Where there is no room for any, the innermost parts of a C++ or Rust path
 * are kept. */
char *text_short_name(const char *function, size_t width);

/* The same without template arguments, and without the address that distinguishes two static
 * functions: "Box::open". */
char *text_bare_name(const char *function);

/* argv as one clean line; arguments with blanks in single quotes. */
char *text_command(char *const *argv, size_t argc);

/* A name as a shell takes it for one word: in single quotes where it needs them. Clean. */
char *text_word(const char *name);

/* Prints head, then a list ("a, b (c)") in lines of at most `width` columns, broken between its
 * items. */
void text_list(const char *head, const char *list, size_t width, FILE *out);

/* The same for words: a line breaks at a blank, or within a word that is too long for a line. */
void text_words(const char *head, const char *words, size_t width, FILE *out);

#endif
