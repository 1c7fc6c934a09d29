/* manual.c - see manual.h. */
#include "manual.h"
#include "function_names.h"
#include "roff.h"
#include "settings.h"
#include <string.h>

struct key {
    const char *name, *meaning;
};

/* Documented once, here; test_json.c compares them with what report and leaks write. */
static const struct key report_keys[] = {
    {"command", "array of strings: the command line"},
    {"pid", "process id"},
    {"start", "start of the recording, seconds since 1970"},
    {"begin_s", "when the process began: like all times, in seconds since the recording's start; "
                "more than 0 of a forked child"},
    {"duration_s", "seconds from its begin to its end"},
    {"exit",
     "how the process ended: an object with code (exit status; null where the recorder saw the "
     "process come to its exit, and nobody the status), signal (number) or exec (path of "
     "the program that it became), or null where nobody saw it"},
    {"cut", "true: the file ended early, the figures are of what could be read"},
    {"figures", "what they are of a file that ended early: whole, \"of events\" (of those that are "
                "left, up to the end as it is shown), or missing (neither they nor an event is "
                "left; all are 0)"},
    {"running", "true: the program was still running"},
    {"totals",
     "object: allocations, frees, allocated_bytes (lost ones are counted, too), peak_bytes and "
     "peak_time_s (highest live heap), "
     "live_at_end_bytes, live_at_end_blocks, temporary (allocations whose free was the next heap "
     "event of their thread), mapped_peak_bytes, mapped_peak_time_s and mapped_at_end_bytes "
     "(mapped "
     "memory, not part of the heap), memory_peak_bytes and memory_peak_time_s (heap and mapped "
     "memory together), of that mapped_at_memory_peak_bytes, maps and unmaps (calls, see "
     "libmprof(7); 0 "
     "where a recording without its end does not tell), "
     "reserved_peak_bytes and reserved_at_end_bytes (address space that was never writable, or has "
     "lost all access), "
     "file_peak_bytes and file_at_end_bytes (mapped files), with --tree reserved_peak_bytes and "
     "file_peak_bytes are sums of each process's own highest, not what all had at once, and what "
     "was there at the end of what each had at its own end, "
     "rss_peak_bytes (highest sample of the resident set, 0 without samples), rss_high_water_bytes "
     "(the kernel's own highest, read at each sample, at an exit and before an exec, or a sample "
     "that "
     "is a little higher, as the kernel counts in batches; 0 unknown; with --tree that of the "
     "largest process), failed_allocations (see failed; they are "
     "not among the allocations)"},
    {"quality",
     "object, all 0 in a perfect recording: lost (events for which there was no room), of these "
     "lost_allocations with lost_bytes and lost_frees, lost_since_s (the time of the first), "
     "unplaced_children (forked children for which there was no room, with unplaced_events), "
     "unmatched_frees (of addresses nobody allocated), implied_frees (not seen, but the address "
     "was given out again), inherited (blocks that lived before the process began), "
     "truncated_stacks (allocations whose stack is incomplete), unresolved_frames (places in the "
     "code without a name), nameless_modules and undebugged_modules (see modules), shortened "
     "(names and other texts too long to be kept whole), left_out "
     "(entries of lists too long to be kept whole, the smallest), selfcheck_differences (stacks "
     "that libunwind sees otherwise, of the "
     "selfcheck_compared ones that MPROF_SELFCHECK had it look at)"},
    {"modules", "array of objects, of the programs and libraries of which something is missing "
                "that could be expected: module (its path), missing (names; or debug information: "
                "lines and inlined calls) and reason"},
    {"functions",
     "array of objects: name, module (path of the program or library), file and line of the "
     "declaration (empty and 0 where there is no debugging information), offset (where it begins "
     "in "
     "its module's ELF file, a text like 0x11b1, as addr2line -e takes it; null where that is not "
     "known: of functions that were inlined everywhere, outside of all modules, and in recordings "
     "of version 1), build_id (the module's, in hexadecimal digits; empty where it has none or it "
     "is not known), self and inclusive, "
     "mapped_self, mapped_inclusive, memory_self, memory_inclusive, and "
     "mapped_self_at_memory_peak_bytes and mapped_inclusive_at_memory_peak_bytes (what the "
     "function held of mapped memory when memory was highest; the rest of at_peak_bytes of "
     "memory_self and memory_inclusive is heap), activations (how many there were, see plot; null "
     "where the recording does not say), activation, mapped_activation and memory_activation"},
    {"activation, mapped_activation, memory_activation",
     "objects, the activation of the function that held its inclusive own peak of the heap, of "
     "mapped memory and of both together: thread (its serial), begin_s and end_s; null where it is "
     "not known, as with --tree, and where the function never held any"},
    {"failed",
     "array of objects, of the allocations that failed, by stack, those that asked for most first: "
     "count, bytes (all that they asked for; 18446744073709551615 is that or more), largest_bytes "
     "(of one of them), first_time_s and last_time_s, stack (as in leaks)"},
    {"self, inclusive",
     "objects, of the blocks that the function allocated itself, and of those with the function "
     "anywhere on their stack: allocations, allocated_bytes, own_peak_bytes and own_peak_time_s "
     "(the highest that its live bytes ever were), at_peak_bytes (live at the program's peak), "
     "live_at_end_bytes, live_at_end_blocks, temporary"},
    {"mapped_self, mapped_inclusive, memory_self, memory_inclusive",
     "the same of mapped memory (an allocation is a call that made address space memory, "
     "at_peak_bytes is at the peak of mapped memory) and of heap and mapped memory together "
     "(at_peak_bytes at their peak)"},
    {"children",
     "array of objects, of what descends from the process: pid, parent_pid (as it was at first), "
     "command, kind (fork or exec), for fork, which are in this recording, peak_bytes, "
     "mapped_peak_bytes, memory_peak_bytes, mapped_at_memory_peak_bytes, totals, "
     "quality, threads and selfcheck, for exec recording (the file); empty with --tree"},
    {"processes",
     "with --tree; array of objects, everybody before those that they started: pid, kind (first; "
     "fork; exec; became: what its process, named before, is by exec), starter (the pid of who "
     "started the process, null where that is not recorded), command (a text), recording (the file "
     "that holds it), begin_s and end_s, exit, running, totals and quality as above. The report's "
     "own figures are the sums; its peaks are those of the sums' lines, of which plot -C draws "
     "memory's, with what all had mapped when that was highest; its functions' "
     "own peaks the highest in one process, and at_peak_bytes is null. Times are since the start "
     "of the first process"},
    {"gaps",
     "with --tree; object, what the sums lack, all 0 where they are whole: cut_recordings (they "
     "end "
     "early), unreadable_recordings, unrecorded_processes (known only by what started or followed "
     "them: they could not be recorded, or their recording is elsewhere or gone), "
     "unsampled_processes (recorded ones without a sample of the resident set, as they were short "
     "or killed at once), unmeasured_processes (of these, those without a high-water mark, too), "
     "unended_processes (they were killed, or made the system call themselves, before others "
     "ended: "
     "the sums have them up to their last event or the last look at them)"},
    {"threads",
     "array of objects, what each thread allocated, whoever freed it: serial (0 the first thread), "
     "tid, name (the last one known), threads (how many it stands for: 1, but of a process with "
     "more than 1000 the last entry is for all later ones), begin_s and end_s (its first and last "
     "event), self, mapped_self, memory_self and mapped_at_memory_peak_bytes; empty with --tree"},
    {"selfcheck", "array of objects, the first of the stacks that differ: time_s, ours and "
                  "libunwind, each an array of texts, a frame each, the innermost first"},
};

