/*
 * cfi.h - one row of the call frame information in .eh_frame, as a rule that a walk can apply.
 *
 * Reads the module's memory through its .eh_frame_hdr search table, bounds-checked against the
 * module's mapping. No allocation, no lock, no errno; about 300 ns a row. Any thread, any signal
 * handler. Source: DWARF 5 section 6.4; Linux Standard Base Core 5.0, "Exception Frames".
 */
#ifndef MPROF_CFI_H
#define MPROF_CFI_H

#include <stdint.h>

enum rule_kind {
    RULE_STEP,   /* CFA = base + cfa_offset; the return address lies below it */
    RULE_DEREF,  /* CFA = *(base + cfa_offset): a function that realigned its stack */
    RULE_SIGNAL, /* the return trampoline of a signal handler */
    RULE_END,    /* the outermost frame: its return address is undefined */
    RULE_NONE,   /* no information: JIT code, or a module without .eh_frame */
    RULE_HARD    /* information that these rules do not express */
};

enum fp_saved { FP_UNCHANGED, FP_SAVED_AT_CFA, FP_SAVED_AT_FP /* + fp_offset */ };

struct rule {
    uint8_t kind;     /* enum rule_kind */
    uint8_t base_fp;  /* base is the frame pointer, else the stack pointer */
    uint8_t fp_saved; /* enum fp_saved: where the caller's frame pointer lies */
    int16_t fp_offset;
    int32_t cfa_offset;
};

/* A loaded object's tables, see objects.h. */
struct cfi_module {
    uintptr_t start, end;        /* the range they lie in: the object, or a segment of it */
    const uint8_t *eh_frame_hdr; /* NULL: none */
};

/* The rule at pc (for a return address, pass it less one); at worst RULE_NONE or RULE_HARD. */
struct rule cfi_rule(const struct cfi_module *module, uintptr_t pc);

#endif
