/* cfi.c - the reader of .eh_frame. */
#include "cfi.h"
#include "arch_x86_64.h"

#include <string.h>

/* ---- bytes, never outside of the module ---- */

struct bytes {
    const uint8_t *p, *end;
    int bad; /* sticky */
};

static uint64_t get(struct bytes *b, unsigned n)
{
    uint64_t v = 0;
    if (b->bad || b->p > b->end || (uintptr_t)(b->end - b->p) < n) {
        b->bad = 1;
        return 0;
    }
    memcpy(&v, b->p, n);
    b->p += n;
    return v;
}

static uint64_t get_leb(struct bytes *b, int is_signed)
{
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = (uint8_t)get(b, 1);
        if (shift < 64)
            v |= (uint64_t)(byte & 127) << shift;
        shift += 7;
    } while (byte & 128 && !b->bad);
    if (is_signed && shift < 64 && byte & 64)
        v |= ~0ull << shift;
    return v;
}

static void skip(struct bytes *b, uint64_t n)
{
    if (b->bad || n > (uint64_t)(b->end - b->p))
        b->bad = 1;
    else
        b->p += n;
}

/* Pointer encodings: the low nibble is the format, the next three bits what it is relative to. */
enum { PE_ABSOLUTE = 0, PE_ULEB = 1, PE_SLEB = 9, PE_PC_RELATIVE = 0x10, PE_DATA_RELATIVE = 0x30 };

static uintptr_t get_encoded(struct bytes *b, uint8_t encoding, uintptr_t data_base)
{
    const uint8_t *at = b->p;
    uint64_t v;
    switch (encoding & 15) {
    case PE_ABSOLUTE:
    case 4:
    case 12:
        v = get(b, 8);
        break;
    case PE_ULEB:
        v = get_leb(b, 0);
        break;
    case PE_SLEB:
        v = get_leb(b, 1);
        break;
    case 2:
        v = get(b, 2);
        break;
    case 10:
        v = (uint64_t)(int16_t)get(b, 2);
        break;
    case 3:
        v = get(b, 4);
        break;
    case 11:
        v = (uint64_t)(int32_t)get(b, 4);
        break;
    default:
        b->bad = 1;
        return 0;
    }
    if ((encoding & 0x70) == PE_PC_RELATIVE)
        v += (uintptr_t)at;
    else if ((encoding & 0x70) == PE_DATA_RELATIVE)
        v += data_base;
    else if (encoding & 0x70)
        b->bad = 1;
    return v;
}

/* ---- the common and the function's entry ---- */

struct cie {
    struct bytes program;
    uint64_t code_align;
    int64_t data_align;
    uint8_t pointer_encoding;
    int has_augmentation, is_signal;
};

static int read_cie(const struct cfi_module *m, const uint8_t *at, struct cie *cie)
{
    struct bytes b = {at, (const uint8_t *)m->end, (uintptr_t)at < m->start};
    uint64_t length = get(&b, 4);
    if (b.bad || length == 0 || length == 0xffffffff || length > (uint64_t)(b.end - b.p))
        return -1;
    b.end = b.p + length;
    if (get(&b, 4) != 0)
        return -1;
    memset(cie, 0, sizeof *cie);
    uint64_t version = get(&b, 1);
    char augmentation[8] = "";
    for (unsigned i = 0; i < sizeof augmentation; i++)
        if (!(augmentation[i] = (char)get(&b, 1)))
            break;
    if (augmentation[sizeof augmentation - 1])
        return -1;
    cie->code_align = get_leb(&b, 0);
    cie->data_align = (int64_t)get_leb(&b, 1);
    uint64_t ra = version == 1 ? get(&b, 1) : get_leb(&b, 0);
    if (b.bad || ra != ARCH_DWARF_RA || (augmentation[0] && augmentation[0] != 'z'))
        return -1;
    if (augmentation[0] == 'z') {
        uint64_t bytes = get_leb(&b, 0);
        struct bytes a = b;
        skip(&b, bytes);
        cie->has_augmentation = 1;
        for (const char *c = augmentation + 1; *c; c++) {
            if (*c == 'R')
                cie->pointer_encoding = (uint8_t)get(&a, 1);
            else if (*c == 'P')
                get_encoded(&a, (uint8_t)get(&a, 1) & 0x7f, 0);
            else if (*c == 'L')
                get(&a, 1);
            else if (*c == 'S')
                cie->is_signal = 1;
            else
                return -1;
        }
        b.bad |= a.bad;
    }
    cie->program = b;
    return b.bad ? -1 : 0;
}

