/*
 * make_seed - a file as an input of a fuzz target (fuzz_files.h), on standard output.
 *
 *   make_seed spool FILE      records of what is not zero
 *   make_seed capture FILE    records of the blocks, unpacked
 *   make_seed frames FILE     an ELF file's .eh_frame_hdr and .eh_frame, as they lie in memory
 */
#include "fuzz_files.h"

#include "block.h"

#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>

static void put(uint16_t a, uint16_t b, const void *data, size_t size)
{
    uint8_t head[RECORD_HEAD];
    struct record r = {a, b, (uint16_t)size, data};
    memcpy(head, &r.a, 2);
    memcpy(head + 2, &r.b, 2);
    memcpy(head + 4, &r.size, 2);
    fwrite(head, 1, sizeof head, stdout);
    fwrite(data, 1, size, stdout);
}

static int spool(int fd)
{
    uint8_t page[SPOOL_PAGE];
    uint64_t at = 0, end = 0;
    struct spool_control control = {0};

    if (pread(fd, &control, sizeof control, SPOOL_PAGE) == sizeof control)
        end = control.carved;
    for (;; at += SPOOL_PAGE) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        if (data < 0 || pread(fd, page, sizeof page, data) <= 0)
            break;
        at = (uint64_t)data;
        size_t from = 0, to = sizeof page;
        while (from < to && page[from] == 0)
            from++;
        while (to > from && page[to - 1] == 0)
            to--;
        if (to > from && at / SPOOL_PAGE < SPOOL_PAGES_MAX)
            put((uint16_t)(at / SPOOL_PAGE), (uint16_t)from, page + from, to - from);
    }
    put((uint16_t)(end / SPOOL_PAGE), (uint16_t)(end % SPOOL_PAGE), "", 0);
    return 0;
}

static int capture(int fd)
{
    struct capture_header header;
    struct capture_block head;
    struct block_input input;
    struct bytes stored = {0}, payload = {0};
    struct stat status;
    uint64_t at = sizeof header;

    if (fstat(fd, &status) != 0 || pread(fd, &header, sizeof header, 0) != sizeof header)
        return 1;
    putchar(1);
    put(0, 0, &header, sizeof header - sizeof header.checksum);
    block_input_open(&input, fd, (uint64_t)status.st_size);
    while (block_fetch(&input, at, &head, &stored) > 0 &&
           block_unpack(&input, &head, &stored, &payload)) {
        if (head.type != BLOCK_INDEX && payload.size < UINT16_MAX)
            put(head.type | (payload.size > 2000 ? CAPTURE_RECORD_ZSTD : 0), (uint16_t)head.process,
                payload.data, payload.size);
        at += sizeof head + head.stored_bytes;
    }
    block_input_close(&input);
    bytes_free(&stored);
    bytes_free(&payload);
    return 0;
}

static int frames(int fd)
{
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    size_t count = 0;
    GElf_Phdr header, load;

    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_GNU_EH_FRAME)
            continue;
        for (size_t k = 0; k < count; k++) {
            if (!gelf_getphdr(elf, (int)k, &load) || load.p_type != PT_LOAD ||
                header.p_offset < load.p_offset || header.p_offset >= load.p_offset + load.p_filesz)
                continue;
            size_t bytes = load.p_offset + load.p_filesz - header.p_offset;
            uint8_t *data = malloc(bytes);
            if (pread(fd, data, bytes, (off_t)header.p_offset) == (ssize_t)bytes)
                fwrite(data, 1, bytes, stdout);
            free(data);
        }
    }
    elf_end(elf);
    return 0;
}

int main(int argc, char **argv)
{
    int fd = argc == 3 ? open(argv[2], O_RDONLY) : -1;
    if (fd < 0)
        return 2;
    return strcmp(argv[1], "spool") == 0     ? spool(fd)
           : strcmp(argv[1], "capture") == 0 ? capture(fd)
                                             : frames(fd);
}
