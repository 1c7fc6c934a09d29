/* output_name.c - see output_name.h. */
#include "output_name.h"
#include "xalloc.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text {
    char *bytes;
    size_t used, room;
};

static void text_add(struct text *t, const char *bytes, size_t count)
{
    if (t->used + count + 1 > t->room) {
        t->room = 2 * (t->used + count + 1);
        t->bytes = xrealloc(t->bytes, t->room);
    }
    memcpy(t->bytes + t->used, bytes, count);
    t->used += count;
    t->bytes[t->used] = '\0';
}

/* Adds the value of %q{VAR}; `p` points after the q. Returns the place after it, NULL if there is
 * no {VAR}. */
static const char *add_variable(struct text *t, const char *p)
{
    char variable[256];
    const char *end = *p == '{' ? strchr(p, '}') : NULL;

    if (end == NULL || (size_t)(end - p) > sizeof variable)
        return NULL;
    memcpy(variable, p + 1, (size_t)(end - p - 1));
    variable[end - p - 1] = '\0';
    const char *value = getenv(variable);
    if (value != NULL)
        text_add(t, value, strlen(value));
    return end + 1;
}

static void add_host(struct text *t)
{
    char host[HOST_NAME_MAX + 1] = "";

    gethostname(host, sizeof host - 1);
    text_add(t, host, strlen(host));
}

char *output_name_expand(const char *pattern, pid_t pid)
{
    struct text t = {0};
    char number[16];

    text_add(&t, "", 0);
    while (*pattern != '\0') {
        const char *next = NULL;
        if (pattern[0] == '%' && pattern[1] == 'p') {
            if (pid == 0) {
                free(t.bytes);
                return NULL;
            }
            text_add(&t, number, (size_t)snprintf(number, sizeof number, "%d", (int)pid));
            next = pattern + 2;
        } else if (pattern[0] == '%' && pattern[1] == 'h') {
            add_host(&t);
            next = pattern + 2;
        } else if (pattern[0] == '%' && pattern[1] == '%') {
            text_add(&t, "%", 1);
            next = pattern + 2;
        } else if (pattern[0] == '%' && pattern[1] == 'q') {
            next = add_variable(&t, pattern + 2);
        }
        if (next == NULL) {
            text_add(&t, pattern, 1);
            next = pattern + 1;
        }
        pattern = next;
    }
    return t.bytes;
}

/* The folder of `wanted`, expanded and absolute. */
static int make_folder(struct output_name *name, const char *wanted, size_t bytes)
{
    struct text t = {0};

    if (wanted == NULL || wanted[0] != '/') {
        char *here = getcwd(NULL, 0);
        if (here == NULL)
            return OUTPUT_NAME_NO_FOLDER;
        text_add(&t, here, strlen(here));
        free(here);
    }
    if (bytes > 0) {
        char *pattern = xmalloc(bytes + 1);
        memcpy(pattern, wanted, bytes);
        pattern[bytes] = '\0';
        char *folder = output_name_expand(pattern, 0);
        free(pattern);
        if (folder == NULL) {
            free(t.bytes);
            return OUTPUT_NAME_PID_IN_FOLDER;
        }
        if (t.used > 0)
            text_add(&t, "/", 1);
        text_add(&t, folder, strlen(folder));
        free(folder);
    }
    if (t.used == 0)
        text_add(&t, "/", 1);
    name->folder = t.bytes;
    return OUTPUT_NAME_OK;
}

/* One pattern for the whole tree: the time is the run's start, the pid each process's own. */
static char *default_file(time_t now)
{
    char file[64];
    struct tm local;

    localtime_r(&now, &local);
    strftime(file, sizeof file, "mprofile_%Y%m%d%H%M%S_%%p.mprof", &local);
    return xstrdup(file);
}

static int file_adds_folder(const char *file)
{
    char *expanded = output_name_expand(file, 1);
    int adds = strchr(expanded, '/') != NULL;

    free(expanded);
    return adds;
}

int output_name_make(struct output_name *name, const char *wanted, time_t now)
{
    const char *slash = wanted != NULL ? strrchr(wanted, '/') : NULL;
    const char *file = slash != NULL ? slash + 1 : wanted;
    struct text pattern = {0};

    *name = (struct output_name){0};
    if (file != NULL && (file[0] == '\0' || strcmp(file, ".") == 0 || strcmp(file, "..") == 0))
        return OUTPUT_NAME_EMPTY;
    int rc = make_folder(name, wanted, slash != NULL ? (size_t)(slash - wanted) : 0);
    if (rc != OUTPUT_NAME_OK)
        return rc;
    name->file = file != NULL ? xstrdup(file) : default_file(now);
    if (file_adds_folder(name->file)) {
        output_name_free(name);
        return OUTPUT_NAME_SLASH;
    }
    for (const char *p = name->folder; *p != '\0'; p++)
        text_add(&pattern, *p == '%' ? "%%" : p, *p == '%' ? 2 : 1);
    if (strcmp(name->folder, "/") != 0)
        text_add(&pattern, "/", 1);
    text_add(&pattern, name->file, strlen(name->file));
    name->pattern = pattern.bytes;
    return OUTPUT_NAME_OK;
}

void output_name_free(struct output_name *name)
{
    free(name->folder);
    free(name->file);
    free(name->pattern);
    *name = (struct output_name){0};
}