/* ---- the row ---- */

/* Kept small, as a handler's stack may be: what does not fit is left to libunwind. */
enum how { SAME, AT_OFFSET, AT_FP, UNDEFINED, OTHERWISE };

struct saved {
    int32_t offset; /* AT_OFFSET: from the CFA; AT_FP: from the frame pointer */
    uint8_t how;    /* enum how */
};

struct row { /* the registers a walk follows; no others matter */
    const uint8_t *cfa_expression, *expression_end; /* where cfa_register is NO_REGISTER */
    int64_t cfa_offset;
    struct saved fp, sp, ra;
    uint8_t cfa_register;
};

#define NO_REGISTER    255
#define OTHER_REGISTER 254
#define REMEMBERED     4

static void set_cfa_register(struct row *row, uint64_t reg)
{
    row->cfa_register = reg < OTHER_REGISTER ? (uint8_t)reg : OTHER_REGISTER;
}

/* NULL: a register of no interest. */
static struct saved *saved_of(struct row *row, uint64_t reg)
{
    return reg == ARCH_DWARF_FP   ? &row->fp
           : reg == ARCH_DWARF_SP ? &row->sp
           : reg == ARCH_DWARF_RA ? &row->ra
                                  : NULL;
}

/* A factored offset; a nonsensical one wraps. */
static int64_t factored(uint64_t offset, const struct cie *cie)
{
    return (int64_t)(offset * (uint64_t)cie->data_align);
}

static void set_saved(struct row *row, uint64_t reg, enum how how, int64_t offset)
{
    struct saved *saved = saved_of(row, reg);
    if (saved)
        *saved = (struct saved){(int32_t)offset, offset == (int32_t)offset ? how : OTHERWISE};
}

/* The next n bytes; bad where there are not so many. */
static struct bytes block(const struct bytes *b, uint64_t n)
{
    struct bytes whole = *b;
    if (!b->bad && n <= (uint64_t)(b->end - b->p))
        whole.end = b->p + n;
    else
        whole.bad = 1;
    return whole;
}

/* `breg6 offset`: gcc's way to say where a realigned function keeps the frame pointer. */
static void set_by_expression(struct row *row, uint64_t reg, struct bytes e)
{
    int is_at_fp = get(&e, 1) == 0x70 + ARCH_DWARF_FP;
    int64_t offset = is_at_fp ? (int64_t)get_leb(&e, 1) : 0;
    is_at_fp &= e.p == e.end && !e.bad;
    set_saved(row, reg, is_at_fp ? AT_FP : OTHERWISE, offset);
}

static void restore(struct row *row, const struct row *initial, uint64_t reg)
{
    struct saved *saved = saved_of(row, reg);
    if (saved)
        *saved = *saved_of((struct row *)initial, reg);
}

/* Instructions whose whole operation is in the low six bits. Returns -1 for an unknown one. */
static int execute_extended(unsigned op, struct bytes *b, const struct cie *cie, struct row *row,
                            const struct row *initial)
{
    uint64_t reg, n;
    switch (op) {
    case 0x00: /* nop */
        return 0;
    case 0x05: /* offset_extended */
        reg = get_leb(b, 0);
        set_saved(row, reg, AT_OFFSET, factored(get_leb(b, 0), cie));
        return 0;
    case 0x11: /* offset_extended_sf */
        reg = get_leb(b, 0);
        set_saved(row, reg, AT_OFFSET, factored(get_leb(b, 1), cie));
        return 0;
    case 0x06: /* restore_extended */
        restore(row, initial, get_leb(b, 0));
        return 0;
    case 0x07: /* undefined */
        set_saved(row, get_leb(b, 0), UNDEFINED, 0);
        return 0;
    case 0x08: /* same_value */
        set_saved(row, get_leb(b, 0), SAME, 0);
        return 0;
    case 0x09: /* register */
    case 0x14: /* val_offset */
    case 0x15: /* val_offset_sf */
        set_saved(row, get_leb(b, 0), OTHERWISE, 0);
        get_leb(b, 0);
        return 0;
    case 0x10: /* expression */
        reg = get_leb(b, 0);
        n = get_leb(b, 0);
        set_by_expression(row, reg, block(b, n));
        skip(b, n);
        return 0;
    case 0x16: /* val_expression */
        set_saved(row, get_leb(b, 0), OTHERWISE, 0);
        n = get_leb(b, 0);
        skip(b, n);
        return 0;
    case 0x0c: /* def_cfa */
        set_cfa_register(row, get_leb(b, 0));
        row->cfa_offset = (int64_t)get_leb(b, 0);
        return 0;
    case 0x12: /* def_cfa_sf */
        set_cfa_register(row, get_leb(b, 0));
        row->cfa_offset = factored(get_leb(b, 1), cie);
        return 0;
    case 0x0d: /* def_cfa_register */
        set_cfa_register(row, get_leb(b, 0));
        return 0;
    case 0x0e: /* def_cfa_offset */
        row->cfa_offset = (int64_t)get_leb(b, 0);
        return 0;
    case 0x13: /* def_cfa_offset_sf */
        row->cfa_offset = factored(get_leb(b, 1), cie);
        return 0;
    case 0x0f: /* def_cfa_expression */
        n = get_leb(b, 0);
        row->cfa_register = NO_REGISTER;
        row->cfa_expression = b->p;
        skip(b, n);
        row->expression_end = b->p;
        return 0;
    case 0x2e: /* GNU_args_size */
        get_leb(b, 0);
        return 0;
    default:
        return -1;
    }
}

