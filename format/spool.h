/*
 * spool.h - the layout of a spool, the recorder's raw output (normative text: doc/format.md).
 *
 * One file holds one exec image and the children it forked. It is written by several threads and
 * processes at once through MAP_SHARED mappings and read by a collector that may look at any
 * moment, also long after a SIGKILL. So every word that says "this is valid" is stored last, and a
 * reader trusts nothing it has not bounds-checked.
 *
 *   0        struct spool_header      written once, at the start
 *   4096     struct spool_control     counters that all processes of the image share
 *   info     strings                  command line, executable, folder, host
 *   processes, modules, pcs           three append-only tables (sparse; offsets in the header)
 *   chunks   struct spool_chunk + events, carved one behind the other by spool_control.carved
 *
 * All integers are little endian. Offsets count from the beginning of the file.
 */
#ifndef MPROF_SPOOL_H
#define MPROF_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#define SPOOL_MAGIC    0x0a1a6c6f6f70736dull /* "mspool\x1a\n" */
#define SPOOL_VERSION  2                     /* a reader knows 1, too */
#define SPOOL_PAGE     4096
#define SPOOL_ID_BYTES 16

/* Feature bits: a reader refuses a spool with a bit it does not know. */
enum spool_feature {
    SPOOL_FREE_STACKS = 1 << 0, /* FREE events carry stacks (MPROF_FREE_STACKS=1) */
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
    uint64_t parent_start_time; /* the same of the parent; 0 where it could not be read */
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
    uint64_t pid_space; /* inode of /proc/self/ns/pid: whose numbers the pids are; 0 unknown */
};

/* Shared counters, and words that a collector or mprof-c may write. */
struct spool_control {
    uint64_t carved; /* the first byte no chunk owns yet; add the chunk's bytes to claim it */
    uint32_t process_count;      /* serials given out; entries are valid by their own `state` */
    uint32_t module_count;       /* the same of modules: serials 1 .. module_count */
    uint32_t pc_count;           /* the same of pcs: ids 1 .. pc_count */
    uint32_t stream_count;       /* streams given out in all processes */
    uint32_t control_version;    /* SPOOL_CONTROL_VERSION */
    uint32_t collector_pid;      /* who collects, 0 nobody */
    uint32_t recording;          /* 1 on, 0 off */
    uint32_t exit_wait_ms;       /* how long the program may wait at its end for a collector */
    uint64_t sampling;           /* mean bytes between sampled allocations, 0 every one */
    uint64_t mark;               /* an event number for marks */
    char reason[256];            /* why nothing (more) is recorded; empty when all is well */
    uint32_t unplaced_processes; /* forked children for which there was no entry */
    uint32_t reserved;
};

/* From this version on a fork has a SPOOL_LABEL_FORKED, and streams are handed from chunk to chunk
 * as doc/format.md, "The protocol", has it. */
#define SPOOL_CONTROL_FORKED  2
#define SPOOL_CONTROL_VERSION 2

/* Behind the control page's words: an entry that all children without one of their own share. Only
 * what they lost is told in it, and that is all they did. */
#define SPOOL_UNPLACED_OFFSET 512

enum spool_end { SPOOL_END_UNKNOWN = 0, SPOOL_END_EXIT = 1, SPOOL_END_EXEC = 2 };

enum spool_process_flag {
    SPOOL_PROCESS_LATE =
        1 << 0, /* the parent wrote no FORK event: fork_ticks is its last event's */
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
    uint64_t lost_other;        /* maps, unmaps, samples; what begins a realloc */
    uint64_t checked;           /* MPROF_SELFCHECK: stacks compared with libunwind's */
    uint64_t differing;         /* of these, different */
    uint64_t lost_since;        /* ticks of the first loss; 0 none, or an old recorder */
    uint64_t lost_maps;         /* of lost_other, mappings; together with */
    uint64_t lost_mapped_bytes; /* their length in bytes */
};

#define SPOOL_BUILD_ID_MAX    32
#define SPOOL_MODULE_PATH     895
#define SPOOL_MODULE_PATH_OLD 944 /* of recorders that wrote no facts */

enum spool_module_flag {
    SPOOL_MODULE_FACTS = 1 << 0, /* the recorder writes struct spool_module_facts */
};

/* What tells the object apart from another one of the same path. They lie in the path's last bytes:
 * an old recorder's entry has no flag there, or a longer path. */
struct spool_module_facts {
    uint64_t content; /* of what is mapped, see spool_content.h; 0 unknown */
    uint64_t device, inode, file_bytes, mtime_ns; /* of the file at its path; inode 0: unknown */
    uint32_t flags;                               /* enum spool_module_flag */
    uint32_t reserved;                            /* 0 */
};

