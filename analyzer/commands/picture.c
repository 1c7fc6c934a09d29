/* picture.c - see picture.h. */
#include "picture.h"
#include "command.h"
#include "gnuplot_process.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLUMNS_MIN 50
#define COLUMNS_MAX 160
#define LINES_MIN   16
#define LINES_MAX   44

static int is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && value[0];
}

/* gnuplot's name for a terminal that draws a window, NULL if it has none. */
static const char *window_terminal(void)
{
    static const char *const known[] = {"qt", "wxt", "x11"};
    static const char script[] = "set print '-'\nprint ' '.GPVAL_TERMINALS.' '\n";
    struct gnuplot_output output;
    const char *found = NULL;
    if (gnuplot_run(script, strlen(script), &output) == GNUPLOT_OK)
        for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++) {
            char word[8];
            snprintf(word, sizeof word, " %s ", known[i]);
            if (strstr(output.picture, word))
                found = known[i];
        }
    gnuplot_output_free(&output);
    return found;
}

static int between(int low, int value, int high)
{
    return value < low ? low : value > high ? high : value;
}

static void choose_text(struct picture *picture)
{
    struct winsize size = {0};
    picture->kind = PICTURE_TEXT;
    picture->columns = 79;
    picture->lines = 26;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col) {
        picture->columns = between(COLUMNS_MIN, size.ws_col - 1, COLUMNS_MAX);
        picture->lines = between(LINES_MIN, size.ws_row - 12, LINES_MAX);
    }
}

int picture_choose(struct picture *picture, const char *file)
{
    static const char *const endings[] = {
        [PICTURE_PNG] = ".png", [PICTURE_SVG] = ".svg", [PICTURE_PDF] = ".pdf"};
    *picture = (struct picture){0};
    for (int kind = PICTURE_PNG; file && kind <= PICTURE_PDF; kind++) {
        size_t length = strlen(file);
        if (length > 4 && strcasecmp(file + length - 4, endings[kind]) == 0) {
            picture->kind = (enum picture_kind)kind;
            return 0;
        }
    }
    if (file) {
        complain("plot: %s: is no kind of picture; end its name in .png, .svg or .pdf", file);
        return -1;
    }
    if (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"))
        picture->window = window_terminal();
    if (picture->window)
        picture->kind = PICTURE_WINDOW;
    else
        choose_text(picture);
    return 0;
}

/* The picture is complete in memory: only the disk can fail now, and then no file stays. */
static int write_file(const char *file, const char *bytes, size_t count)
{
    struct stat status;
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int failed = fd < 0;
    while (!failed && count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        failed = written <= 0;
        bytes += failed ? 0 : written;
        count -= failed ? 0 : (size_t)written;
    }
    int error = errno;
    int plain = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    if (fd >= 0 && close(fd) != 0 && !failed) {
        failed = 1;
        error = errno;
    }
    if (!failed)
        return COMMAND_OK;
    complain("%s: cannot be written: %s", file, strerror(error));
    if (plain)
        unlink(file);
    return COMMAND_FAILED;
}

static int explain(int error, const struct gnuplot_output *output)
{
    if (error == GNUPLOT_MISSING)
        complain("plot: gnuplot is not installed; install it (Debian, Ubuntu: apt install "
                 "gnuplot-nox; Fedora, Arch: gnuplot)");
    else if (error == GNUPLOT_IO)
        complain("plot: gnuplot cannot be started: %s", strerror(errno));
    else
        complain("plot: gnuplot failed: %s",
                 output->messages && output->messages[0] ? output->messages : "it says nothing");
    return COMMAND_FAILED;
}

int picture_draw(const struct plot *plot, const struct picture *picture, const char *file)
{
    char *script = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&script, &bytes);
    if (!out) {
        complain("plot: %s", strerror(errno));
        return COMMAND_FAILED;
    }
    gnuplot_script(plot, picture, out);
    fclose(out);
    struct gnuplot_output output;
    int error = gnuplot_run(script, bytes, &output), status = COMMAND_OK;
    free(script);
    if (error == GNUPLOT_OK && output.bytes == 0 && picture->kind != PICTURE_WINDOW)
        error = GNUPLOT_FAILED;
    if (error != GNUPLOT_OK) {
        status = explain(error, &output);
    } else if (file) {
        status = write_file(file, output.picture, output.bytes);
    } else if (picture->kind == PICTURE_TEXT) {
        size_t feed = strspn(output.picture, "\f"); /* gnuplot begins a page */
        fwrite(output.picture + feed, 1, output.bytes - feed, stdout);
        gnuplot_text_legend(plot, picture, stdout);
    }
    gnuplot_output_free(&output);
    return status;
}
