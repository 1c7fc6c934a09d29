/* gnuplot_process.c - see gnuplot_process.h. */
#include "gnuplot_process.h"
#include "own_environment.h"
#include "xalloc.h"
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCRIPT, PICTURE, MESSAGES, FILES };

static int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

static char *read_all(int fd, size_t *count)
{
    struct stat status;
    size_t room = fstat(fd, &status) == 0 ? (size_t)status.st_size : 0;
    char *bytes = xmalloc(room + 1);
    *count = 0;
    while (*count < room) {
        ssize_t got = pread(fd, bytes + *count, room - *count, (off_t)*count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        *count += (size_t)got;
    }
    bytes[*count] = '\0';
    return bytes;
}

/* gnuplot repeats the line at fault, marks the place, and then says "line 7: what is wrong". */
static char *first_complaint(char *messages)
{
    char *found = strstr(messages, "line ");
    found = found ? found : messages + strspn(messages, " \t\n^");
    char *line = xstrdup(found);
    line[strcspn(line, "\n")] = '\0';
    free(messages);
    return line;
}

static int start(pid_t *pid, const int files[FILES])
{
    posix_spawn_file_actions_t actions;
    char *arguments[] = {"gnuplot", "-d", NULL};
    char **environment = own_environment_for_helper();
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < FILES; i++)
        posix_spawn_file_actions_adddup2(&actions, files[i], i);
    int error = posix_spawnp(pid, arguments[0], &actions, NULL, arguments, environment);
    own_environment_free(environment);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0)
        return GNUPLOT_OK;
    errno = error;
    return error == ENOENT ? GNUPLOT_MISSING : GNUPLOT_IO;
}

static int run(const int files[FILES], struct gnuplot_output *output)
{
    pid_t pid;
    int status, error = start(&pid, files);
    if (error != GNUPLOT_OK)
        return error;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return GNUPLOT_IO;
    size_t ignored;
    output->picture = read_all(files[PICTURE], &output->bytes);
    output->messages = first_complaint(read_all(files[MESSAGES], &ignored));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? GNUPLOT_OK : GNUPLOT_FAILED;
}

int gnuplot_run(const char *script, size_t bytes, struct gnuplot_output *output)
{
    static const char *const names[FILES] = {"script", "picture", "messages"};
    int files[FILES], result = GNUPLOT_OK;
    *output = (struct gnuplot_output){0};
    for (int i = 0; i < FILES; i++) {
        files[i] = memfd_create(names[i], MFD_CLOEXEC);
        if (files[i] < 0)
            result = GNUPLOT_IO;
    }
    if (result == GNUPLOT_OK &&
        (write_all(files[SCRIPT], script, bytes) != 0 || lseek(files[SCRIPT], 0, SEEK_SET) != 0))
        result = GNUPLOT_IO;
    if (result == GNUPLOT_OK)
        result = run(files, output);
    int saved = errno;
    for (int i = 0; i < FILES; i++)
        if (files[i] >= 0)
            close(files[i]);
    errno = saved;
    return result;
}

void gnuplot_output_free(struct gnuplot_output *output)
{
    free(output->picture);
    free(output->messages);
    *output = (struct gnuplot_output){0};
}
