/*
 * Any bytes as a spool's events. The two decoders, the plain one and the one with the usual events
 * inline, must say the same; frames and payload lie within the event; and what can be encoded again
 * decodes to the same event.
 *
 * Input: a byte whose lowest bit chooses the version, then the events.
 */
#include "fuzz.h"

#include "spool_decode.h"

/* Walks the frames by both ways; they end inside of the event. */
static void check_frames(const struct spool_event *e, const uint8_t *end)
{
    const uint8_t *p = e->frames, *q = e->frames;
    for (uint32_t i = 0; i < e->push; i++) {
        uint32_t id, other_id;
        uint64_t pc, other_pc = 0;
        if (p >= end)
            fuzz_fail("frame %u of %u lies behind its event", i, e->push);
        p = spool_decode_frame(p, &id, &pc);
        q = spool_next_frame(q, &other_id, &other_pc);
        if (p != q || id != other_id || (id == SPOOL_FRAME_RAW && pc != other_pc))
            fuzz_fail("frames differ");
    }
    if (p > end)
        fuzz_fail("the frames end behind their event");
}

static void compare(const struct spool_event *a, const struct spool_event *b)
{
    if (a->kind != b->kind || a->ticks != b->ticks || a->address != b->address ||
        a->size != b->size || a->extra != b->extra || a->has_stack != b->has_stack)
        fuzz_fail("events differ");
    if (a->has_stack &&
        (a->push != b->push || a->base != b->base || !a->from_node != !b->from_node))
        fuzz_fail("stacks differ");
}

/* By encoder and decoder once more; the frames stay where they are. */
static void check_again(const struct spool_event *e, struct spool_delta before)
{
    uint8_t bytes[SPOOL_HEAD_MAX + 16];
    struct spool_event again, head = *e;
    struct spool_delta after = before;

    if (e->ticks < before.ticks || e->push > 0 || spool_fields[e->kind] & SPOOL_HAS_PAYLOAD)
        return;
    size_t size = spool_encode(bytes, &after, &head);
    if (size > SPOOL_HEAD_MAX)
        fuzz_fail("an event of %zu bytes", size);
    if (spool_decode(bytes, bytes + size, SPOOL_VERSION, &before, &again) != size)
        fuzz_fail("what was encoded cannot be decoded");
    compare(e, &again);
    if (before.ticks != after.ticks || before.address != after.address)
        fuzz_fail("encoder and decoder stand at different places");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    unsigned version = data[0] & 1 ? SPOOL_VERSION : 1;
    const uint8_t *p = data + 1, *end = data + size;
    struct spool_delta plain = {0, 0}, next = {0, 0};

    while (p < end) {
        struct spool_event e, other = {0};
        struct spool_delta before = plain;
        size_t bytes = spool_decode(p, end, version, &plain, &e);
        if (spool_decode_next(p, end, version, &next, &other) != bytes)
            fuzz_fail("the decoders differ about an event's bytes");
        if (bytes == 0)
            break;
        if (bytes > (size_t)(end - p))
            fuzz_fail("an event that ends behind the end");
        compare(&e, &other);
        if (plain.ticks != next.ticks || plain.address != next.address)
            fuzz_fail("the decoders stand at different places");
        if (e.has_stack)
            check_frames(&e, p + bytes);
        if (spool_fields[e.kind] & SPOOL_HAS_PAYLOAD &&
            (e.payload < p || e.size > (size_t)(p + bytes - e.payload)))
            fuzz_fail("a payload that ends behind its event");
        check_again(&e, before);
        p += bytes;
    }
    return 0;
}
