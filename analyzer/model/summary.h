/*
 * summary.h - all that the views know of a recording, once it has been collected.
 *
 * Shapes only; no files and no output. A `struct image` is one exec image: the symbol tables,
 * shared by its processes, and a `struct process` for the exec'd process (index 0) and each child
 * it forked. Owner of everything: the image (image_free releases it all); strings live as long as
 * the image. Threads: an image is read-only once filled; filling is one thread's business.
 *
 * Units: bytes are requested bytes; every *_ns is nanoseconds since the image's start unless it
 * says epoch. Live figures are exact. There are three series (enum series): the heap, mapped
 * memory, and memory, which is both together; wherever memory is shown, its two parts are.
 *
 *   function.inclusive.allocations = those of all stacks that contain it
 *   sum over functions of self.X = totals' X for the additive X, less what was lost
 *   sum over functions of self.at_peak_bytes = totals.peak_bytes
 */
#ifndef MPROF_SUMMARY_H
#define MPROF_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

enum function_flag {
    FUNCTION_RESOLVED = 1 << 0, /* has a name; else `name` is "module+0x1234" */
    FUNCTION_START = 1 << 1, /* a start frame: _start, __libc_start_main, clone, start_thread ... */
    FUNCTION_MAIN = 1 << 2,  /* the program's main */
    FUNCTION_ALLOCATOR = 1 << 3, /* malloc, operator new ...: left out while at the leaf */
};

struct function { /* identity: module, demangled name, file and line of the declaration */
    const char *name;
    const char *module; /* path of the object, "" unknown */
    const char *file;   /* of the declaration; "" where there is no DWARF */
    uint32_t line;      /* of the declaration; 0 unknown */
    uint32_t flags;
};

struct frame { /* one logical frame: a function and the line that was executing in it */
    uint32_t function;
    uint32_t line;    /* of the call; 0 unknown */
    const char *file; /* of the call; "" unknown */
};

/* A program or a library, as it was loaded. */
struct object {
    const char *path;     /* "" unknown */
    const char *build_id; /* hexadecimal, "" where it has none */
};

struct location {                      /* one pc: its logical frames, innermost inlined one first */
    uint32_t frame_first, frame_count; /* count 0: location 0, "what lies further out is unknown" */
    uint32_t flags;                    /* enum location_flag */
    uint32_t object; /* where it lies; 0 unknown: in none, or in a capture of version 1 */
    uint64_t offset; /* its address in the object's ELF file: of the call, not behind it */
    uint64_t begin;  /* the same of its function; 0 unknown, else at most offset */
};
enum location_flag {
    LOCATION_HIDDEN = 1 << 0, /* only FUNCTION_ALLOCATOR frames: left out while at the leaf */
    LOCATION_UNKNOWN = 1 << 1 /* the stack was truncated here */
};

struct stack { /* node of the stack tree; node 0 is the empty stack; parent < own index */
    uint32_t parent;
    uint32_t location;
};

/* Memory that the program has mapped itself and made writable, in whole pages, is mapped memory; it
 * is "allocated" when it becomes so (by mmap, mprotect ..). Neither reservations nor files are. */
enum series { SERIES_HEAP, SERIES_MAPPED, SERIES_MEMORY };
#define SERIES_COUNT 3

struct usage {
    uint64_t allocations;
    uint64_t allocated_bytes;
    uint64_t own_peak_bytes;
    uint64_t own_peak_ns; /* ties: the first */
    uint64_t at_peak_bytes;
    uint64_t live_at_end_bytes;
    uint64_t live_at_end_blocks;
    uint64_t temporary;
};

/* The activation of a function that contains its own inclusive peak. begin is no later than the
 * activation's first event, end no earlier than its last. */
struct span {
    uint64_t begin_ns, end_ns;
    uint64_t begin_level, end_level; /* how much of the series lived in the program then */
    uint32_t thread;
    uint32_t valid;
};

struct series_usage {
    struct usage self, inclusive;
    struct span span;
};

/* What is a sum in memory: all but the peaks. */
static inline void usage_add_up(struct usage *memory, const struct usage *heap,
                                const struct usage *mapped)
{
    memory->allocations = heap->allocations + mapped->allocations;
    memory->allocated_bytes = heap->allocated_bytes + mapped->allocated_bytes;
    memory->temporary = heap->temporary + mapped->temporary;
    memory->live_at_end_bytes = heap->live_at_end_bytes + mapped->live_at_end_bytes;
    memory->live_at_end_blocks = heap->live_at_end_blocks + mapped->live_at_end_blocks;
}