static const struct key leaks_keys[] = {
    {"command, pid, start, begin_s, duration_s, exit, cut, running, quality, modules",
     "as in report"},
    {"live_at_end_bytes, live_at_end_blocks", "all that was live at the end"},
    {"gaps, processes", "with --tree, as in report"},
    {"leaks",
     "array of objects, the biggest first: bytes, blocks, first_time_s and last_time_s (when the "
     "first and the last of these blocks were allocated) and stack"},
    {"mapped_at_end_bytes, mapped_leaks",
     "the same of mapped memory that was never unmapped; its blocks are pieces"},
    {"stack",
     "array of objects, the innermost function first: function, module, file and line of the "
     "place that was executing, offset (of the call in the module's ELF file, null where that is "
     "not known; inlined functions have that of the function around them) and build_id, as in "
     "report"},
};

static const struct key other_keys[] = {
    {"peak", "recordings, an array of objects: recording (the file), peak_bytes, peak_time_s, "
             "mapped_peak_bytes, mapped_peak_time_s, memory_peak_bytes, memory_peak_time_s, "
             "mapped_at_memory_peak_bytes, rss_peak_bytes, rss_high_water_bytes, lost, lost_bytes, "
             "quality as in report, "
             "with --tree gaps, and with "
             "--func functions: name, module, file, line, offset, build_id, own_peak_bytes, "
             "own_peak_time_s, of the heap, and the same with mapped_ and memory_ before"},
    {"list",
     "recordings, an array of objects: index, recording, pid, starter (the pid of who started it, "
     "null where that is not recorded), command, start, collected (false while there is only a "
     "spool), forked (an array of pid and starter: the children in it without a recording of their "
     "own, as far as its head names them), children (objects of the same kind, without index: all "
     "recordings of the tree)"},
};

