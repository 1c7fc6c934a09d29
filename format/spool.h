/*
 * spool.h - the layout of a spool, the recorder's raw output (normative text: doc/format.md).
 *
 * One file holds one exec image and the children it forked. Several threads and processes write it
 * at once through MAP_SHARED mappings, and a collector may read it at any moment, even long after a
 * SIGKILL. So every word that says "this is valid" is stored last, and a reader trusts nothing that
 * it has not bounds-checked.
 *
 *   0        struct spool_header      written once, at the start
 *   4096     struct spool_control     counters that all processes of the image share
 *   info     strings                  command line, executable, folder, host
 *   processes, modules, pcs           three append-only tables (sparse; offsets in the header)
 *   chunks   struct spool_chunk + events, carved one after another by spool_control.carved
 *
 * All integers are little endian. Offsets count from the beginning of the file.
 */
#ifndef MPROF_SPOOL_H
#define MPROF_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#define SPOOL_MAGIC    0x0a1a6c6f6f70736dull /* "mspool\x1a\n" */
#define SPOOL_VERSION  3                     /* readers accept 1 and 2, too */
#define SPOOL_KINDS    3 /* from this version on, a RANGE_MAP always says what it is */
#define SPOOL_PAGE     4096
#define SPOOL_ID_BYTES 16

/* Feature bits: a reader refuses a spool with a bit it does not know. */
enum spool_feature {
    SPOOL_FREE_STACKS = 1 << 0, /* what releases carries stacks, too (MPROF_FREE_STACKS=1) */
};

/* What `ticks` counts. */
enum spool_clock {
    SPOOL_CLOCK_NS = 0,     /* nanoseconds of CLOCK_BOOTTIME */
    SPOOL_CLOCK_COUNTER = 1 /* the processor's counter; its rate follows from the clock pairs */
};

enum spool_start { SPOOL_START_EXEC = 0, SPOOL_START_FORK = 1, SPOOL_START_ATTACH = 2 };

/* A moment on both clocks. */
struct spool_moment {
    uint64_t ticks;
    uint64_t ns; /* CLOCK_BOOTTIME */
};

struct spool_table {
    uint64_t offset;
    uint32_t entry_bytes;
    uint32_t capacity;
};

struct spool_string {
    uint32_t offset; /* from the beginning of the info area */
    uint32_t bytes;  /* without a final NUL */
};

struct spool_header {
    uint64_t magic; /* stored last */
    uint32_t version;
    uint32_t features;
    uint8_t id[SPOOL_ID_BYTES];      /* random; the capture made from this spool carries it too */
    uint8_t boot_id[SPOOL_ID_BYTES]; /* /proc/sys/kernel/random/boot_id, as 16 bytes */
    uint64_t tree;                   /* what `mprof-c run` calls this tree; 0 without it */
    int32_t pid;
    int32_t parent_pid;
    uint64_t start_time;        /* /proc/self/stat field 22: clock ticks from boot to the start */
    uint64_t parent_start_time; /* the parent's; 0 where it could not be read */
    uint64_t epoch_ns;          /* CLOCK_REALTIME at `start` */
    struct spool_moment start;
    uint32_t clock; /* enum spool_clock */
    uint32_t start_kind;
    uint32_t machine; /* ELF e_machine of the program: 62 x86-64, 183 aarch64 */
    uint32_t info_truncated;
    uint64_t cap; /* the file never grows past this */
    uint64_t info_offset;
    uint32_t info_bytes;
    uint32_t reserved0;
    struct spool_string command; /* argv, each argument followed by a NUL */
    struct spool_string executable;
    struct spool_string folder; /* working folder at the start */
    struct spool_string host;
    struct spool_table processes; /* struct spool_process, index = process serial */
    struct spool_table modules;   /* struct spool_module, index = module serial, 0 unused */
    struct spool_table pcs;       /* struct spool_pc, index = pc id, 0 unused */
    uint64_t chunks_offset;
    uint64_t pid_space; /* inode of /proc/self/ns/pid, the pids' namespace; 0 unknown */
};