struct function_usage {
    uint32_t function;
    uint64_t activations;                     /* that began, a recursion once; 0 unknown */
    struct series_usage heap, mapped, memory; /* the same members: function_series() */
    struct {
        uint64_t self_bytes, inclusive_bytes;
    } mapped_then; /* of mapped memory, at memory's peak; the rest of memory.at_peak_bytes is heap
                    */
};

static inline struct series_usage *function_series(struct function_usage *f, enum series series)
{
    return series == SERIES_HEAP ? &f->heap : series == SERIES_MAPPED ? &f->mapped : &f->memory;
}

static inline const struct series_usage *function_series_of(const struct function_usage *f,
                                                            enum series series)
{
    return series == SERIES_HEAP ? &f->heap : series == SERIES_MAPPED ? &f->mapped : &f->memory;
}

/* What one thread allocated, whoever freed it. */
struct thread_usage {
    uint32_t serial;  /* in the order of first events; 0 is the process's first thread */
    uint32_t threads; /* how many the entry stands for: 1, but for the last entry of a process with
                         very many */
    int32_t tid;      /* 0 unknown */
    const char *name; /* the last one known, "" none */
    uint64_t begin_ns, end_ns; /* first and last event */
    struct usage heap, mapped, memory;
    uint64_t mapped_then_bytes; /* of mapped memory, at memory's peak */
};

/* The blocks of one stack that were live at the end, or its pieces of mapped memory. */
struct leak {
    uint32_t stack;
    uint64_t blocks, bytes;
    uint64_t first_ns, last_ns; /* allocation times */
};

/* The allocations of one stack that failed. */
struct failure {
    uint32_t stack;
    uint64_t count;
    uint64_t bytes, largest_bytes; /* asked for: in all (UINT64_MAX: that or more), and at once */
    uint64_t first_ns, last_ns;
};

/*
 * A stretch of a line of steps, [begin_ns, next bucket's begin_ns): up to four of its changes, all
 * exact. A bucket of one change has the same level and time four times; one of up to four changes
 * between levels that rise and fall once loses none.
 *
 *   begin_ns <= max_ns, min_ns <= last_ns;  min_bytes <= first_bytes, last_bytes <= max_bytes
 */
struct bucket {
    uint64_t begin_ns, first_bytes; /* the first change, and the level after it */
    uint64_t max_bytes, max_ns;     /* the highest level, and since when; ties: the first */
    uint64_t min_bytes, min_ns;     /* the lowest, the same */
    uint64_t last_bytes, last_ns;   /* the last change */
    uint64_t max_mapped_bytes;      /* of memory's line: what of max_bytes was mapped; else 0 */
};

/* A bucket of one change. */
static inline struct bucket bucket_of(uint64_t ns, uint64_t level)
{
    return (struct bucket){ns, level, level, ns, level, ns, level, ns, 0};
}

struct sample { /* resident set */
    uint64_t ns;
    uint64_t rss_bytes;
};

struct totals {
    uint64_t allocations, frees, allocated_bytes;
    uint64_t peak_bytes, peak_ns;
    uint64_t live_at_end_bytes, live_at_end_blocks;
    uint64_t temporary;
    uint64_t mapped_peak_bytes, mapped_peak_ns, mapped_at_end_bytes;
    uint64_t memory_peak_bytes, memory_peak_ns;
    uint64_t mapped_then_bytes; /* of mapped memory, at memory's peak; the rest is heap */
    uint64_t reserved_peak_bytes, reserved_at_end_bytes; /* mapped, but not to be written to */
    uint64_t file_peak_bytes, file_at_end_bytes;         /* mapped files */
    uint64_t maps, unmaps;   /* calls, whatever they map; 0 unknown: made from events (rebuild.h) */
    uint64_t rss_peak_bytes; /* highest sample; 0 without samples */
    uint64_t failed;         /* allocations that failed; they are not among `allocations` */
    uint64_t rss_mark_bytes; /* the kernel's own highest, as far as it was read; 0 unknown */
};

/* Is the kernel's mark the one figure of the resident set? It misses nothing up to where it was
 * read, but a sample may be later than that; one that is a little higher is none, as the kernel
 * counts in batches. */
static inline int totals_mark_holds(const struct totals *t)
{
    return t->rss_mark_bytes >= t->rss_peak_bytes - t->rss_peak_bytes / 64;
}

/* The kernel's mark as it is shown: not below a sample that is later only by the kernel's counting.
 */
static inline uint64_t totals_mark(const struct totals *t)
{
    int is_behind = t->rss_mark_bytes < t->rss_peak_bytes && totals_mark_holds(t);
    return is_behind ? t->rss_peak_bytes : t->rss_mark_bytes;
}

/* Of a family's sum, where the mark is that of its largest process: is that alone more than what
 * the samples of all come to? */
