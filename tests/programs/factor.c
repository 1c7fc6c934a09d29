/*
 * factor.c - factors a number; its every intermediate result is a block. For scripts/bench.
 *
 * BUILD -O2
 * VALGRIND exact
 * ARGUMENTS 1000036000099
 *
 * factor NUMBER: Pollard's rho with Floyd's two runners; prints the factor that it finds, or NUMBER.
 * Sums, products, differences and remainders are new blocks of a few words, and go as soon as they
 * were used: a program that does little but allocate, from few places, all near main.
 *
 * 1000036000099 is 1000003 * 1000033 and takes 478 steps. A step makes three values (a product, a
 * sum and a remainder each), a difference and a greatest common divisor, which begins with a copy (a sum).
 *
 * EXPECT live_at_end_blocks 0
 * EXPECT product self allocations 0
 * EXPECT product inclusive allocations 1434
 * EXPECT sum inclusive allocations 1912
 * EXPECT difference inclusive allocations 478
 * EXPECT read_decimal inclusive allocations 1
 * EXPECT main self allocations 0
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A natural number, lowest limb first, the highest not 0; 0 has no limbs. */
struct number {
    uint32_t count;
    uint32_t limb[];
};

#define LIMBS_MAX 64 /* of what a remainder is taken of */

#define NOT_INLINED __attribute__((noipa))

static NOT_INLINED struct number *make(uint32_t count)
{
    struct number *n = malloc(sizeof *n + sizeof n->limb[0] * count);
    if (!n)
        exit(1);
    n->count = count;
    return n;
}

static struct number *trimmed(struct number *n)
{
    while (n->count && n->limb[n->count - 1] == 0)
        n->count--;
    return n;
}