/* Shared counters, and words that a collector or mprof-c may write. */
struct spool_control {
    uint64_t carved; /* the first byte no chunk owns yet; add the chunk's bytes to claim it */
    uint32_t process_count;      /* serials given out; entries are valid by their own `state` */
    uint32_t module_count;       /* the same for modules: serials 1 .. module_count */
    uint32_t pc_count;           /* the same for pcs: ids 1 .. pc_count */
    uint32_t stream_count;       /* streams given out in all processes */
    uint32_t control_version;    /* SPOOL_CONTROL_VERSION */
    uint32_t collector_pid;      /* pid of the collector, 0 if there is none */
    uint32_t recording;          /* 1 on, 0 off */
    uint32_t exit_wait_ms;       /* how long the program may wait at its end for a collector */
    uint64_t sampling;           /* mean bytes between sampled allocations, 0 every one */
    uint64_t mark;               /* an event number for marks */
    char reason[256];            /* why nothing (more) is recorded; empty when all is well */
    uint32_t unplaced_processes; /* forked children for which there was no entry */
    uint32_t reserved;
};

/* From this version on, each fork has a SPOOL_LABEL_FORKED, and streams move from chunk to chunk as
 * doc/format.md, "The protocol", says. */
#define SPOOL_CONTROL_FORKED  2
#define SPOOL_CONTROL_VERSION 2

/* After the control page's words: one entry shared by all children without an entry of their own.
 * It counts only what they lost, and whatever they do is lost. */
#define SPOOL_UNPLACED_OFFSET 512

/* After that, on the same page: the kernel's high-water mark of the resident set of the image's
 * first processes, a u64 of bytes each, by serial. Written at an orderly exit and before an exec; 0
 * unknown. */
#define SPOOL_HIGH_WATER_OFFSET 1024
#define SPOOL_HIGH_WATER_COUNT  384

enum spool_end { SPOOL_END_UNKNOWN = 0, SPOOL_END_EXIT = 1, SPOOL_END_EXEC = 2 };

enum spool_process_flag {
    SPOOL_PROCESS_LATE =
        1 << 0, /* no FORK event by the parent: fork_ticks is when this entry was made */
    SPOOL_PROCESS_ELSEWHERE = 1 << 1, /* in another pid namespace than the image's first process */
};

/* One process of the image. Serial 0 is the one that was exec'd. Invariant: parent < serial. */
struct spool_process {
    uint32_t state; /* 1: valid. Stored last */
    uint32_t flags;
    uint32_t parent; /* serial of the parent */
    int32_t pid;     /* 0 until the child ran */
    int32_t parent_pid;
    uint32_t threads;    /* thread serials given out, the first is 0 */
    uint64_t start_time; /* as in the header; 0 until known */
    uint64_t fork_ticks;
    uint32_t fork_thread; /* the parent's thread that forked */
    uint32_t end_kind;    /* enum spool_end */
    uint64_t end_ticks;
    uint64_t lost_allocations; /* events that could not be recorded */
    uint64_t lost_frees;
    uint64_t lost_bytes;        /* requested bytes of the lost allocations */
    uint64_t lost_other;        /* all others: maps, unmaps, samples, starts of a realloc .. */
    uint64_t checked;           /* MPROF_SELFCHECK: stacks compared with libunwind's */
    uint64_t differing;         /* how many of these differed */
    uint64_t lost_since;        /* ticks of the first loss; 0 none, or an old recorder */
    uint64_t lost_maps;         /* how many of lost_other were mappings .. */
    uint64_t lost_mapped_bytes; /* .. and their total length in bytes */
};

#define SPOOL_BUILD_ID_MAX    32
#define SPOOL_MODULE_PATH     895
#define SPOOL_MODULE_PATH_OLD 944 /* from recorders that wrote no facts */

enum spool_module_flag {
    SPOOL_MODULE_FACTS = 1 << 0, /* the recorder writes struct spool_module_facts */
};

/* Facts that distinguish the object from another of the same path. They occupy the last bytes of
 * the path: an old recorder's entry has no flag there, or a longer path. */
struct spool_module_facts {
    uint64_t content; /* hash of what is mapped (spool_content.h); 0 unknown */
    uint64_t device, inode, file_bytes, mtime_ns; /* of the file at its path; inode 0: unknown */
    uint32_t flags;                               /* enum spool_module_flag */
    uint32_t reserved;                            /* 0 */
};

/* A loaded object, from its first use on. A library loaded again elsewhere, or a rebuilt one at the
 * same place, is another module; so the pc of an entry below always means the same code. */