static inline int totals_largest_exceeds(const struct totals *t)
{
    return t->rss_mark_bytes > t->rss_peak_bytes;
}

static inline uint64_t totals_resident(const struct totals *t)
{
    return totals_mark_holds(t) ? totals_mark(t) : t->rss_peak_bytes;
}

/* What found no room. The totals count it too; figures of what was live do not. */
struct loss {
    uint64_t allocations, frees;
    uint64_t bytes;                      /* of those allocations */
    uint64_t others, maps, mapped_bytes; /* the maps are among the others */
    uint64_t since_ns;                   /* when the first was lost */
    uint64_t unplaced; /* at the image's first process: children without a place in the spool, */
    uint64_t unplaced_events; /* and their events */
};

struct quality {
    uint64_t lost; /* allocations, frees and others that could not be recorded */
    uint64_t lost_bytes;
    uint64_t unmatched_frees, implied_frees;
    uint64_t inherited;         /* blocks that lived before this process began */
    uint64_t inherited_bytes;   /* of those still live at its end */
    uint64_t truncated_stacks;  /* allocations whose stack is incomplete */
    uint64_t unresolved_frames; /* distinct locations without a name */
    uint64_t selfcheck_compared, selfcheck_differences; /* stacks; MPROF_SELFCHECK */
    struct loss loss; /* `lost` in detail; all 0 in captures of older collectors */
    /* What exceeded a bound of the format; that of the whole image is at its first process. */
    uint64_t shortened; /* texts */
    uint64_t left_out;  /* entries of tables and lists */
    /* For the whole image, at its first process: how many modules of either kind image.gaps has. */
    uint64_t nameless_modules, undebugged_modules;
};

/* A stack that libunwind sees differently from the recorder. */
struct difference {
    uint64_t ns;
    const char *ours, *theirs; /* innermost frame first, one per line */
};
#define DIFFERENCES_KEPT 32

enum end_kind {
    END_UNKNOWN,
    END_CODE,
    END_SIGNAL,
    END_EXEC,
    END_EXITED /* the recorder saw it come to its exit, and nobody the status */
};

struct ending {
    enum end_kind kind;
    int value;        /* exit code or signal number */
    const char *exec; /* path, "" unless END_EXEC */
};

/* What is left of a process in a file that lost its end. */
enum figures_left {
    FIGURES_WHOLE,
    FIGURES_OF_EVENTS, /* made of the events that are left: of what came up to end_ns */
    FIGURES_NONE,      /* not even events: all figures are 0, and that says nothing */
};

struct process {
    uint32_t serial, parent; /* parent's serial; 0's parent is 0 */
    int32_t pid, parent_pid;
    uint64_t start_time; /* /proc/PID/stat field 22, tells apart two processes with one pid */
    uint64_t begin_ns, end_ns;
    uint32_t thread_count;
    struct ending ending;
    enum figures_left left;
    struct totals totals;
    struct quality quality;
    struct function_usage *functions; /* those with an allocation, by function index */
    size_t function_count;
    struct thread_usage *threads; /* by serial; none in older captures */
    size_t thread_usage_count;
    struct leak *leaks, *mapped_leaks; /* biggest first */
    size_t leak_count, mapped_leak_count;
    struct failure *failures; /* biggest first */
    size_t failure_count;
    /* At most TIMELINE_BUCKETS each, in order of time. memory is heap where nothing was mapped. */
    struct bucket *heap, *mapped, *memory;
    size_t heap_count, mapped_count, memory_count;
    /* 1: not known whose mapped memory was (the file ended before it told), or what was any
     * (image.kinds_untold). The mapped series has only totals and a line, and memory is the heap.
     */
    int series_unknown;
    struct sample *samples;
    size_t sample_count;
    /* Of the sum of a family: how many of its processes have no sample, and how many of these no
     * mark of the kernel's either; and how many ended before others, nobody knows when. */
    size_t unsampled, unmeasured, unended;
    struct difference *differences; /* the first of quality.selfcheck_differences */
    size_t difference_count;
};

/* Was memory, address space or a file ever mapped? */
static inline int totals_have_mappings(const struct totals *t)
{
    return t->mapped_peak_bytes || t->reserved_peak_bytes || t->file_peak_bytes || t->maps;
}

static inline int process_has_mappings(const struct process *p)
{
    return totals_have_mappings(&p->totals);
}

/* Was there an event of the heap? */
static inline int totals_have_blocks(const struct totals *t)
{
    return t->allocations || t->frees || t->failed;
}

/* 0: the child of a fork that failed, or one that was killed before it did anything. */
static inline int process_was_born(const struct process *p)
{
    return p->serial == 0 || p->pid != 0 || p->totals.allocations || p->totals.frees ||
           process_has_mappings(p);
}

