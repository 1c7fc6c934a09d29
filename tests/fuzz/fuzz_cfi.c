/*
 * Any bytes as a loaded object with .eh_frame_hdr and .eh_frame: the recorder's reader must not
 * look outside of them, and must come to an end.
 *
 * Input: the memory from .eh_frame_hdr on. Addresses in it are relative to their place, as linkers
 * write them, so that it may lie anywhere. Asked is for the begin of each function of the table,
 * and for places in it.
 */
#include "../../preload/cfi.c"

#include "fuzz.h"

#define FUNCTIONS_MAX 64

static void ask(const struct cfi_module *m, uintptr_t pc)
{
    struct rule r = cfi_rule(m, pc);
    if (r.kind > RULE_HARD || r.fp_saved > FP_SAVED_AT_FP)
        fuzz_fail("a rule of kind %u", r.kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned places[] = {0, 1, 4, 20, 100};
    /* An allocation of its own, so that the sanitizer sees its ends; hdr need not be its begin. */
    uint8_t *memory = malloc(size ? size : 1);
    memcpy(memory, data, size);
    size_t before = size > 64 && memory[0] != 1 ? memory[1] % 64 : 0;
    struct cfi_module m = {(uintptr_t)memory, (uintptr_t)memory + size, memory + before};

    ask(&m, 0);
    ask(&m, UINTPTR_MAX);
    ask(&m, (uintptr_t)memory);
    for (size_t i = 0; i < FUNCTIONS_MAX && before + 12 + 8 * (i + 1) <= size; i++) {
        int32_t begin;
        memcpy(&begin, m.eh_frame_hdr + 12 + 8 * i, sizeof begin);
        for (size_t k = 0; k < sizeof places / sizeof *places; k++)
            ask(&m, (uintptr_t)m.eh_frame_hdr + (uintptr_t)(intptr_t)begin + places[k]);
    }
    free(memory);
    return 0;
}