struct spool_module {
    uint32_t state; /* 1: valid. Stored last */
    uint32_t process;
    uint64_t start, end; /* the addresses it covers */
    uint64_t bias;       /* address in memory - address in the ELF file */
    uint32_t build_id_bytes;
    uint8_t build_id[SPOOL_BUILD_ID_MAX];
    uint32_t path_bytes;
    uint64_t generation; /* loader generation in which it was first seen */
    union {
        char path[SPOOL_MODULE_PATH_OLD];
        struct {
            char path_room[SPOOL_MODULE_PATH + 1];
            struct spool_module_facts facts;
        };
    };
};

static inline int spool_module_has_facts(const struct spool_module *m)
{
    return m->path_bytes <= SPOOL_MODULE_PATH && m->facts.flags & SPOOL_MODULE_FACTS;
}

enum spool_pc_flag {
    SPOOL_PC_VALID = 1 << 0, /* stored last */
    SPOOL_PC_EXACT =
        1 << 1, /* the address itself was executing (signal frame): look up pc, not pc-1 */
};

/* A program counter; by default a return address, so the call lies at pc-1. */
struct spool_pc {
    uint64_t pc;
    uint32_t module; /* 0: in no module (JIT, unmapped) */
    uint32_t flags;
};

#define SPOOL_CHUNK_MIN  4096u
#define SPOOL_CHUNK_MARK 0x4b4e4843u

enum spool_chunk_state {
    SPOOL_CHUNK_OPEN = 0,
    SPOOL_CHUNK_CLOSED = 1, /* nothing will be added here: the stream goes on in another chunk */
    SPOOL_CHUNK_MOVED = 2,  /* free: a collector has copied the chunk to the file's end, or
                               the slot was never used. A reader skips it */
    SPOOL_CHUNK_TAKEN = 3,  /* the recorder is turning it into another chunk. A reader skips it */
};

enum spool_chunk_flag {
    SPOOL_CHUNK_COPY = 1 << 0, /* a collector's copy of a chunk that was closed */
    SPOOL_CHUNK_SLOT =
        1 << 1, /* its space stays mapped, to be used again once the chunk is moved away */
};

/*
 * A chunk belongs to one stream of one process. One thread at a time writes a stream; a THREAD
 * event says which thread writes from there on (a stream outlives its thread and serves the next
 * one). The chunks of a stream are numbered 0, 1, 2 .. and hold its events in order of time. Every
 * chunk starts afresh: the decoder's stack is empty, its last address is 0, its last time is
 * `opened.ticks`, and its thread is unknown. So the first event is always THREAD.
 *
 *   commit = sequence << 32 | bytes     stored last, with release order
 *   events lie in [chunk + sizeof(struct spool_chunk), chunk + sizeof + bytes)
 */
struct spool_chunk {
    uint32_t mark;     /* SPOOL_CHUNK_MARK; stored last in fresh space */
    uint32_t sequence; /* which use of this space; the commit word must hold the same number */
    uint64_t offset;   /* of this chunk, so that a page of event bytes cannot pose as a chunk */
    uint8_t id8[8];    /* the first 8 bytes of the spool's id */
    uint64_t bytes;    /* of the chunk, this struct included; a multiple of SPOOL_PAGE */
    uint32_t process;
    uint32_t stream;
    uint32_t index; /* of this chunk in its stream */
    uint32_t flags; /* enum spool_chunk_flag */
    struct spool_moment opened;
    uint64_t commit;
    uint32_t busy;   /* 1 from before an event's time is read until it is committed */
    uint32_t closed; /* enum spool_chunk_state */
};

/*
 * Events. Each starts with a 16-bit head:
 *
 *    15        14      13     12..10      9..7         6..4       3..0
 *   +------+--------+-------+---------+------------+-----------+------+
 *   | odd  | extra  | stack | size - 1| address - 1| ticks - 1 | kind |
 *   +------+--------+-------+---------+------------+-----------+------+
 *
 * then, each little endian in as many bytes as the head says:
 *   ticks     since the stream's previous event
 *   address   kinds with SPOOL_HAS_DELTA: zigzag difference from the stream's previous address,
 *             in units of 16 bytes, or of 1 byte where `odd` is set; kinds with SPOOL_HAS_VALUE:
 *             a plain number
 *   size      kinds with SPOOL_HAS_SIZE
 *   extra     (head bit 14) LEB128; of RANGE_MAP what it is, see enum spool_range
 *   stack     (head bit 13) LEB128 of value << 2 | has_frames << 1 | is_node; then, where there
 *             are frames, LEB128 of their number `push` and the frames, outermost first: 3-byte
 *             pc ids; id 0: what lies further out is unknown; id 0xffffff: a raw 8-byte pc follows
 *   payload   kinds with SPOOL_HAS_PAYLOAD: `size` bytes
 *
 * The new stack is a base plus the frames. The base is the stream's stack without its `value`
 * innermost frames or, where is_node is set, node `value` of this chunk. Each pushed frame makes a
 * node: the stack that ends in that frame. A chunk's nodes are numbered from 0.
 * (Version 1: LEB128 pop, LEB128 push, frames; no nodes.)
 *
 * From version 3 on, an ALLOC at address 0 is an allocation that failed: `size` is what was asked
 * for.
 */
