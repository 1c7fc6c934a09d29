/* tree.c - the stack tree: interning nodes, and the functions of a stack. */
#include "tree.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static struct stack_node *add_node(struct tree *tree, uint32_t parent, uint32_t location)
{
    struct image *image = tree->image;
    size_t node = image->stack_count;

    image->stacks = xgrow(image->stacks, &tree->stack_capacity, node + 1, sizeof *image->stacks);
    tree->nodes = xgrow(tree->nodes, &tree->node_capacity, node + 1, sizeof *tree->nodes);
    image->stacks[node] = (struct stack){parent, location};
    image->stack_count++;
    return &tree->nodes[node];
}

void tree_init(struct tree *tree, struct image *image)
{
    memset(tree, 0, sizeof *tree);
    tree->image = image;
    tree->lists = arena_new();
    add_node(tree, 0, 0);
}

void tree_clear(struct tree *tree)
{
    free(tree->image->stacks);
    tree->image->stacks = NULL;
    tree->image->stack_count = 0;
    free(tree->nodes);
    free(tree->functions);
    free(tree->stack_marks);
    free(tree->location_marks);
    intmap_clear(&tree->children);
    arena_free(tree->lists);
}

static const struct frame *frames_of(const struct tree *tree, uint32_t node, uint32_t *count)
{
    *count = tree->nodes[node].frame_count;
    return tree->image->frames + tree->nodes[node].frame_first;
}

/* Is the function on the stack `node`? */
static int on_stack(const struct tree *tree, uint32_t node, uint32_t function)
{
    for (node = tree->nodes[node].near; node;
         node = tree->nodes[tree->image->stacks[node].parent].near) {
        uint32_t count;
        const struct frame *frames = frames_of(tree, node, &count);
        for (uint64_t bits = tree->nodes[node].fresh; bits; bits &= bits - 1)
            if (frames[__builtin_ctzll(bits)].function == function)
                return 1;
    }
    return 0;
}

/* The frames of `node` that are the outermost of their function. */
static uint64_t find_fresh(const struct tree *tree, uint32_t node)
{
    uint32_t count, parent = tree->image->stacks[node].parent;
    const struct frame *frames = frames_of(tree, node, &count);
    uint64_t fresh = 0;

    for (uint32_t i = count; i-- > 0;) { /* the outermost is the last */
        uint32_t outer = i + 1;
        while (outer < count && frames[outer].function != frames[i].function)
            outer++;
        if (outer == count && !on_stack(tree, parent, frames[i].function))
            fresh |= (uint64_t)1 << i;
    }
    return fresh;
}

uint32_t tree_add_child(struct tree *tree, uint32_t parent, uint32_t location)
{
    const struct location *l = &tree->image->locations[location];
    uint32_t node = (uint32_t)tree->image->stack_count;
    struct stack_node *facts = add_node(tree, parent, location);
    const struct stack_node *outer = &tree->nodes[parent];
    facts->frame_first = l->frame_first;
    facts->frame_count =
        l->frame_count < LOCATION_FRAMES_MAX ? l->frame_count : LOCATION_FRAMES_MAX;
    facts->fresh = find_fresh(tree, node);
    facts->near = facts->fresh ? node : outer->near;
    facts->distinct = outer->distinct + (uint32_t)__builtin_popcountll(facts->fresh);
    facts->depth = outer->depth + 1;
    facts->truncated = outer->truncated || l->flags & LOCATION_UNKNOWN;
    *intmap_place(&tree->children, (uint64_t)parent << 32 | location) = node;
    return node;
}

/* The stack without its hidden leaf locations; `*skip`: hidden inlined frames of its leaf. */
static uint32_t visible_leaf(const struct tree *tree, uint32_t stack, uint32_t *skip)
{
    const struct image *image = tree->image;

    *skip = 0;
    while (stack && image->locations[image->stacks[stack].location].flags & LOCATION_HIDDEN)
        stack = image->stacks[stack].parent;
    if (stack) {
        uint32_t count;
        const struct frame *frames = frames_of(tree, stack, &count);
        while (*skip < count && image->functions[frames[*skip].function].flags & FUNCTION_ALLOCATOR)
            ++*skip;
    }
    return stack;
}

static uint32_t fill_list(const struct tree *tree, uint32_t node, uint32_t skip, uint32_t *list)
{
    uint32_t filled = 0, leaf = node;

    for (node = tree->nodes[node].near; node;
         node = tree->nodes[tree->image->stacks[node].parent].near) {
        uint32_t count;
        const struct frame *frames = frames_of(tree, node, &count);
        uint64_t bits = tree->nodes[node].fresh;
        if (node == leaf && skip)
            bits &= skip < LOCATION_FRAMES_MAX ? ~(uint64_t)0 << skip : 0;
        for (; bits; bits &= bits - 1)
            list[filled++] = frames[__builtin_ctzll(bits)].function;
    }
    return filled;
}

const struct stack_functions *tree_functions_slow(struct tree *tree, uint32_t stack)
{
    const struct image *image = tree->image;
    uint32_t node = stack, inner = 0, skip;
    const struct frame *self = stack_next_frame(image, &node, &inner);
    uint32_t leaf = visible_leaf(tree, stack, &skip);
    uint32_t *list = arena_take(tree->lists, (tree->nodes[leaf].distinct + 1) * sizeof *list);

    tree->functions = xgrow(tree->functions, &tree->functions_capacity, image->stack_count,
                            sizeof *tree->functions);
    struct stack_functions *functions = &tree->functions[stack];
    functions->count = fill_list(tree, leaf, skip, list);
    functions->self = self ? self->function : 0;
    if (functions->count == 0)
        list[functions->count++] = 0; /* unknown */
    functions->list = list;
    return functions;
}

void tree_start_count(struct tree *tree)
{
    const struct image *image = tree->image;

    tree->stack_marks = xgrow(tree->stack_marks, &tree->stack_mark_capacity, image->stack_count,
                              sizeof *tree->stack_marks);
    tree->location_marks = xgrow(tree->location_marks, &tree->location_mark_capacity,
                                 image->location_count, sizeof *tree->location_marks);
    tree->mark++;
}

uint64_t tree_count_unresolved(struct tree *tree, uint32_t stack)
{
    const struct image *image = tree->image;
    uint64_t unresolved = 0;

    for (; stack && tree->stack_marks[stack] != tree->mark; stack = image->stacks[stack].parent) {
        uint32_t number = image->stacks[stack].location;
        const struct location *location = &image->locations[number];
        tree->stack_marks[stack] = tree->mark;
        if (tree->location_marks[number] == tree->mark || location->frame_count == 0)
            continue;
        tree->location_marks[number] = tree->mark;
        uint32_t function = image->frames[location->frame_first].function;
        unresolved += !(image->functions[function].flags & FUNCTION_RESOLVED);
    }
    return unresolved;
}
