/*
 * Any file as an object with symbols and DWARF, and as a program that `run` is to judge.
 *
 * Input: the file. Addresses are asked for throughout what its program headers load.
 */
#include "fuzz.h"

#include "elf_check.h"
#include "symbols.h"

#include <elf.h>

#define ADDRESSES 24

static void check_frames(const struct symbol_frame *frames, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length +=
            strlen(frames[i].function) + strlen(frames[i].file) + strlen(frames[i].declared_file);
    if (count > 0 && length == 0)
        fuzz_fail("%zu frames without a name", count);
}

static void ask(struct symbolizer *s, struct symbol_object *object, uint64_t address)
{
    const struct symbol_frame *frames, *again;
    size_t count = symbolizer_resolve(s, object, address, &frames);
    check_frames(frames, count);
    if (symbolizer_resolve(s, object, address, &again) != count || (count && again != frames))
        fuzz_fail("the second answer is another one");
    symbolizer_function_start(s, object, address);
}

static void symbols(const char *path, const uint8_t *data, size_t size)
{
    struct symbolizer *s = symbolizer_new();
    struct symbol_object *object = symbolizer_object(s, &(struct symbol_identity){.path = path});
    Elf64_Ehdr header = {0};

    memcpy(&header, data, size < sizeof header ? size : sizeof header);
    ask(s, object, 0);
    ask(s, object, header.e_entry);
    for (uint64_t i = 0; i < ADDRESSES; i++)
        ask(s, object, 0x1000 + i * 0x19);
    /* A recorded content, which no file has. */
    struct symbol_identity other = {.path = path, .has_facts = true, .content = UINT64_MAX};
    object = symbolizer_object(s, &other);
    ask(s, object, header.e_entry);
    if (symbolizer_gap(object) == SYMBOLS_WHOLE)
        fuzz_fail("the file is believed to have another content");
    symbolizer_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct elf_report report;
    char path[64], sentence[512];
    int fd = fuzz_file(data, size);

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    /* A script names its interpreter, which would be looked at, whatever it is. */
    if (size < 2 || data[0] != '#') {
        elf_check(path, &report);
        elf_check_sentence(&report, sentence, sizeof sentence);
    }
    symbols(path, data, size);
    close(fd);
    return 0;
}