enum spool_kind {
    SPOOL_NOTHING = 0,        /* never committed */
    SPOOL_ALLOC = 1,          /* a block: address, size, stack; at address 0 a failure */
    SPOOL_FREE = 2,           /* address (stack with SPOOL_FREE_STACKS, as of 6 and 7) */
    SPOOL_REALLOC_BEGIN = 3,  /* the old block's address, before the call */
    SPOOL_REALLOC_MOVED = 4,  /* it succeeded: the new address (it may be the old), size, stack */
    SPOOL_REALLOC_FAILED = 5, /* the old block lives on; then an ALLOC at address 0 */
    SPOOL_REALLOC_FREED = 6,  /* realloc(p, 0) returned NULL: the old block is gone */
    SPOOL_RANGE_BEGIN = 7,    /* a call is about to drop [address, + size): munmap, mremap, brk and
                                 sbrk downwards; shmdt with size 0, all that lies where the segment
                                 attached at address would; mremap of no length. They nest in
                                 signal handlers */
    SPOOL_RANGE_MAP = 8,      /* a mapping or a change of protection: address, length, stack */
    SPOOL_RANGE_DROPPED = 9,  /* ends the last RANGE_BEGIN that is open: it is gone */
    SPOOL_RANGE_FAILED = 10,  /* ends the last RANGE_BEGIN that is open: nothing changed */
    SPOOL_SAMPLE = 11,        /* value: CLOCK_BOOTTIME ns at its ticks; size: resident bytes */
    SPOOL_THREAD = 12,        /* value: thread serial << 32 | tid; payload: the thread's name */
    SPOOL_FORK = 13,          /* value: serial of the child's process, forked right after this */
    SPOOL_EXEC = 14,  /* payload: path; the image ends here if the process entry says so too */
    SPOOL_LABEL = 15, /* value: number; payload. Numbers below SPOOL_LABEL_OWN are for marks */
};

/* Which call a SPOOL_RANGE_MAP tells of. */
enum spool_range {
    SPOOL_RANGE_UNTOLD = 0, /* versions 1 and 2: any of them; it ends all RANGE_BEGINs */
    SPOOL_RANGE_MMAP = 1,
    SPOOL_RANGE_PROTECT = 2, /* mprotect; flags: the errno of one that failed half way */
    SPOOL_RANGE_MOVED = 3,   /* mremap: ends the last RANGE_BEGIN; what that saw lies here now, and
                                there no more (but with MREMAP_DONTUNMAP among the flags) */
    SPOOL_RANGE_VIEW = 4,    /* mremap of no length: ends the last RANGE_BEGIN if that is of none;
                                what lies there has a second place */
    SPOOL_RANGE_BREAK = 5,   /* brk, sbrk */
    SPOOL_RANGE_SEGMENT = 6, /* shmat; flags: the segment's number */
};

/* RANGE_MAP's `extra`: the call, PROT_ bits, and the flags of mmap or mremap as Linux has them. */
static inline uint64_t spool_range_of(enum spool_range call, int protection, int flags)
{
    return (uint64_t)call | (uint64_t)(protection & 7) << 4 | (uint64_t)(uint32_t)flags << 8;
}

static inline enum spool_range spool_range_call(uint64_t extra)
{
    return (enum spool_range)(extra & 15);
}

static inline unsigned spool_range_protection(uint64_t extra)
{
    return (unsigned)(extra >> 4 & 7);
}

static inline uint32_t spool_range_flags(uint64_t extra)
{
    return (uint32_t)(extra >> 8);
}

/* The recorder's own labels. */
#define SPOOL_LABEL_OWN (1u << 16)
/* MPROF_SELFCHECK found a difference at the stream's previous event. Payload: u32 number of frames
 * of our walk, u32 of libunwind's, u32 of innermost frames left out because both walks agree on
 * them; then the frames of both, innermost first, encoded as in events. Either walk may go further
 * out than is recorded here. */
