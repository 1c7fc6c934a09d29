/*
 * minimise.c - finds a small sum of products for a function of many variables, for scripts/bench.
 *
 * BUILD -O2
 * VALGRIND exact
 * ARGUMENTS 8 24
 *
 * minimise VARIABLES CUBES: makes a cover of random cubes, drops literals as long as the function stays
 * what it is (expand), then cubes that the others cover (irredundant); prints how many cubes and literals
 * are left. Whether a cover covers a cube is asked of its cofactor, a cover of its own with new cubes; that
 * is split by its most frequent variable until the answer is plain. So blocks are many, small and
 * short-lived, and stacks are as deep as the recursion.
 *
 * EXPECT live_at_end_blocks 0
 * EXPECT random_cover inclusive allocations 28
 * EXPECT minimise self allocations 0
 * EXPECT main self allocations 0
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOT_INLINED __attribute__((noipa))

/* A product of literals: which values of each variable are in it. */
enum { LOW = 1, HIGH = 2, EITHER = 3 };
typedef uint8_t cube;

struct cover {
    uint32_t count, room;
    cube **cubes;
};

static uint32_t variables;

static NOT_INLINED cube *new_cube(const cube *like)
{
    cube *c = malloc(variables);
    if (!c)
        exit(1);
    memcpy(c, like, variables);
    return c;
}

static NOT_INLINED struct cover *new_cover(void)
{
    struct cover *c = calloc(1, sizeof *c);
    if (!c)
        exit(1);
    return c;
}

static NOT_INLINED void add_cube(struct cover *c, cube *one)
{
    if (c->count == c->room) {
        c->room = c->room ? c->room * 2 : 8;
        c->cubes = realloc(c->cubes, sizeof *c->cubes * c->room);
        if (!c->cubes)
            exit(1);
    }
    c->cubes[c->count++] = one;
}

static NOT_INLINED void free_cover(struct cover *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        free(c->cubes[i]);
    free(c->cubes);
    free(c);
}

static int meets(const cube *a, const cube *b)
{
    for (uint32_t v = 0; v < variables; v++)
        if (!(a[v] & b[v]))
            return 0;
    return 1;
}

/* What the cover, less its cube `but`, is within `part`: no variable of that is left in it. */
static NOT_INLINED struct cover *cofactor(const struct cover *c, const cube *part, uint32_t but)
{
    struct cover *within = new_cover();
    for (uint32_t i = 0; i < c->count; i++) {
        if (i == but || !meets(c->cubes[i], part))
            continue;
        cube *one = new_cube(c->cubes[i]);
        for (uint32_t v = 0; v < variables; v++)
            if (part[v] != EITHER)
                one[v] = EITHER;
        add_cube(within, one);
    }
    return within;
}

static int has_whole_space(const struct cover *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t v = 0;
        while (v < variables && c->cubes[i][v] == EITHER)
            v++;
        if (v == variables)
            return 1;
    }
    return 0;
}

/* The variable with the most literals among those that occur as both; `variables`: there is none. */
static uint32_t most_frequent(const struct cover *c)
{
    uint32_t best = variables, most = 0;
    for (uint32_t v = 0; v < variables; v++) {
        uint32_t low = 0, high = 0;
        for (uint32_t i = 0; i < c->count; i++) {
            low += c->cubes[i][v] == LOW;
            high += c->cubes[i][v] == HIGH;
        }
        if (low && high && low + high > most) {
            most = low + high;
            best = v;
        }
    }
    return best;
}

#define NO_CUBE UINT32_MAX

/* Is the cover true everywhere? A cover without a variable of both kinds is so only by a cube without
 * literals. */
static NOT_INLINED int is_tautology(const struct cover *c)
{
    if (has_whole_space(c))
        return 1;
    uint32_t v = most_frequent(c);
    if (v == variables)
        return 0;
    cube half[variables];
    memset(half, EITHER, variables);
    int all = 1;
    for (half[v] = LOW; all && half[v] <= HIGH; half[v]++) {
        struct cover *within = cofactor(c, half, NO_CUBE);
        all = is_tautology(within);
        free_cover(within);
    }
    return all;
}

static NOT_INLINED int covers(const struct cover *c, const cube *one, uint32_t but)
{
    struct cover *within = cofactor(c, one, but);
    int answer = is_tautology(within);
    free_cover(within);
    return answer;
}

/* Drops each literal whose other half is covered. */
static NOT_INLINED void expand(struct cover *c, uint32_t i)
{
    for (uint32_t v = 0; v < variables; v++) {
        if (c->cubes[i][v] == EITHER)
            continue;
        cube *other = new_cube(c->cubes[i]);
        other[v] ^= EITHER;
        if (covers(c, other, NO_CUBE))
            c->cubes[i][v] = EITHER;
        free(other);
    }
}

static NOT_INLINED void drop_covered(struct cover *c)
{
    for (uint32_t i = c->count; i-- > 0;)
        if (covers(c, c->cubes[i], i)) {
            free(c->cubes[i]);
            c->cubes[i] = c->cubes[--c->count];
        }
}

static NOT_INLINED void minimise(struct cover *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        expand(c, i);
    drop_covered(c);
}

static uint32_t next_random(void)
{
    static uint32_t state = 1;
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

/* Half of all variables have a literal. */
static NOT_INLINED struct cover *random_cover(uint32_t cubes)
{
    struct cover *c = new_cover();
    cube one[variables];
    for (uint32_t i = 0; i < cubes; i++) {
        for (uint32_t v = 0; v < variables; v++)
            one[v] = next_random() & 1 ? EITHER : (cube)(LOW + (next_random() & 1));
        add_cube(c, new_cube(one));
    }
    return c;
}

static void show(const struct cover *c)
{
    uint32_t literals = 0;
    for (uint32_t i = 0; i < c->count; i++)
        for (uint32_t v = 0; v < variables; v++)
            literals += c->cubes[i][v] != EITHER;
    char text[64];
    int bytes = snprintf(text, sizeof text, "%u cubes, %u literals\n", c->count, literals);
    write(STDOUT_FILENO, text, (size_t)bytes);
}

int main(int argc, char **argv)
{
    variables = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 8;
    uint32_t cubes = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 24;
    if (variables < 1 || variables > 1000 || cubes < 1)
        return 2;
    struct cover *c = random_cover(cubes);
    minimise(c);
    show(c);
    free_cover(c);
    return 0;
}