#define SETTING_ITEM(NAME, variable, default_text, help) {variable, default_text, help},
static const struct {
    const char *variable, *default_text, *help;
} settings[] = {MPROF_SETTINGS(SETTING_ITEM)};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void put_keys(FILE *out, const struct key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        roff_item(out, keys[i].name, NULL, keys[i].meaning);
}

static void put_option(FILE *out, const struct option *option)
{
    char tag[64], letter[6] = "", text[1024];
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(tag, sizeof tag, "%s--%s", letter, option->name);
    snprintf(text, sizeof text, "%s%s%s", option->help, option->choices ? ": " : "",
             option->choices ? option->choices : "");
    roff_item(out, tag, option->argument, text);
}

static void put_command(FILE *out, const struct command *command)
{
    char title[128];
    snprintf(title, sizeof title, "mprof-c %s%s%s%s", command->name,
             command->options ? " [options]" : "", command->operands[0] ? " " : "",
             command->operands);
    roff_subsection(out, title);
    roff_text(out, command->description);
    for (const struct option *o = command->options; o && o->name; o++)
        put_option(out, o);
}

static void put_wrappers(FILE *out)
{
    roff_text(
        out,
        "plot draws no brackets for functions that only pass a request for memory on to "
        "malloc, as they would stand in front of those that want it. They are known by their "
        "names, template arguments left out; a * at the end stands for anything:\n\n" WRAPPER_NAMES
        "\n\n"
        "And operator new of any class, and whatever lies in the namespaces std or __gnu_cxx "
        "below a name that begins with an underscore. Others are left out with plot --skip.");
}

static void put_examples(FILE *out, const struct command *const *table)
{
    for (; *table; table++)
        for (const struct example *e = (*table)->examples; e && e->line; e++)
            roff_item(out, e->line, NULL, e->what);
}