/* A loaded object from its first use on. A library loaded again at another place, or a rebuilt one
 * at the same place, is another module; so a pc of an entry below always means the same code. */
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

/* A program counter; by default a return address, so that the call lies at pc-1. */
struct spool_pc {
    uint64_t pc;
    uint32_t module; /* 0: in no module (JIT, unmapped) */
    uint32_t flags;
};

#define SPOOL_CHUNK_MIN  4096u
#define SPOOL_CHUNK_MARK 0x4b4e4843u

enum spool_chunk_state {
    SPOOL_CHUNK_OPEN = 0,
    SPOOL_CHUNK_CLOSED = 1, /* the stream went on in its next chunk, nothing will be added here */
    SPOOL_CHUNK_MOVED = 2,  /* a collector has copied it to the file's end; the space may be used
                               again. A reader passes it over */
    SPOOL_CHUNK_TAKEN = 3,  /* the recorder is making another chunk of it: the same */
};

enum spool_chunk_flag {
    SPOOL_CHUNK_COPY = 1 << 0, /* a collector's copy of a chunk that was closed */
    SPOOL_CHUNK_SLOT =
        1 << 1, /* its space stays mapped and will be used again if it is moved away */
};

/*
 * A chunk belongs to one stream of one process. A stream is written by one thread at a time; a
 * THREAD event says by which from there on (a stream outlives its thread and serves the next one).
 * The chunks of a stream are numbered 0, 1, 2 .. and hold its events in order of time. Every chunk
 * begins anew: the decoder's stack is empty, its last address 0, its last time `opened.ticks`, its
 * thread unknown: the first event is always THREAD.
 *
 *   commit = sequence << 32 | bytes     stored last, with release order
 *   events lie in [chunk + sizeof(struct spool_chunk), chunk + sizeof + bytes)
 */
struct spool_chunk {
    uint32_t mark;     /* SPOOL_CHUNK_MARK; stored after all that follows but commit */
    uint32_t sequence; /* which use of this space; the commit word's sequence must be equal */
    uint64_t offset;   /* of this chunk: page-sized event bytes cannot pose as a chunk */
    uint8_t id8[8];    /* the first 8 bytes of the spool's id */
    uint64_t bytes;    /* of the chunk, this struct included; a multiple of SPOOL_PAGE */
    uint32_t process;
    uint32_t stream;
    uint32_t index; /* of this chunk in its stream */
    uint32_t flags; /* enum spool_chunk_flag */
    struct spool_moment opened;
    uint64_t commit;
    uint32_t busy;   /* 1 from before an event's time is taken until it is committed */
    uint32_t closed; /* enum spool_chunk_state */
};

/*
 * Events. Each starts with a 16-bit head:
 *
 *    15        14      13     12..10      9..7         6..4       3..0
 *   +------+--------+-------+---------+------------+-----------+------+
 *   | odd  | weight | stack | size - 1| address - 1| ticks - 1 | kind |
 *   +------+--------+-------+---------+------------+-----------+------+
 *
 * then, each little endian in as many bytes as the head says:
 *   ticks     since the stream's event before
 *   address   kinds with SPOOL_HAS_DELTA: zigzag difference to the stream's address before, in
 * units of 16 bytes, or of 1 byte where `odd` is set; kinds with SPOOL_HAS_VALUE: a plain number
 *   size      kinds with SPOOL_HAS_SIZE
 *   weight    (head bit 14) LEB128; reserved for sampling
 *   stack     (head bit 13) LEB128 of value << 2 | has_frames << 1 | is_node; then, where there are
 *             frames, LEB128 of their number `push` and the frames, outermost first: 3-byte pc ids;
 *             id 0 "what lies further out is unknown"; id 0xffffff a raw 8-byte pc follows
 *   payload   kinds with SPOOL_HAS_PAYLOAD: `size` bytes
 *
 * The new stack is a base plus the frames. The base is the stream's stack less `value` innermost
 * frames, or, where is_node is set, node `value` of this chunk: each frame that is pushed makes a
 * node, the stack that ends in it; a chunk's nodes are numbered from 0.
 * (Version 1: LEB128 pop, LEB128 push, frames; no nodes.)
 */