static int compare(const struct number *a, const struct number *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = a->count; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static NOT_INLINED struct number *sum(const struct number *a, uint32_t small)
{
    struct number *n = make(a->count + 1);
    uint64_t carry = small;
    for (uint32_t i = 0; i < a->count; i++, carry >>= 32)
        n->limb[i] = (uint32_t)(carry += a->limb[i]);
    n->limb[a->count] = (uint32_t)carry;
    return trimmed(n);
}

/* The larger less the smaller. */
static NOT_INLINED struct number *difference(const struct number *a, const struct number *b)
{
    const struct number *high = compare(a, b) < 0 ? b : a, *low = high == a ? b : a;
    struct number *n = make(high->count);
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < high->count; i++) {
        uint64_t d = (uint64_t)high->limb[i] - (i < low->count ? low->limb[i] : 0) - borrow;
        n->limb[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    return trimmed(n);
}

static NOT_INLINED struct number *product(const struct number *a, const struct number *b)
{
    struct number *n = make(a->count + b->count);
    memset(n->limb, 0, sizeof n->limb[0] * n->count);
    for (uint32_t i = 0; i < a->count; i++) {
        uint64_t carry = 0;
        for (uint32_t k = 0; k < b->count; k++, carry >>= 32) {
            carry += (uint64_t)a->limb[i] * b->limb[k] + n->limb[i + k];
            n->limb[i + k] = (uint32_t)carry;
        }
        n->limb[i + b->count] = (uint32_t)carry;
    }
    return trimmed(n);
}

/* to = from << shift; returns what is shifted out. */
static uint32_t shift_up(uint32_t *to, const uint32_t *from, uint32_t count, int shift)
{
    uint64_t carry = 0;
    for (uint32_t i = 0; i < count; i++, carry >>= 32)
        to[i] = (uint32_t)(carry |= (uint64_t)from[i] << shift);
    return (uint32_t)carry;
}

/* Takes the multiple `q` of d from the limbs at a, or one less where that is too much. */
static void take_multiple(uint32_t *a, const uint32_t *d, uint32_t count, uint64_t q)
{
    uint64_t carry = 0;
    int64_t borrow = 0;
    for (uint32_t i = 0; i <= count; i++, carry >>= 32) {
        carry += i < count ? q * d[i] : 0;
        borrow += (int64_t)a[i] - (uint32_t)carry;
        a[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    if (borrow == 0)
        return;
    for (uint32_t i = 0, over = 0; i <= count; i++) {
        uint64_t s = (uint64_t)a[i] + (i < count ? d[i] : 0) + over;
        a[i] = (uint32_t)s;
        over = (uint32_t)(s >> 32);
    }
}

/* Knuth's division (The Art of Computer Programming 4.3.1, algorithm D) of `top` + 1 limbs at a by the
 * `count` at d, whose highest bit is set; the remainder is left at a. */
static void divide(uint32_t *a, uint32_t top, const uint32_t *d, uint32_t count)
{
    for (uint32_t at = top - count + 1; at-- > 0;) {
        uint64_t head = (uint64_t)a[at + count] << 32 | a[at + count - 1];
        uint64_t q = head / d[count - 1], rest = head % d[count - 1];
        while (q >> 32 || (count > 1 && q * d[count - 2] > (rest << 32 | a[at + count - 2]))) {
            q--;
            rest += d[count - 1];
            if (rest >> 32)
                break;
        }
        take_multiple(a + at, d, count, q);
    }
}

static NOT_INLINED struct number *remainder_of(const struct number *a, const struct number *d)
{
    uint32_t work[LIMBS_MAX + 1], by[LIMBS_MAX];
    struct number *n = make(d->count);
    if (a->count > LIMBS_MAX)
        exit(1);
    int shift = __builtin_clz(d->limb[d->count - 1]);
    shift_up(by, d->limb, d->count, shift);
    memset(work, 0, sizeof work[0] * (d->count + 1));
    work[a->count] = shift_up(work, a->limb, a->count, shift);
    if (a->count >= d->count)
        divide(work, a->count, by, d->count);
    for (uint32_t i = 0; i < d->count; i++)
        n->limb[i] =
            (uint32_t)(((uint64_t)(i + 1 < d->count ? work[i + 1] : 0) << 32 | work[i]) >> shift);
    return trimmed(n);
}

static NOT_INLINED struct number *common_divisor(struct number *a, const struct number *b)
{
    struct number *n = sum(b, 0);
    while (a->count) {
        struct number *rest = remainder_of(n, a);
        free(n);
        n = a;
        a = rest;
    }
    free(a);
    return n;
}

/* x * x + 1 modulo n in place of x. */
static NOT_INLINED void go_on(struct number **x, const struct number *n)
{
    struct number *square = product(*x, *x), *next = sum(square, 1);
    free(square);
    free(*x);
    *x = remainder_of(next, n);
    free(next);
}

static int is_one(const struct number *n)
{
    return n->count == 1 && n->limb[0] == 1;
}

static NOT_INLINED struct number *read_decimal(const char *text)
{
    struct number *n = make((uint32_t)strlen(text) / 9 + 1);
    memset(n->limb, 0, sizeof n->limb[0] * n->count);
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t carry = (uint64_t)(*text - '0');
        for (uint32_t i = 0; i < n->count; i++, carry >>= 32)
            n->limb[i] = (uint32_t)(carry += (uint64_t)n->limb[i] * 10);
    }
    return trimmed(n);
}

static NOT_INLINED struct number *find_factor(const struct number *n)
{
    struct number *slow = make(1), *fast = make(1), *divisor = NULL;
    slow->limb[0] = fast->limb[0] = 2;
    do {
        free(divisor);
        go_on(&slow, n);
        go_on(&fast, n);
        go_on(&fast, n);
        divisor = common_divisor(difference(slow, fast), n);
    } while (is_one(divisor));
    free(slow);
    free(fast);
    return divisor;
}

/* Up to two limbs, in decimal. */
static void show(const struct number *n)
{
    uint64_t value = 0;
    for (uint32_t i = n->count; i-- > 0;)
        value = value << 32 | n->limb[i];
    char text[32];
    int bytes = snprintf(text, sizeof text, "%llu\n", (unsigned long long)value);
    write(STDOUT_FILENO, text, (size_t)bytes);
}

int main(int argc, char **argv)
{
    struct number *n = read_decimal(argc > 1 ? argv[1] : "1000036000099");
    if (compare(n, &(struct number){.count = 0}) == 0)
        return 2;
    struct number *factor = find_factor(n);
    show(factor);
    free(factor);
    free(n);
    return 0;
}