void manual_program(const struct command *const *table, FILE *out)
{
    roff_title(out, "MPROF-C", "1");
    roff_section(out, "NAME");
    fputs("mprof\\-c \\- exact memory profiler for native programs\n", out);
    roff_section(out, "SYNOPSIS");
    fputs("\\fBmprof\\-c\\fR \\fICOMMAND\\fR [\\fIoptions\\fR] [\\fIarguments\\fR]\n", out);
    roff_section(out, "DESCRIPTION");
    roff_text(
        out, "Records every allocation of an unmodified native program, with its stack, time and "
             "thread, and shows who holds the memory, when, and what never came back.\n\n"
             "A recording is named by its file, or by its index in mprof-c list: 0 is the oldest "
             "of the current folder, -1 the newest. Without an argument a command takes the "
             "newest. What run's -o or MPROF_OUTPUT gave a name of its own has no index, and is no "
             "newest one: it is named by its file. Recordings of child processes belong to the "
             "recording that started them. A "
             "recording that is not collected yet, NAME.spool, is named NAME like one that is, "
             "and is collected at its first use.\n\n"
             "Every command explains itself with -h or --help; mprof-c --version shows the "
             "version.");
    roff_section(out, "COMMANDS");
    for (const struct command *const *command = table; *command; command++)
        put_command(out, *command);
    roff_section(out, "EXAMPLES");
    put_examples(out, table);
    roff_section(out, "WRAPPERS");
    put_wrappers(out);
    roff_section(out, "JSON");
    roff_text(out, "Keys do not change; later versions may add some. Times are in seconds since "
                   "the start of the recording.");
    roff_subsection(out, "report --json");
    put_keys(out, report_keys, COUNT(report_keys));
    roff_subsection(out, "leaks --json");
    put_keys(out, leaks_keys, COUNT(leaks_keys));
    roff_subsection(out, "peak --json, list --json");
    put_keys(out, other_keys, COUNT(other_keys));
    roff_section(out, "EXIT STATUS");
    roff_text(out, "0 where all went well, 2 for a wrong command line, 1 for any other failure. A "
                   "recording that was cut but can be read is shown, with a sentence on standard "
                   "error and exit status 0. mprof-c run passes the program's own exit status on, "
                   "and dies of the signal that the program died of; it exits with 124 after "
                   "--timeout, 126 for a program that cannot be run and 127 for one that does not "
                   "exist.");
    roff_section(out, "SEE ALSO");
    fputs(".BR libmprof (7),\n.BR gnuplot (1)\n", out);
}

