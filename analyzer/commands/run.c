/* run.c - mprof-c run: starts a program under the recorder and collects while it runs. */
#include "boot_clock.h"
#include "collecting.h"
#include "command.h"
#include "elf_check.h"
#include "gather.h"
#include "last_resort.h"
#include "launch.h"
#include "options.h"
#include "output_name.h"
#include "preload_name.h"
#include "run_refusals.h"
#include "run_summary.h"
#include "sampler.h"
#include "settings.h"
#include "supervise.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETTING_VARIABLE(NAME, variable, default_text, help) variable,
static const char *const setting_variables[] = {MPROF_SETTINGS(SETTING_VARIABLE)};
#define SETTING_COUNT (sizeof setting_variables / sizeof setting_variables[0])

enum { EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

#define WAIT_MS         50   /* between two looks whether there is still memory to collect with */
#define PATIENCE_MS     1000 /* after the program's end, before we say that it takes longer */
#define NOT_GIVEN       (-1)
#define BEFORE_EXEC_RSS (1u << 20) /* more than a child touches between fork and exec */

struct values {
    const char *output;
    double interval;
    double timeout;
    int exit_code; /* accepted for mprof's sake: the status always passes */
    int quiet;
    int no_children;
    int free_stacks;
};

static const struct option options[] = {
    {'o', "output", OPTION_TEXT, "FILE", offsetof(struct values, output), NULL,
     "record into FILE; %p is the pid, %h the host, %q{VAR} an environment variable. An older "
     "recording is replaced when the new one is complete; any other file is not, and refused"},
    {'T', "interval", OPTION_SECONDS, "S", offsetof(struct values, interval), NULL,
     "seconds between two samples of the resident set (without it what MPROF_INTERVAL says, or "
     "0.1); 0 takes none. What outlives run is sampled at its events, every 0.1 s"},
    {'t', "timeout", OPTION_SECONDS, "S", offsetof(struct values, timeout), NULL,
     "end the program and its descendants after S seconds, with exit status 124; 0: never"},
    {'E', "exit-code", OPTION_FLAG, NULL, offsetof(struct values, exit_code), NULL,
     "pass the program's exit status on; this is always done, mprof's option is accepted"},
    {'q', "quiet", OPTION_FLAG, NULL, offsetof(struct values, quiet), NULL,
     "no summary at the end"},
    {0, "no-children", OPTION_FLAG, NULL, offsetof(struct values, no_children), NULL,
     "record the first process only, not those that it forks or starts"},
    {0, "free-stacks", OPTION_FLAG, NULL, offsetof(struct values, free_stacks), NULL,
     "record the stack of every free and unmapping, too, so that the brackets of plot end where a "
     "function freed "
     "last; what that costs is said above"},
    {0}};

static const struct example examples[] = {
    {"mprof-c run ./app input.txt", "record ./app"},
    {"mprof-c run -o app.%p.mprof make", "one named file for each process of a build"},
    {"mprof-c run -t 10 ./server", "ten seconds of a server"},
    {"mprof-c run --no-children make", "make itself, without its compilers"},
    {"mprof-c run --free-stacks ./app", "with brackets that end exactly"},
    {0}};

struct session {
    struct values values;
    char **argv;
    char *program; /* the file behind argv[0], NULL if none was found */
    struct output_name output;
    struct elf_report elf;
    char *library; /* NULL: the program runs without */
    uint64_t tree;
    pid_t parent;           /* of the program */
    int has_files;          /* enough to collect with */
    struct gather *gather;  /* NULL without a library */
    uint64_t inherited_rss; /* resident before the child's exec: a maximum near it says nothing */
};

/* ---- before the start: everything that can be wrong is said now ---- */

/* The variable's value; NULL where it has none. Within a tree that is already recorded it is that
 * tree's, not ours. */
static const char *own_setting(enum setting setting)
{
    const char *value = getenv(setting_variables[setting]);
    int is_ours = getenv(setting_variables[SETTING_TREE]) == NULL;

    return is_ours && value != NULL && value[0] != '\0' ? value : NULL;
}

/* Returns the exit status, 0 where all is well. */
static int check_output(struct session *s)
{
    if (s->values.output == NULL)
        s->values.output = own_setting(SETTING_OUTPUT);
    const char *wanted = s->values.output;

    if (!run_make_name(&s->output, wanted))
        return COMMAND_FAILED;
    if (!s->has_files)
        return COMMAND_OK; /* nothing can be looked at, and nothing will be replaced */
    s->gather = gather_open(s->output.folder, s->tree);
    if (s->gather == NULL || faccessat(AT_FDCWD, s->output.folder, W_OK | X_OK, AT_EACCESS) != 0) {
        complain("%s: cannot be written to (%s); choose another folder with -o", s->output.folder,
                 strerror(errno));
        return COMMAND_FAILED;
    }
    return run_check_file(&s->output);
}

static int check_library(struct session *s)
{
    char *own = launch_own_path();

    s->library = own != NULL ? launch_find_library(own) : NULL;
    if (s->library == NULL)
        complain("libmprof.so is neither beside %s nor in ../lib; build or install mprof-c again",
                 own != NULL ? own : "mprof-c");
    free(own);
    if (s->library == NULL)
        return 0;
    char *name = preload_name(s->library);
    if (name == NULL)
        complain("%s: a library cannot be preloaded by a path with a blank, a colon or a $ in it, "
                 "and no "
                 "link to it could be made in /tmp; install mprof-c elsewhere, or set TMPDIR",
                 s->library);
    free(s->library);
    s->library = name;
    return name != NULL;
}

static void check_program(struct session *s)
{
    char sentence[512];

    s->program = launch_find_program(s->argv[0]);
    if (s->program == NULL)
        return; /* the start itself will say why */
    elf_check(s->program, &s->elf);
    const char *why = elf_check_sentence(&s->elf, sentence, sizeof sentence);
    if (why != NULL)
        complain("%s: %s", s->elf.file, why);
    if (!elf_check_may_preload(s->elf.verdict)) {
        free(s->library);
        s->library = NULL;
        gather_free(s->gather);
        s->gather = NULL;
    }
}

/* ---- the start ---- */

/* What an option goes by that is not given. */
static void take_settings(struct session *s)
{
    const char *children = own_setting(SETTING_CHILDREN), *interval = own_setting(SETTING_INTERVAL);

    if (children != NULL && strcmp(children, "0") == 0)
        s->values.no_children = 1;
    if (s->values.interval < 0)
        s->values.interval = interval != NULL ? strtod(interval, NULL) : 0.1;
}

/* Records only the child of this process or, where a variable of an outer tree says otherwise, all
 * processes. */
static void set_children(const struct session *s, struct launch_setting *setting, char *text,
                         size_t bytes)
{
    if (!s->values.no_children && getenv(setting_variables[SETTING_CHILDREN]) == NULL)
        return;
    if (s->values.no_children)
        snprintf(text, bytes, "0:%d", (int)s->parent);
    else
        snprintf(text, bytes, "1");
    *setting = (struct launch_setting){setting_variables[SETTING_CHILDREN], text};
}

static char **make_environment(const struct session *s)
{
    char tree[32], children[32];
    struct launch_setting set[SETTING_COUNT + 1] = {
        {setting_variables[SETTING_OUTPUT], s->output.pattern},
        /* mprof-c takes the samples itself, but not of what outlives it */
        {setting_variables[SETTING_INTERVAL], s->values.interval > 0 ? "0.1" : "0"},
        {setting_variables[SETTING_TREE], tree},
    };
    size_t count = 3;

    snprintf(tree, sizeof tree, "%016llx", (unsigned long long)s->tree);
    if (s->values.free_stacks)
        set[count++] = (struct launch_setting){setting_variables[SETTING_FREE_STACKS], "1"};
    set_children(s, &set[count], children, sizeof children);
    if (s->library == NULL)
        set[0] = (struct launch_setting){0};
    return launch_environment(environ, s->library, set);
}

static int cannot_start(const struct session *s, int error)
{
    const char *name = s->argv[0];

    if (s->program == NULL && (error == ENOENT || error == ENOTDIR)) {
        complain("%s: no such program; check the name%s", name,
                 strchr(name, '/') != NULL ? "" : " and PATH");
        return EXIT_NOT_FOUND;
    }
    if (error == ENOENT)
        complain("%s: cannot be run: the interpreter or loader that it asks for does not exist",
                 name);
    else
        complain("%s: cannot be run: %s", name, strerror(error));
    return EXIT_CANNOT_RUN;
}

/* Every recorded process of the tree may cost four files: spool, capture, and two of the sampler's.
 */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static struct ending ending_of(int status)
{
    if (WIFSIGNALED(status))
        return (struct ending){END_SIGNAL, WTERMSIG(status), ""};
    return (struct ending){END_CODE, WEXITSTATUS(status), ""};
}

/* Where children are not recorded the largest of them may be meant by the kernel's maximum. */
static struct root_end end_of(const struct session *s, const struct supervised *result)
{
    struct root_end end = {.ending = ending_of(result->status), .boottime_ns = boot_clock_ns()};