/* Is memory more than the heap, as far as is known? Then it is shown with its two parts.
 * series_unknown: as its process's. */
static inline int totals_have_parts(const struct totals *t, int series_unknown)
{
    return t->mapped_peak_bytes && !series_unknown;
}

static inline int process_has_parts(const struct process *p)
{
    return totals_have_parts(&p->totals, p->series_unknown);
}

/* Gives memory, but for the threads, the heap's figures and line: nothing was mapped, or nothing is
 * known of it. */
void process_memory_is_heap(struct process *p);

/* Leaves of mapped memory what is known where series_unknown is set. */
void process_forget_mapped(struct process *p);

/* The buckets of the series' whole line. */
struct line_of {
    const struct bucket *buckets;
    size_t count;
};
struct line_of process_line(const struct process *process, enum series series);

/* The highest that the series ever was, and when. */
struct peak_of {
    uint64_t bytes, ns;
};
struct peak_of process_peak(const struct process *process, enum series series);
struct peak_of totals_peak(const struct totals *totals, enum series series);

/* A module whose names or debug information are missing, and why (doc/format.md, MODULES). */
struct module_gap {
    const char *module, *reason;
    uint32_t names; /* 1: it has no names, 0: only lines and inlined calls are missing */
};

/* Adds a gap to a list that has room for it, unless it is already there. */
void gaps_add(struct module_gap *gaps, size_t *count, struct module_gap gap);

#define TIMELINE_BUCKETS 4096

/* The order of process.leaks, for qsort: by bytes, then blocks, then stack. */
int leaks_biggest_first(const void *a, const void *b);

/* Adds quality.loss to what was recorded, in the process's totals and in its quality. */
void process_add_loss(struct process *process);

struct image {
    uint8_t id[16], boot_id[16];
    uint64_t tree;
    char **argv;
    size_t argc;
    const char *executable, *folder, *host;
    int32_t pid, parent_pid;
    uint64_t start_time, parent_start_time;
    uint64_t epoch_ns; /* CLOCK_REALTIME of the start */
    uint32_t start_kind;
    int kinds_untold; /* an older one made it: reservations and files count as mapped memory */
    int knows_family; /* `beside` was counted */
    uint64_t beside;  /* other recordings of its family that `run` met */

    struct function *functions;
    size_t function_count;
    struct frame *frames;
    size_t frame_count;
    struct object *objects; /* object 0 is "unknown" */
    size_t object_count;
    struct location *locations;
    size_t location_count;
    struct stack *stacks;
    size_t stack_count;
    struct process *processes; /* index = serial; pid 0: a child that never came to record */
    size_t process_count;
    struct module_gap *gaps;
    size_t gap_count;

    uint64_t shortened;   /* functions with shortened names; only while collecting */
    uint64_t left_out;    /* stacks and classes beyond the bounds; only while collecting */
    int cut;              /* the file ended early: this is what could be read of it */
    int running;          /* the program still ran when this was read */
    struct arena *memory; /* owner of every string and array above */
};

/* The process with this serial; NULL: the image has none. A serial from elsewhere, such as a
 * spool's head, may be one that the image left out. */
const struct process *image_process(const struct image *image, uint32_t serial);

/* Has none of its processes an event of the heap, though the recording is whole and the first did
 * not become another program? */
int image_is_without_blocks(const struct image *image);

/* The same of one that has mappings: then the program never calls malloc, or it has one of its own.
 */
int image_has_only_mappings(const struct image *image);

/* Counts image->gaps into the quality of the first process. */
void image_count_gaps(struct image *image);

/* Once all is read: has each process forget what is not known of mapped memory. */
void image_settle_series(struct image *image);

/* An empty image with its arena, in which the image itself lies. Whoever fills it takes the arrays
 * from `memory` as well (only the collector grows arrays of its own, see collector.h). */
struct image *image_new(void);
void image_free(struct image *image); /* NULL is allowed; releases image->memory */

/* Bump memory whose pieces live as long as the arena; arena_take returns zeroed memory aligned to
 * 16 and never NULL (out of memory, the analyzer ends with a message). */
struct arena *arena_new(void);
void *arena_take(struct arena *arena, size_t bytes);
char *arena_string(struct arena *arena, const char *text);
void arena_free(struct arena *arena);

/* Visits the logical frames of a stack, innermost first, without hidden leaf frames. `*node` starts
 * as the stack and `*inner` as 0; leave both to this function. Returns the next frame or NULL at
 * the end. */
const struct frame *stack_next_frame(const struct image *image, uint32_t *node, uint32_t *inner);

#endif