void manual_library(FILE *out)
{
    roff_title(out, "LIBMPROF", "7");
    roff_section(out, "NAME");
    fputs("libmprof \\- records the allocations of a program that preloads it\n", out);
    roff_section(out, "SYNOPSIS");
    fputs("\\fBLD_PRELOAD\\fR=\\fI/path/\\fRlibmprof.so \\fIprogram\\fR [\\fIarguments\\fR]\n",
          out);
    roff_section(out, "DESCRIPTION");
    roff_text(
        out,
        "The recorder of mprof-c(1). A program that preloads it leaves a recording in the folder "
        "of its start, a spool named NAME.spool, and so does every program that it executes. "
        "mprof-c run sets all this up; the library alone serves where a program is started by "
        "something else.\n\n"
        "Every allocation and free is recorded with its time and thread, every allocation with its "
        "whole stack, and what the program itself maps (mmap, mremap, munmap, mprotect, "
        "pkey_mprotect, brk, sbrk, shmat, shmdt, and the same by syscall) as a series of its own. "
        "What an allocator maps for its blocks is left out where it is a library. The spool is a "
        "shared mapping of a file: what was recorded is there even after the program was killed. "
        "Who empties or shortens that file while the program runs has the kernel kill the program "
        "with SIGBUS; who removes it loses the recording only. "
        "The library prints nothing and changes nothing that the program does; where it can record "
        "nothing it leaves the reason in the spool.\n\n"
        "What finds no room is counted as lost: on a full disk until there is room again; from "
        "MPROF_LIMIT on to the end, as a spool only grows until it is collected as a whole, also "
        "under mprof-c run. A spool needs 4 MiB, and takes half of the free space at most: with "
        "less nothing is recorded. Allocations, frees and allocated bytes "
        "stay exact then. Live memory and its peaks are of what was recorded: \"at least\" where "
        "only allocations are missing, or nothing up to that moment, else \"about\", as a block "
        "whose free was lost lives on until its address is given out again.\n\n"
        "Where a recording of that name is there already, the next free name, NAME.1, is taken. "
        "mprof-c itself and the gnuplot that it starts are never recorded.\n\n"
        "An allocation that fails is recorded with its stack and with what it asked for: each call "
        "to malloc and its like for one or more bytes that returns no block, whatever the reason. "
        "An operator new that throws is one where it asked malloc, as those of libstdc++ and "
        "libc++ do (each try counts); not where an allocator's library has its own.\n\n"
        "Mapped memory is address space that the program has made writable, with no file behind "
        "it. It stays memory while there is any access to it, also where it can only be read by "
        "then. A mapped file is none, be it mapped private, and be it one that is in memory "
        "(memfd_create, /dev/shm): what it holds is the file's, outlives the mapping, and may be "
        "mapped elsewhere, too. /dev/zero is no such file. Shared memory that a process has in "
        "several places counts once: a segment attached again, and what mremap gives a second view "
        "of. Sizes are those of the calls: what a stack mapped with MAP_GROWSDOWN grows by is not "
        "known; a mapping with MAP_HUGETLB that does not say the size of its pages counts as if "
        "that were the usual one (2 MiB). What a thread maps "
        "that the C library does not know (the program has made it by clone), and what a vforked "
        "child maps, is counted as lost. Calls made past the C library, and remap_file_pages, are "
        "not seen.\n\n"
        "What mremap moves or resizes is its caller's from then on, as a block is realloc's. "
        "Mappings are the calls of mmap, shmat and mremap, and of brk and sbrk upwards, that "
        "succeeded, whatever they map; mprotect is none, though it may make memory. Unmappings are "
        "those of munmap, shmdt, and brk and sbrk downwards; and, as they do both, each mremap of "
        "something (but with MREMAP_DONTUNMAP), as realloc is an allocation and a free, and each "
        "mmap and shmat to a fixed place that takes the place of something.\n\n"
        "Forked children are recorded in the spool of their parent's program, also those that "
        "outlive it. With MPROF_CHILDREN=0 neither they nor what they execute is recorded: a "
        "process whose parent began with the library and this setting, too, is such a child.\n\n"
        "Statically linked, setuid and setgid programs do not preload the library and are not "
        "recorded. Programs with a sanitizer (AddressSanitizer, LeakSanitizer, MemorySanitizer, "
        "ThreadSanitizer) and programs of the C library musl are left alone: no spool is made. In "
        "a program that has its own malloc, or that preloads one before the library, only mappings "
        "are recorded. For a program of 32 bits the loader itself says on standard error that it "
        "ignores the library.\n\n"
        "Not recorded are blocks of libraries that are loaded with RTLD_DEEPBIND or dlmopen, as "
        "they have the C library's malloc to themselves, and what IFUNC resolvers allocate while "
        "ld.so is at work on the program.");
    roff_section(out, "ENVIRONMENT");
    for (size_t i = 0; i < COUNT(settings); i++) {
        char text[1024];
        int unset = settings[i].default_text[0] == '\0';
        snprintf(text, sizeof text, "%s%s%s", settings[i].help,
                 unset ? "" : "; default: ", settings[i].default_text);
        roff_item(out, settings[i].variable, NULL, text);
    }
    roff_section(out, "FILES");
    roff_item(out, "NAME.spool", NULL,
              "what the program recorded, until a command of mprof-c collects it");
    roff_item(out, "NAME", NULL, "the collected recording");
    roff_item(
        out, "NAME.part", NULL,
        "a recording that is being collected, or the samples of the resident set that mprof-c "
        "run took of a program that outlived it");
    roff_item(out, "TMPDIR/mprof-c-UID", NULL,
              "(or in /tmp) links that mprof-c run makes to a library in whose path is a blank, a "
              "colon or a $: LD_PRELOAD cannot hold these");
    roff_section(out, "SEE ALSO");
    fputs(".BR mprof\\-c (1)\n", out);
}
