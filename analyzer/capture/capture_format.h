/*
 * capture_format.h - the layout of a capture file (normative text: doc/format.md).
 *
 *   header    struct capture_header: who was recorded; readable with the first page alone
 *   blocks    each {struct capture_block, stored bytes}, whole or absent
 *   tail      struct capture_tail, the file's last bytes: where the index is
 *
 * A file without its tail was cut (or is still being written): its blocks are read from the first
 * one to the first that is damaged. All integers are little endian; numbers inside payloads are
 * LEB128 (bytes.h). Blocks of types that a reader does not know are skipped; what cannot be skipped
 * gets a feature bit, and a file with an unknown feature bit or a later version is refused.
 */
#ifndef MPROF_CAPTURE_FORMAT_H
#define MPROF_CAPTURE_FORMAT_H

#include <stdint.h>

#define CAPTURE_MAGIC      0x0a1a666f72706d63ull /* "cmprof\x1a\n" */
#define CAPTURE_TAIL_MAGIC 0x0a1a646e65706d63ull /* "cmpend\x1a\n" */
#define CAPTURE_BLOCK_MARK 0x6b6c4270u           /* "pBlk" */
#define CAPTURE_VERSION    2
#define CAPTURE_MAPPED     2        /* from this version on, mapped memory has figures of its own */
#define CAPTURE_TICK_NS    1000000u /* unit of an event's time */

/* Feature bits. */
enum capture_feature {
    CAPTURE_BLOCKS =
        1 << 0, /* segments say which block each free takes; checkpoints are by class */
    CAPTURE_KINDS_UNTOLD = 1 << 1, /* made of an older recorder's spool: reservations and files
                                      count as mapped memory, and there is no MAPPED */
};
#define CAPTURE_FEATURES_KNOWN ((uint32_t)(CAPTURE_BLOCKS | CAPTURE_KINDS_UNTOLD))

/* Limits that a reader enforces. A writer stays within them whatever it is given: see "Bounds" in
 * doc/format.md. */
#define CAPTURE_BLOCK_MAX   (256u << 20) /* payload bytes of a block */
#define CAPTURE_TABLE_MAX   (64u << 20)  /* entries of a table */
#define CAPTURE_PROCESS_MAX (1u << 20)

/* A writer's own limits. Even at their longest, CAPTURE_LIST_MAX functions (235 bytes), leaks (50)
 * and samples (20) fit into one block together; in MAPPED half as many functions (480) and leaks.
 */
#define CAPTURE_TEXT_MAX     32767u     /* bytes of a text; what is longer is shortened */
#define CAPTURE_LIST_MAX     (3u << 18) /* entries of a list kept in one block */
#define CAPTURE_STACK_MAX    CAPTURE_TABLE_MAX
#define CAPTURE_CLASS_MAX    CAPTURE_TABLE_MAX
#define CAPTURE_LOCATION_MAX (16u << 20) /* also of frames, hence of functions and their texts */

struct capture_header {
    uint64_t magic;
    uint32_t version;
    uint32_t features;
    uint8_t id[16]; /* the spool's */
    uint8_t boot_id[16];
    uint64_t tree;
    int32_t pid;
    int32_t parent_pid;
    uint64_t start_time;
    uint64_t parent_start_time;
    uint64_t epoch_ns;
    uint32_t start_kind;
    uint32_t tick_ns;
    uint64_t checksum; /* of all the bytes before it */
};

enum capture_block_type {
    BLOCK_HEAD = 1,    /* command line, executable, folder, host */
    BLOCK_STRINGS = 2, /* tables: what was appended since the previous block of this type */
    BLOCK_FUNCTIONS = 3,
    BLOCK_FRAMES = 4,
    BLOCK_LOCATIONS = 5,
    BLOCK_STACKS = 6,
    BLOCK_CLASSES = 7,
    BLOCK_PROCESSES = 8,  /* pids and start times, the whole list as known so far */
    BLOCK_CHECKPOINT = 9, /* of a process: live blocks by class where a segment begins (without
                             CAPTURE_BLOCKS by stack) */
    BLOCK_EVENTS = 10,    /* of a process: a segment */
    BLOCK_POSITIONS =
        11,             /* of a process: where collecting stood in the spool when it was written */
    BLOCK_SAMPLES = 12, /* of a process: resident set */
    BLOCK_LIVE = 13,    /* of a process: blocks live at its end */
    BLOCK_SUMMARY = 14, /* of a process: struct process */
    BLOCK_INDEX = 15,   /* all blocks before it */
    BLOCK_SELFCHECK = 16, /* of a process, before its summary: what MPROF_SELFCHECK found */
    BLOCK_THREADS = 17,   /* of a process, before its summary: what each thread allocated */
    BLOCK_LOST = 18,      /* of a process, before its summary: what found no room */
    BLOCK_BOUNDS = 19,    /* of a process, before its summary: what was shortened, or left out */
    BLOCK_MODULES = 20,   /* of the image: modules without names or debug information, and why */
    BLOCK_MAPPED = 21,    /* of a process, after its summary: mapped memory, and all memory */
    BLOCK_FAILED = 22,    /* of a process, before its summary: allocations that failed, by stack */
    BLOCK_OBJECTS = 23,   /* a table: programs and libraries, in which locations lie */
    BLOCK_FAMILY = 24,    /* of the image: how many other recordings belong to its family */
};

enum capture_block_flag { BLOCK_ZSTD = 1 << 0 /* stored is a zstd frame of the payload */ };

struct capture_block {
    uint32_t mark;
    uint16_t type;
    uint16_t flags;
    uint32_t process; /* serial; 0 for blocks of the whole image */
    uint32_t raw_bytes;
    uint32_t stored_bytes;
    uint32_t reserved;
    uint64_t checksum; /* of the bytes of this struct before it, then of the stored bytes */
};

struct capture_tail {
    uint64_t magic;
    uint64_t index_offset;     /* of the INDEX block */
    uint64_t processes_offset; /* of the last PROCESSES block, to read only the pids */
    uint64_t file_bytes;       /* this struct included */
    uint64_t checksum;         /* of all the bytes before it */
};

/* Codes of a segment's token stream. */
enum capture_token {
    TOKEN_NEW_CLASS = 0, /* allocation; class: one more than the highest this process had named */
    TOKEN_TEMPORARY = 1, /* EVENT_FREE_TEMPORARY of the class of the thread's previous event */
    TOKEN_ESCAPE = 2,    /* kind, zigzag class difference, and EVENT_UNMAP's bytes follow */
    TOKEN_FIRST = 3,     /* 3 + 2z: EVENT_ALLOC, 4 + 2z: EVENT_FREE; z: zigzag class difference */
};

_Static_assert(sizeof(struct capture_header) == 104, "format");
_Static_assert(sizeof(struct capture_block) == 32, "format");
_Static_assert(sizeof(struct capture_tail) == 40, "format");

/* FNV-1a with 64 bits, continued from `sum`. */
#define CAPTURE_CHECKSUM_START 0xcbf29ce484222325ull
uint64_t capture_checksum(uint64_t sum, const void *data, uint64_t size);

#endif
