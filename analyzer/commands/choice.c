/* choice.c - see choice.h. */
#include "choice.h"
#include "command.h"
#include "folder.h"
#include "quality.h"
#include "spool_peek.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPOOL_LARGE (64u << 20)

/* -?digits; a number out of range becomes one that no folder has. */
static int is_index(const char *operand, long *index)
{
    char *end;
    const char *digits = operand + (operand[0] == '-');
    if (!*digits || digits[strspn(digits, "0123456789")] != '\0')
        return 0;
    errno = 0;
    *index = strtol(operand, &end, 10);
    return 1;
}

int choice_exists(const char *name)
{
    struct stat status;
    char *spool = xmalloc(strlen(name) + 8);
    strcat(strcpy(spool, name), ".spool");
    int exists = stat(name, &status) == 0 || stat(spool, &status) == 0;
    free(spool);
    return exists;
}

void choice_say_no_index(const struct folder *folder)
{
    const struct folder_entry *e = folder->entries;
    if (folder->count == 0)
        complain("there is no recording in this folder; make one with mprof-c run, or name a file");
    else
        complain("no recording in this folder has an index, as they were given names of their own; "
                 "name the file, such as %s",
                 e[e[folder->count - 1].root].name);
}

static char *name_of_index(long index, const char *operand)
{
    struct folder folder;
    char *name = NULL;
    if (folder_read(&folder, ".") != 0) {
        complain("the current folder: cannot be read: %s; name a file", strerror(errno));
        folder_free(&folder);
        return NULL;
    }
    const struct folder_entry *entry = folder_at(&folder, index);
    if (entry)
        name = xstrdup(entry->name);
    else if (folder.listed == 0)
        choice_say_no_index(&folder);
    else
        complain("%s: there is no such index, they go from 0 to %zu; see mprof-c list", operand,
                 folder.listed - 1);
    folder_free(&folder);
    return name;
}

int choice_is_index(const char *operand)
{
    long index;
    return !operand || (!choice_exists(operand) && is_index(operand, &index));
}

char *choice_name(const char *operand)
{
    long index = -1;
    if (!choice_is_index(operand))
        return xstrdup(operand);
    if (operand)
        is_index(operand, &index);
    return name_of_index(index, operand ? operand : "-1");
}

/* A recorder that could not begin leaves a spool without a header, with its reason in it. */
static int tell_refusal(const char *name, const char *end)
{
    char reason[SPOOL_REASON_BYTES];
    char *file = xmalloc(strlen(name) + 8);
    strcat(strcpy(file, name), end);
    int is_refusal = spool_peek_refusal(AT_FDCWD, file, reason);
    if (is_refusal)
        complain("%s: nothing was recorded: %s", name, reason);
    free(file);
    return is_refusal;
}

static void explain(const char *name, int error)
{
    int number = errno;
    if (error == RECORDING_IO)
        complain("%s: cannot be read: %s", name, strerror(number));
    else if (error != RECORDING_FOREIGN ||
             !(tell_refusal(name, "") || tell_refusal(name, ".spool")))
        complain("%s: %s", name, recording_strerror(error));
}

/* Collecting a large spool takes a while; whoever sits at a terminal is told. */
static int tell_collecting(const char *name)
{
    struct stat status;
    char *spool = xmalloc(strlen(name) + 8);
    strcat(strcpy(spool, name), ".spool");
    int large = isatty(STDERR_FILENO) && stat(spool, &status) == 0 &&
                (uint64_t)status.st_blocks * 512 > SPOOL_LARGE && access(name, F_OK) != 0;
    free(spool);
    if (large)
        fputs("mprof-c: collecting the recording, this is done once ...", stderr);
    return large;
}

struct recording *choice_open(const char *name)
{
    struct recording *recording = NULL;
    int told = tell_collecting(name);
    int error = recording_open(&recording, name), number = errno;
    if (told)
        fputs("\r\x1b[K", stderr);
    errno = number;
    if (error != RECORDING_OK) {
        explain(name, error);
        return NULL;
    }
    if (recording_image(recording)->process_count == 0) {
        complain("%s: is damaged: it names no process", name);
        recording_close(recording);
        return NULL;
    }
    return recording;
}

static void tell_without_blocks(const struct image *image, const char *name)
{
    if (image_has_only_mappings(image))
        complain("%s: " QUALITY_ONLY_MAPPINGS, name);
    else
        complain("%s: there is no event in the recording: the program allocated nothing, or by an "
                 "allocator of its own that is linked into it",
                 name);
}

void choice_tell(const struct recording *recording, const char *name)
{
    const struct image *image = recording_image(recording);
    if (image->running)
        complain("%s: the program is still running, this is what it did so far", name);
    else if (image->cut)
        complain("%s: the recording is cut, this is what can be read of it", name);
    else if (image_is_without_blocks(image))
        tell_without_blocks(image, name);
}
