/* own_environment.c - see own_environment.h. */
#include "own_environment.h"
#include "xalloc.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD"
#define LIBRARY "libmprof.so"

/* Is [text, text + bytes) the recorder, by whatever path? */
static int is_recorder(const char *text, size_t bytes)
{
    size_t name = strlen(LIBRARY);

    return bytes >= name && memcmp(text + bytes - name, LIBRARY, name) == 0 &&
           (bytes == name || text[bytes - name - 1] == '/');
}

void own_environment_clear(void)
{
    const char *old = getenv(PRELOAD);

    if (old == NULL || strstr(old, LIBRARY) == NULL)
        return;
    char *kept = xcalloc(strlen(old) + 1, 1), *end = kept;
    for (const char *entry = old; *entry != '\0'; entry += strspn(entry, " :")) {
        size_t bytes = strcspn(entry, " :");
        if (bytes > 0 && !is_recorder(entry, bytes)) {
            if (end > kept)
                *end++ = ':';
            memcpy(end, entry, bytes);
            end += bytes;
        }
        entry += bytes;
    }
    if (end > kept)
        setenv(PRELOAD, kept, 1);
    else
        unsetenv(PRELOAD);
    free(kept);
}

/* Variables to keep, and beginnings of their names. Any other could change a picture, and some do:
 * GNUTERM, GNUPLOT_*, GDFONTPATH, PANGOCAIRO_BACKEND, LC_*. */
static const char *const kept[] = {"PATH=",
                                   "HOME=",
                                   "USER=",
                                   "LOGNAME=",
                                   "TMPDIR=",
                                   "LD_",
                                   "FONTCONFIG_",
                                   "XDG_",
                                   "DISPLAY=",
                                   "WAYLAND_",
                                   "XCURSOR_",
                                   "XAUTHORITY=",
                                   "SESSION_MANAGER=",
                                   "QT_",
                                   "DBUS_",
                                   "GNUPLOT_DRIVER_DIR=",
                                   "SOURCE_DATE_EPOCH="};

/* The locale: characters are UTF-8, numbers have a point. The setting: a helper is never a first
 * process, even where the recorder comes by another way than LD_PRELOAD. */
static const char *const added[] = {"LC_ALL=C.UTF-8", "MPROF_CHILDREN=0:0"};

static int is_kept(const char *variable)
{
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strncmp(variable, kept[i], strlen(kept[i])) == 0)
            return 1;
    return 0;
}

char **own_environment_for_helper(void)
{
    size_t count = sizeof added / sizeof *added + 1, used = 0;

    for (char **variable = environ; *variable != NULL; variable++)
        count++;
    char **made = xcalloc(count, sizeof *made);
    for (char **variable = environ; *variable != NULL; variable++)
        if (is_kept(*variable))
            made[used++] = xstrdup(*variable);
    for (size_t i = 0; i < sizeof added / sizeof *added; i++)
        made[used++] = xstrdup(added[i]);
    return made;
}

void own_environment_free(char **environment)
{
    for (char **variable = environment; *variable != NULL; variable++)
        free(*variable);
    free(environment);
}
