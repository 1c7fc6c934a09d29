/* run_refusals.c - see run_refusals.h. */
#include "run_refusals.h"
#include "command.h"
#include "recording.h"
#include "settings.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_ROOM 16 /* for ".spool" and a number before it */

#define SETTING_VARIABLE(NAME, variable, default_text, help) variable,
static const char *const setting_variables[] = {MPROF_SETTINGS(SETTING_VARIABLE)};

static const struct {
    enum setting setting;
    const char *what;
} numbers[] = {
    {SETTING_LIMIT, "a number of MiB"},
    {SETTING_SELFCHECK, "a number"},
};

/* Digits, and a fraction, as the recorder reads them. */
static int is_number(const char *text)
{
    size_t whole = strspn(text, "0123456789");

    if (whole > 0 && text[whole] == '.')
        whole += 1 + strspn(text + whole + 1, "0123456789");
    return whole > 0 && text[whole] == '\0';
}

int run_settings_are_right(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *variable = setting_variables[numbers[i].setting], *value = getenv(variable);
        if (value == NULL || value[0] == '\0' || is_number(value))
            continue;
        complain("run: the variable %s: '%s' is not %s; see man 7 libmprof", variable, value,
                 numbers[i].what);
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