enum spool_kind {
    SPOOL_NOTHING = 0,        /* never committed */
    SPOOL_ALLOC = 1,          /* a block: address, size, stack */
    SPOOL_FREE = 2,           /* address (stack with SPOOL_FREE_STACKS) */
    SPOOL_REALLOC_BEGIN = 3,  /* the old block's address, before the call */
    SPOOL_REALLOC_MOVED = 4,  /* it succeeded: the new address (it may be the old), size, stack */
    SPOOL_REALLOC_FAILED = 5, /* the old block lives on */
    SPOOL_REALLOC_FREED = 6,  /* realloc(p, 0) returned NULL: the old block is gone */
    SPOOL_RANGE_BEGIN = 7,    /* munmap, mremap or a fixed mmap is about to drop [address, + size);
                                 several in a row (mremap to a fixed place) have one end */
    SPOOL_RANGE_MAP = 8, /* a mapping: address, length, stack; ends a RANGE_BEGIN if one is open */
    SPOOL_RANGE_DROPPED = 9, /* ends a RANGE_BEGIN: munmap succeeded */
    SPOOL_RANGE_FAILED = 10, /* ends a RANGE_BEGIN: nothing changed */
    SPOOL_SAMPLE = 11,       /* value: CLOCK_BOOTTIME ns; size: resident bytes of the process */
    SPOOL_THREAD = 12,       /* value: thread serial << 32 | tid; payload: the thread's name */
    SPOOL_FORK = 13,         /* value: serial of the child's process, forked right after this */
    SPOOL_EXEC = 14,  /* payload: path; the image ends here if the process entry says so too */
    SPOOL_LABEL = 15, /* value: number; payload. Numbers below SPOOL_LABEL_OWN are kept for marks */
};

/* Labels of the recorder's own. */
#define SPOOL_LABEL_OWN (1u << 16)
/* MPROF_SELFCHECK found a difference at the stream's event before. Payload: u32 count of frames of
 * our walk, u32 of libunwind's, u32 of innermost frames that are left out because both agree on
 * them; then the frames of both, innermost first, as in events. Either may go on further out than
 * it is told here. */
#define SPOOL_LABEL_DIFFERENCE (SPOOL_LABEL_OWN + 0)

/* Another thread than the stream's has got a name. Payload: struct spool_thread_name, its name as
 * long as it is. */
#define SPOOL_LABEL_NAME (SPOOL_LABEL_OWN + 1)
struct spool_thread_name {
    uint32_t serial;
    char name[16];
};

/* The call to fork has returned in the parent, in the stream of its SPOOL_FORK. Payload: u32 serial
 * of the child. */
#define SPOOL_LABEL_FORKED (SPOOL_LABEL_OWN + 2)

/* What the child's memory holds of what its parent's threads did after the SPOOL_FORK: of each of
 * the parent's streams named here, the events up to `ticks`; of the others nothing. Payload: an
 * array of struct spool_birth. Missing where it would be empty. */
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

/* What one event is relative to. Zero both and set ticks to opened.ticks at the start of a chunk.
 */
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
    uint64_t weight; /* 0 unless the head has it */
    int from_node;   /* the base is node `base`, else the stack less `base` innermost frames */
    uint32_t base, push;
    const uint8_t *frames; /* decoder: the encoded frames, walk them with spool_decode_frame */
    const uint8_t *payload;
};

/*
 * Encoder. No allocation, no stdio, no errno, any thread; the buffer belongs to the caller and
 * holds at least SPOOL_HEAD_MAX bytes. Returns the bytes written. e->ticks must not be below
 * d->ticks (it is raised to it). Updates *d. Frames (e->push of them, SPOOL_FRAME_MAX each) and
 * payload follow by the caller's hand.
 */
size_t spool_encode(uint8_t *out, struct spool_delta *d, const struct spool_event *e);
size_t spool_encode_frame(uint8_t *out, uint32_t id, uint64_t pc);

/*
 * Decoder, the mirror image; version: the header's. Returns the bytes of the whole event, frames
 * and payload included, or 0 where [p, end) does not hold a whole valid event; then *d and *e are
 * undefined. Whether e->base exists is the caller's to check.
 */
size_t spool_decode(const uint8_t *p, const uint8_t *end, unsigned version, struct spool_delta *d,
                    struct spool_event *e);
/* Next frame of an event that spool_decode accepted: returns the place behind it; *pc is set for
 * raw. */
const uint8_t *spool_decode_frame(const uint8_t *p, uint32_t *id, uint64_t *pc);

_Static_assert(sizeof(struct spool_process) == 128, "format");
_Static_assert(sizeof(struct spool_module) == 1024, "format");
_Static_assert(sizeof(struct spool_pc) == 16, "format");
_Static_assert(sizeof(struct spool_chunk) == 80, "format");
_Static_assert(sizeof(struct spool_header) <= SPOOL_PAGE, "format");
_Static_assert(sizeof(struct spool_control) <= SPOOL_PAGE, "format");

#endif
