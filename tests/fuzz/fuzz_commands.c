/*
 * Every command on any file: as a recording NAME, its spool or its part. A command ends with a
 * status that is known and a sentence where it fails, and prints nothing that a terminal, gnuplot
 * or a reader of JSON could take for anything but text. Nothing is left of it but the files that
 * a recording may have.
 *
 * Input: a byte for what is written (see write_input), one for the command, then the file or the
 * records (fuzz_files.h) that it is made of.
 */
#include "fuzz.h"
#include "fuzz_files.h"
#include "fuzz_text.h"

#include "debian_package.h"
#include "gnuplot_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define NAME "mprofile_20260101000000_1.mprof"

int analyzer_main(int argc, char **argv);

static char folder[64] = "/dev/shm/mprof-fuzz.XXXXXX";
static int before = -1; /* the folder that we come from */

/* ---- gnuplot: what it would be given is looked at, and it draws a line of text ---- */

int gnuplot_run(const char *script, size_t bytes, struct gnuplot_output *output)
{
    check_text(script, bytes, "a script");
    check_script(script, bytes);
    *output = (struct gnuplot_output){strdup("a picture\n"), 10, strdup("")};
    return GNUPLOT_OK;
}

void gnuplot_output_free(struct gnuplot_output *output)
{
    free(output->picture);
    free(output->messages);
    *output = (struct gnuplot_output){0};
}

/* The packages of this machine would take more time than all the rest. */
void debian_packages(const char *folder_of_lists, const char *const *paths, char **packages,
                     size_t count)
{
    (void)folder_of_lists;
    (void)paths;
    memset(packages, 0, count * sizeof *packages);
}

/* ---- the commands ---- */

static const char *const commands[][8] = {
    {"report", "--addresses", NAME},
    {"report", "--json", NAME},
    {"report", "-n", "2", "--sort", "allocations", NAME},
    {"leaks", "--addresses", NAME},
    {"leaks", "--json", NAME},
    {"peak", NAME},
    {"peak", "--func", "main", "--func", "a...b", NAME},
    {"plot", "-s", "--skip", "main", "-o", "a.svg", NAME},
    {"plot", "-n", "-w", "0,0.0005", "-o", "a.png", NAME},
    {"plot", NAME},
    {"plot", "-o", "a.pdf", NAME, NAME},
    {"list"},
    {"list", "--json"},
    {"peak", "--json", NAME},
    {"clean"},
    {"rm", "--dry-run", "0"},
    {"rm", NAME},
    {"report", NAME ".spool"},
    {"report", NAME ".part"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void run(const char *const *words)
{
    char *argv[10] = {"mprof-c"};
    int argc = 1, is_json = 0;
    struct fuzz_output out, err;

    for (; argc < 9 && words[argc - 1]; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
        is_json |= strcmp(argv[argc], "--json") == 0;
    }
    fuzz_catch(&out, &stdout);
    fuzz_catch(&err, &stderr);
    int status = analyzer_main(argc, argv);
    fuzz_release(&err, &stderr);
    fuzz_release(&out, &stdout);
    if (status != 0 && status != 1)
        fuzz_fail("%s: status %d", argv[1], status);
    if (status != 0 && err.bytes == 0)
        fuzz_fail("%s: fails without a word", argv[1]);
    check_text(err.text, err.bytes, "standard error");
    check_text(out.text, out.bytes, "standard output");
    if (is_json && status == 0)
        check_json(out.text);
    free(out.text);
    free(err.text);
}

/* ---- files ---- */

static void write_file(const char *name, int from)
{
    struct stat status;
    int to = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (to < 0 || fstat(from, &status) != 0 || ftruncate(to, status.st_size) != 0)
        fuzz_fail("%s cannot be written", name);
    for (off_t at = 0; (at = lseek(from, at, SEEK_DATA)) >= 0;) { /* holes stay */
        off_t end = lseek(from, at, SEEK_HOLE);
        lseek(to, at, SEEK_SET);
        while (at < end && sendfile(to, from, &at, (size_t)(end - at)) > 0)
            ;
    }
    close(to);
    close(from);
}

static void write_input(unsigned what, const uint8_t *data, size_t size)
{
    switch (what % 6) {
    case 0:
        write_file(NAME, fuzz_file(data, size));
        break;
    case 1:
        write_file(NAME ".spool", fuzz_file(data, size));
        break;
    case 2:
        write_file(NAME, capture_of_records(data, size));
        break;
    case 3:
        write_file(NAME ".spool", spool_of_records(data, size));
        break;
    case 4:
        write_file(NAME ".part", capture_of_records(data, size));
        break;
    case 5: /* a cut capture beside a spool, which may be the same recording's */
        write_file(NAME, capture_of_records(data, size / 2));
        write_file(NAME ".spool", spool_of_records(data + size / 2, size - size / 2));
        break;
    }
}

static void empty_folder(void)
{
    static const char *const may_be[] = {NAME,    NAME ".spool", NAME ".part",
                                         "a.svg", "a.png",       "a.pdf"};
    DIR *files = opendir(".");
    for (struct dirent *e; (e = readdir(files)) != NULL;) {
        int known = e->d_name[0] == '.';
        for (size_t i = 0; i < sizeof may_be / sizeof *may_be; i++)
            known |= strcmp(e->d_name, may_be[i]) == 0;
        if (!known)
            fuzz_fail("a file %s was left", e->d_name);
        if (e->d_name[0] != '.')
            unlink(e->d_name);
    }
    closedir(files);
}

static void remove_folder(void)
{
    if (chdir(folder) == 0)
        empty_folder();
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
    before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!mkdtemp(folder) || before < 0)
        fuzz_fail("no folder %s", folder);
    atexit(remove_folder);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (chdir(folder) != 0)
        fuzz_fail("no folder %s", folder);
    write_input(data[0], data + 2, size - 2);
    run(commands[data[1] % COMMANDS]);
    empty_folder();
    return fchdir(before);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    unsigned what = size ? data[0] % 6 : 0;
    if (size < 3 || what < 2 || seed % 64 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    if (seed % 8 == 1)
        data[1] = (uint8_t)(seed >> 8);
    return 2 + (what == 3 ? spool_mutate(data + 2, size - 2, max_size - 2, seed)
                          : records_mutate(data + 2, size - 2, max_size - 2, seed));
}