/* Executes the program until the row for pc is complete. location: where the program begins. */
static int execute(struct bytes b, const struct cie *cie, struct row *row,
                   const struct row *initial, uintptr_t location, uintptr_t pc)
{
    struct row remembered[REMEMBERED];
    unsigned depth = 0;
    while (b.p < b.end && !b.bad) {
        unsigned op = (unsigned)get(&b, 1);
        uint64_t advance = 0;
        if (op >> 6 == 1) {
            advance = op & 63;
        } else if (op >> 6 == 2) {
            set_saved(row, op & 63, AT_OFFSET, factored(get_leb(&b, 0), cie));
        } else if (op >> 6 == 3) {
            restore(row, initial, op & 63);
        } else if (op == 0x01) { /* set_loc */
            location = get_encoded(&b, cie->pointer_encoding, 0);
            if (location > pc)
                break;
        } else if (op >= 0x02 && op <= 0x04) { /* advance_loc1, 2, 4 */
            advance = get(&b, 1u << (op - 2));
        } else if (op == 0x0a) { /* remember_state */
            if (depth == REMEMBERED)
                return -1;
            remembered[depth++] = *row;
        } else if (op == 0x0b) { /* restore_state */
            if (depth == 0)
                return -1;
            *row = remembered[--depth];
        } else if (execute_extended(op, &b, cie, row, initial) < 0) {
            return -1;
        }
        location += advance * cie->code_align;
        if (location > pc)
            break;
    }
    return b.bad ? -1 : 0;
}

/* ---- from pc to rule ---- */

/* `breg6 offset; deref`: gcc's CFA for a function that realigned its stack. */
static int is_deref_of_fp(struct bytes e, int64_t *offset)
{
    if (get(&e, 1) != 0x70 + ARCH_DWARF_FP)
        return 0;
    *offset = (int64_t)get_leb(&e, 1);
    return get(&e, 1) == 0x06 && e.p == e.end && !e.bad;
}

/* The linker's CFA for the procedure linkage table: from byte N of a 16-byte entry on, after the
 * push, the CFA is one word further away. A signal may strike there.
 *   breg7 offset; breg16 0; lit15; and; litN; ge; lit3; shl; plus */
static int is_linkage_entry(struct bytes e, uintptr_t pc, int64_t *offset)
{
    static const uint8_t before[] = {0x80, 0, 0x3f, 0x1a}, after[] = {0x2a, 0x33, 0x24, 0x22};
    if (get(&e, 1) != 0x70 + ARCH_DWARF_SP)
        return 0;
    *offset = (int64_t)get_leb(&e, 1);
    if (e.bad || e.end - e.p != 9 || memcmp(e.p, before, 4) != 0 || memcmp(e.p + 5, after, 4) != 0)
        return 0;
    unsigned pushed_from = (unsigned)e.p[4] - 0x30;
    if (pushed_from > 15)
        return 0;
    if ((pc & 15) >= pushed_from)
        *offset = (int64_t)((uint64_t)*offset + 8);
    return 1;
}