#define SPOOL_LABEL_DIFFERENCE (SPOOL_LABEL_OWN + 0)

/* A thread other than the stream's has been given a name. Payload: struct spool_thread_name, with
 * only as much of `name` as is needed. */
#define SPOOL_LABEL_NAME (SPOOL_LABEL_OWN + 1)
struct spool_thread_name {
    uint32_t serial;
    char name[16];
};

/* The call to fork has returned in the parent; in the same stream as its SPOOL_FORK. Payload: u32
 * serial of the child. */
#define SPOOL_LABEL_FORKED (SPOOL_LABEL_OWN + 2)

/* What the child's memory holds of what its parent's threads did after the SPOOL_FORK: for each
 * stream of the parent named here, the events up to `ticks`; for the others, nothing. Payload: an
 * array of struct spool_birth. Left out where it would be empty. */
#define SPOOL_LABEL_BIRTH (SPOOL_LABEL_OWN + 3)
struct spool_birth {
    uint64_t ticks;
    uint32_t stream;
    uint32_t reserved; /* 0 */
};

enum spool_field {
    SPOOL_HAS_DELTA = 1,
    SPOOL_HAS_VALUE = 2,
    SPOOL_HAS_SIZE = 4,
    SPOOL_HAS_PAYLOAD = 8,
};

extern const uint8_t spool_fields[16]; /* by kind: enum spool_field bits */

#define SPOOL_FRAME_UNKNOWN 0u
#define SPOOL_FRAME_RAW     0xffffffu
#define SPOOL_HEAD_MAX      (2 + 3 * 8 + 10 + 5 + 5) /* an event without frames and payload */
#define SPOOL_FRAME_MAX     11

/* What an event's numbers are relative to. At the start of a chunk: zero both, set ticks to
 * opened.ticks. */
struct spool_delta {
    uint64_t ticks;
    uint64_t address;
};

struct spool_event {
    enum spool_kind kind;
    int has_stack;
    uint64_t ticks;   /* absolute */
    uint64_t address; /* or value */
    uint64_t size;
    uint64_t extra; /* 0 unless the head has it */
    int from_node;  /* the base is node `base`; else the stack without `base` innermost frames */
    uint32_t base, push;
    const uint8_t *frames; /* decoder: the encoded frames; walk them with spool_decode_frame */
    const uint8_t *payload;
};

/*
 * Encoder. No allocation, no stdio, no errno, any thread; the buffer belongs to the caller and
 * holds at least SPOOL_HEAD_MAX bytes. Returns the bytes written and updates *d. e->ticks must not
 * be below d->ticks (it is raised to it). The caller appends the frames (e->push of them, up to
 * SPOOL_FRAME_MAX bytes each) and the payload.
 */
size_t spool_encode(uint8_t *out, struct spool_delta *d, const struct spool_event *e);
size_t spool_encode_frame(uint8_t *out, uint32_t id, uint64_t pc);

/*
 * Decoder, the mirror image. version: the header's. Returns the length of the whole event, frames
 * and payload included, or 0 where [p, end) does not hold a whole valid event; then *d and *e are
 * undefined. The caller checks that e->base exists.
 */
size_t spool_decode(const uint8_t *p, const uint8_t *end, unsigned version, struct spool_delta *d,
                    struct spool_event *e);
/* Reads the next frame of an event that spool_decode accepted and returns the place after it; *pc
 * is set for a raw frame. */
const uint8_t *spool_decode_frame(const uint8_t *p, uint32_t *id, uint64_t *pc);

_Static_assert(sizeof(struct spool_process) == 128, "format");
_Static_assert(sizeof(struct spool_module) == 1024, "format");
_Static_assert(sizeof(struct spool_pc) == 16, "format");
_Static_assert(sizeof(struct spool_chunk) == 80, "format");
_Static_assert(sizeof(struct spool_header) <= SPOOL_PAGE, "format");
_Static_assert(sizeof(struct spool_control) <= SPOOL_PAGE, "format");
_Static_assert(SPOOL_UNPLACED_OFFSET + sizeof(struct spool_process) <= SPOOL_HIGH_WATER_OFFSET,
               "format");
_Static_assert(SPOOL_HIGH_WATER_OFFSET + 8 * SPOOL_HIGH_WATER_COUNT <= SPOOL_PAGE, "format");

#endif
