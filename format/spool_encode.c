/* spool_encode.c - event to bytes. The mirror image of spool_decode.c: same order, same names. */
#include "spool_put.h"

const uint8_t spool_fields[16] = {
    [SPOOL_ALLOC] = SPOOL_HAS_DELTA | SPOOL_HAS_SIZE,
    [SPOOL_FREE] = SPOOL_HAS_DELTA,
    [SPOOL_REALLOC_BEGIN] = SPOOL_HAS_DELTA,
    [SPOOL_REALLOC_MOVED] = SPOOL_HAS_DELTA | SPOOL_HAS_SIZE,
    [SPOOL_RANGE_BEGIN] = SPOOL_HAS_DELTA | SPOOL_HAS_SIZE,
    [SPOOL_RANGE_MAP] = SPOOL_HAS_DELTA | SPOOL_HAS_SIZE,
    [SPOOL_SAMPLE] = SPOOL_HAS_VALUE | SPOOL_HAS_SIZE,
    [SPOOL_THREAD] = SPOOL_HAS_VALUE | SPOOL_HAS_SIZE | SPOOL_HAS_PAYLOAD,
    [SPOOL_FORK] = SPOOL_HAS_VALUE,
    [SPOOL_EXEC] = SPOOL_HAS_SIZE | SPOOL_HAS_PAYLOAD,
    [SPOOL_LABEL] = SPOOL_HAS_VALUE | SPOOL_HAS_SIZE | SPOOL_HAS_PAYLOAD,
};

size_t spool_encode(uint8_t *out, struct spool_delta *d, const struct spool_event *e)
{
    return spool_put_event(out, d, e);
}

size_t spool_encode_frame(uint8_t *out, uint32_t id, uint64_t pc)
{
    return spool_put_frame(out, id, pc);
}