static struct rule rule_of(const struct row *row, const struct cie *cie, uintptr_t pc)
{
    struct rule hard = {.kind = RULE_HARD};
    struct rule r = {.kind = RULE_STEP};
    struct bytes expression = {row->cfa_expression, row->expression_end, 0};
    int64_t offset = row->cfa_offset;

    if (cie->is_signal)
        return (struct rule){.kind = RULE_SIGNAL};
    if (row->ra.how == UNDEFINED)
        return (struct rule){.kind = RULE_END};
    if (row->ra.how != AT_OFFSET || row->ra.offset != ARCH_RA_OFFSET || row->sp.how != SAME)
        return hard;
    if (row->cfa_register == NO_REGISTER) {
        if (is_deref_of_fp(expression, &offset)) {
            r.kind = RULE_DEREF;
            r.base_fp = 1;
        } else if (!is_linkage_entry(expression, pc, &offset)) {
            return hard;
        }
    } else if (row->cfa_register == ARCH_DWARF_FP) {
        r.base_fp = 1;
    } else if (row->cfa_register != ARCH_DWARF_SP) {
        return hard;
    }
    if (offset != (int32_t)offset || row->fp.how == OTHERWISE)
        return hard;
    r.cfa_offset = (int32_t)offset;
    if (row->fp.how == AT_OFFSET || row->fp.how == AT_FP) {
        if (row->fp.offset != (int16_t)row->fp.offset)
            return hard;
        r.fp_saved = row->fp.how == AT_FP ? FP_SAVED_AT_FP : FP_SAVED_AT_CFA;
        r.fp_offset = (int16_t)row->fp.offset;
    }
    return r;
}

/* Finds the function entry that covers pc in the header's sorted table; or NULL. */
static const uint8_t *find_fde(const struct cfi_module *m, uintptr_t pc)
{
    const uint8_t *h = m->eh_frame_hdr;
    if (!h || (uintptr_t)h < m->start || (uintptr_t)h + 12 > m->end || h[0] != 1 || h[3] != 0x3b)
        return NULL; /* 0x3b: table of data-relative signed 4-byte pairs, the only one written */
    struct bytes b = {h + 4, (const uint8_t *)m->end, 0};
    get_encoded(&b, h[1], (uintptr_t)h);
    uint64_t count = get_encoded(&b, h[2], (uintptr_t)h);
    if (b.bad || count > (uint64_t)(b.end - b.p) / 8)
        return NULL;
    const uint8_t *table = b.p;
    int64_t wanted = (int64_t)(pc - (uintptr_t)h);
    uint64_t low = 0, high = count;
    int32_t entry[2];
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        memcpy(entry, table + 8 * middle, sizeof entry);
        if (entry[0] <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    memcpy(entry, table + 8 * (low - 1), sizeof entry);
    return h + entry[1];
}

struct rule cfi_rule(const struct cfi_module *m, uintptr_t pc)
{
    struct rule none = {.kind = RULE_NONE}, hard = {.kind = RULE_HARD};
    const uint8_t *fde = find_fde(m, pc);
    if (!fde || (uintptr_t)fde < m->start)
        return none;
    struct bytes b = {fde, (const uint8_t *)m->end, 0};
    uint64_t length = get(&b, 4);
    const uint8_t *id_at = b.p;
    uint64_t back = get(&b, 4);
    if (b.bad || length < 4 || length == 0xffffffff || length - 4 > (uint64_t)(b.end - b.p))
        return none;
    b.end = b.p + (length - 4);
    struct cie cie;
    if (back > (uintptr_t)id_at - m->start || read_cie(m, id_at - back, &cie) < 0)
        return hard;
    uintptr_t begin = get_encoded(&b, cie.pointer_encoding, 0);
    uintptr_t range = get_encoded(&b, cie.pointer_encoding & 15, 0);
    if (b.bad || pc < begin || pc - begin >= range)
        return none;
    if (cie.has_augmentation)
        skip(&b, get_leb(&b, 0));

    struct row row = {.cfa_register = NO_REGISTER}, initial;
    if (execute(cie.program, &cie, &row, &row, 0, UINTPTR_MAX) < 0)
        return hard;
    initial = row;
    if (execute(b, &cie, &row, &initial, begin, pc) < 0)
        return hard;
    return rule_of(&row, &cie, pc);
}
