/* run_refusals.c - see run_refusals.h. */
#include "run_refusals.h"
#include "command.h"
#include "recording.h"
#include "settings.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define NAME_ROOM    16 /* for ".spool" and a number before it */
#define DIGITS       "0123456789"
#define WHOLE_DIGITS 12 /* of MiB, in bytes: less than 2^64 */

#define SETTING_VARIABLE(NAME, variable, default_text, help) variable,
static const char *const setting_variables[] = {MPROF_SETTINGS(SETTING_VARIABLE)};

/* Digits, and a fraction, as the recorder reads them; no more than it can count. */
static int is_number(const char *text)
{
    size_t whole = strspn(text, DIGITS), fraction = 0;

    if (whole > 0 && text[whole] == '.')
        fraction = 1 + strspn(text + whole + 1, DIGITS);
    return whole > 0 && whole <= WHOLE_DIGITS && text[whole + fraction] == '\0';
}

static int is_switch(const char *text)
{
    return strcmp(text, "0") == 0 || strcmp(text, "1") == 0;
}

/* Within a recorded tree it may be 0:PID, as an outer run sets it. */
static int is_switch_of_children(const char *text)
{
    int is_outer = strncmp(text, "0:", 2) == 0 && text[2] != '\0';

    return is_switch(text) || (is_outer && text[2 + strspn(text + 2, DIGITS)] == '\0');
}

static int is_hexadecimal(const char *text)
{
    return text[strspn(text, DIGITS "abcdefABCDEF")] == '\0';
}

/* All but MPROF_OUTPUT, which is looked at as -o is. */
static const struct {
    enum setting setting;
    int (*is_right)(const char *value);
    const char *what;
} rules[] = {
    {SETTING_INTERVAL, is_number, "a number of seconds"},
    {SETTING_FREE_STACKS, is_switch, "0 or 1"},
    {SETTING_LIMIT, is_number, "a number of MiB"},
    {SETTING_SELFCHECK, is_number, "a number"},
    {SETTING_CHILDREN, is_switch_of_children, "0 or 1"},
    {SETTING_TREE, is_hexadecimal, "a hexadecimal number"},
};

int run_settings_are_right(void)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const char *variable = setting_variables[rules[i].setting], *value = getenv(variable);
        if (value == NULL || value[0] == '\0' || rules[i].is_right(value))
            continue;
        complain("run: the variable %s: '%s' is not %s; see man 7 libmprof", variable, value,
                 rules[i].what);
        return 0;
    }
    return 1;
}

static int is_no_regular_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int check_path(const char *path)
{
    if (is_no_regular_file(path))
        complain("%s: is not a regular file, so a recording cannot replace it; choose another name "
                 "with -o",
                 path);
    else if (!recording_may_replace(path))
        complain("%s: is there, and no recording, so it would be lost; choose another name with "
                 "-o, or remove it",
                 path);
    else
        return COMMAND_OK;
    return COMMAND_USAGE;
}

int run_check_file(const struct output_name *output)
{
    char *name = output_name_expand(output->file, INT_MAX), *path = NULL;
    const char *folder = strcmp(output->folder, "/") ? output->folder : "";
    int rc = COMMAND_USAGE;

    if (strlen(name) + NAME_ROOM > NAME_MAX)
        complain("%s: the name is too long for a recording; choose a shorter one with -o", name);
    else if (strstr(output->file, "%p") != NULL) /* the pid is not known yet */
        rc = COMMAND_OK;
    else if (asprintf(&path, "%s/%s", folder, name) >= 0)
        rc = check_path(path);
    free(path);
    free(name);
    return rc;
}

int run_make_name(struct output_name *output, const char *wanted)
{
    switch (output_name_make(output, wanted, time(NULL))) {
    case OUTPUT_NAME_EMPTY:
        complain("%s: is a folder, or no name; give the name of a file with -o", wanted);
        return 0;
    case OUTPUT_NAME_PID_IN_FOLDER:
        complain("%s: %%p cannot be part of the folder; put it behind the last slash", wanted);
        return 0;
    case OUTPUT_NAME_SLASH:
        complain("%s: a variable in the file's name has a slash in it; choose another name with -o",
                 wanted);
        return 0;
    case OUTPUT_NAME_NO_FOLDER:
        complain(
            "the working folder cannot be found (%s); go to another one, or give a file outside of "
            "it with -o",
            strerror(errno));
        return 0;
    default:
        return 1;
    }
}