    if (!s->values.no_children && result->max_rss_bytes > s->inherited_rss + BEFORE_EXEC_RSS)
        end.rss_mark = result->max_rss_bytes;
    return end;
}

/* Waits at most `ms` milliseconds (-1: as long as it takes). Returns 1 when all is collected. */
static int wait_for_collecting(struct collecting *collecting, int ms)
{
    for (int waited = 0; ms < 0 || waited < ms; waited += WAIT_MS) {
        if (collecting_wait(collecting, WAIT_MS))
            return 1;
        if (last_resort_taken())
            last_resort_end();
    }
    return 0;
}

/* Collects everything recorded so far; a user who has to wait is told why. */
static void collect_the_rest(const struct session *s, struct collecting *collecting,
                             struct root_end end)
{
    collecting_end(collecting, end);
    if (!wait_for_collecting(collecting, PATIENCE_MS)) {
        if (isatty(STDERR_FILENO) && !s->values.quiet)
            complain("the program has ended; the rest of its recording is being collected");
        wait_for_collecting(collecting, -1);
    }
    collecting_free(collecting);
}

/* The folder as it is shown before a recording's name. */
static char *shown_folder(const struct session *s)
{
    const char *given = s->values.output;
    const char *slash = given != NULL ? strrchr(given, '/') : NULL;
    char *folder;

    if (slash == NULL)
        return xstrdup("");
    if (memchr(given, '%', (size_t)(slash - given)) != NULL)
        return asprintf(&folder, "%s/", s->output.folder) > 0 ? folder : xstrdup("");
    folder = xstrdup(given);
    folder[slash + 1 - given] = '\0';
    return folder;
}

static char *shown_name(const struct session *s, const char *name)
{
    char *folder = shown_folder(s), *shown = xmalloc(strlen(folder) + strlen(name) + 1);

    stpcpy(stpcpy(shown, folder), name);
    free(folder);
    return shown;
}

static void record(struct session *s, struct proc_identity root, const sigset_t *watched,
                   uint64_t begin_ns, struct supervised *result)
{
    last_resort_begin(&(struct last_resort){result, root, watched, s->values.timeout, begin_ns});
    raise_file_limit();
    if (s->gather == NULL) {
        supervise(result, root, watched, NULL, s->values.timeout, begin_ns);
        return;
    }
    char *wanted = output_name_expand(s->output.file, root.pid);
    char *shown = shown_name(s, wanted);
    last_resort_name(shown);
    struct sampler *sampler = sampler_start(s->values.interval);
    gather_begin(s->gather, root, wanted, sampler);
    free(wanted);
    struct collecting *collecting = collecting_start(s->gather);
    supervise(result, root, watched, collecting, s->values.timeout, begin_ns);
    last_resort_root_ended();
    collect_the_rest(s, collecting, end_of(s, result));
    sampler_stop(sampler);
    last_resort_name(NULL);
    free(shown);
}

/* ---- after the end ---- */

static void close_with_summary(const struct session *s, const struct supervised *end)
{
    char *folder = shown_folder(s);
    struct run_summary summary = {.program = s->argv[0],
                                  .folder = folder,
                                  .named = s->values.output != NULL,
                                  .expected = s->elf.verdict != ELF_STATIC,
                                  .supervised = end,
                                  .gather = s->gather};

    run_summary_complain(&summary);
    if (!s->values.quiet)
        run_summary_print(&summary);
    free(folder);
}

static void make_room(const struct session *s)
{
    char *wanted = output_name_expand(s->output.file, 0); /* NULL: with a pid, which is to come */

    if (s->gather != NULL && wanted != NULL)
        gather_remove_stubs(s->gather, wanted);
    free(wanted);
}

/* Returns only where that fails, the exec's errno. */
static int take_own_place(struct session *s, int error, const struct launch_signals *before)
{
    s->parent = getppid();
    char **environment = make_environment(s);
    last_resort_say(s->argv[0], error, s->library != NULL);
    error = launch_become(s->program, s->argv, environment, before);
    launch_free_environment(environment);
    return error;
}

static int start(struct session *s, const struct launch_signals *before, pid_t *pid)
{
    char **environment = make_environment(s);
    int error = s->has_files ? launch_start(s->program, s->argv, environment, before, pid) : EMFILE;

    launch_free_environment(environment);
    /* Nobody would be there to end it when its time is up. */
    if (!last_resort_is_for(error) || s->program == NULL || s->values.timeout > 0)
        return error;
    return take_own_place(s, error, before);
}

static int start_and_watch(struct session *s)
{
    struct launch_signals before;
    struct supervised end;
    struct proc_stat stat;
    sigset_t watched;
    pid_t pid;

    make_room(s);
    s->inherited_rss = proc_inherited_resident();
    launch_take_signals(&before, &watched);
    uint64_t begin_ns = supervise_clock_ns();
    int error = start(s, &before, &pid);
    if (error != 0)
        return cannot_start(s, error);
    struct proc_identity root = {pid, proc_stat_read(pid, &stat) ? stat.start_time : 0};
    record(s, root, &watched, begin_ns, &end);
    close_with_summary(s, &end);
    last_resort_over();
    return run_exit_status(&end);
}

static void make_tree(struct session *s)
{
    if (getrandom(&s->tree, sizeof s->tree, 0) != sizeof s->tree)
        s->tree = supervise_clock_ns() << 20 ^ (uint64_t)getpid();
    s->tree |= 1; /* 0 means no tree */
}

static int run(const struct invocation *call)
{
    struct session s = {.values = {.interval = NOT_GIVEN},
                        .parent = getpid(),
                        .has_files = last_resort_has_files()};
    struct operands operands;
    int rc = options_parse(call, &s.values, &operands);

    if (rc != OPTIONS_GO)
        return options_exit(rc);
    s.argv = operands.names;
    if (!run_settings_are_right())
        return COMMAND_USAGE;
    make_tree(&s);
    take_settings(&s);
    rc = check_output(&s);
    if (rc == COMMAND_OK && !check_library(&s))
        rc = COMMAND_FAILED;
    if (rc == COMMAND_OK) {
        check_program(&s);
        rc = start_and_watch(&s);
    }
    gather_free(s.gather);
    output_name_free(&s.output);
    free(s.program);
    free(s.library);
    return rc;
}

const struct command command_run = {
    .name = "run",
    .operands = "[--] PROGRAM [ARGUMENT ...]",
    .operand_kind = OPERANDS_PROGRAM,
    .operands_min = 1,
    .operands_max = -1,
    .summary = "record a program and all the processes that it starts",
    .description =
        "Starts PROGRAM with the recorder preloaded and collects what it records while it runs. "
        "When the program has ended, its recording is complete and a summary is printed on "
        "stderr: the program's own figures (of one that only starts others, see report, those "
        "of all its processes together, and the biggest of them; of one that replaced itself by "
        "exec those of what it became last, by that one's clock, and what it was before if it held "
        "more so), and what was lost or is not "
        "known of it and of all processes that it started, summed. Recordings that are cut are "
        "named, and what a recorded process became by exec that has none. The peak is that of "
        "memory; "
        "where something was mapped then its two parts follow, the heap and mapped memory at that "
        "moment, but for one that is 0. "
        "Without -o the recording is mprofile_YYYYmmddHHMMSS_PID.mprof in the current folder; each "
        "process that the program starts has one of its own, which belongs to it. "
        "An older recording of -o's name goes when the new one is complete, and with it those of "
        "its tree, FILE.1, FILE.2 and so on.\n\n"
        "The program's standard streams, arguments and exit status are its own. If it dies of a "
        "signal, mprof-c dies of the same. TERM and HUP are passed on to the program, INT and QUIT "
        "are left to it. The exit status is 127 if the program does not exist, 126 if it cannot be "
        "run, and 124 if its time was up.\n\n"
        "Frees and unmappings are recorded without their stacks, as these would say little but "
        "when "
        "a function that holds memory ends. With --free-stacks all that releases memory has them: "
        "plot's brackets then end where a function last allocated or released something. "
        "Recording takes some 1.3 (Python) to 1.6 times (SQLite) the processor time then, and a "
        "tenth more of disk until it is collected.\n\n"
        "Programs that cannot be recorded (statically linked, setuid, built with a sanitizer, of "
        "the C library musl, for another processor) run all the same, and a sentence says so; of "
        "one with its own malloc only mappings are recorded. The last lines name, of all "
        "processes, the programs of which only mappings were recorded (\"no heap\"): they never "
        "called malloc, or have one of their own. Where there are too few files or processes to "
        "collect with, the program takes the place of run, and a sentence says how to complete "
        "what it records. Processes that "
        "still run when the program has ended go on recording; any command that reads their "
        "recording completes it.",
    .options = options,
    .examples = examples,
    .run = run,
};
