/* tree.c - the stack tree: interning nodes, and the functions of a stack. */
#include "tree.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define RECENT_BITS 15
#define STACKS_MAX  ((64u << 20) - 1) /* doc/format.md, Bounds */

static struct stack_node *add_node(struct tree *tree, uint32_t parent, uint32_t location)
{
    struct image *image = tree->image;
    size_t node = image->stack_count;

    image->stacks = xgrow(image->stacks, &tree->stack_capacity, node + 1, sizeof *image->stacks);
    tree->nodes = xgrow(tree->nodes, &tree->node_capacity, node + 1, sizeof *tree->nodes);
    image->stacks[node] = (struct stack){parent, location};
    tree->nodes[node].parent = parent;
    image->stack_count++;
    return &tree->nodes[node];
}

static uint32_t add_call(struct tree *tree, uint32_t parent, uint32_t function)
{
    uint32_t depth = tree->call_count ? tree->calls[parent].depth + 1 : 0;

    tree->calls =
        xgrow(tree->calls, &tree->call_capacity, tree->call_count + 1, sizeof *tree->calls);
    tree->calls[tree->call_count] = (struct call){parent, function, depth};
    return (uint32_t)tree->call_count++;
}

/* The call path `parent` with a function called from it. */
static uint32_t call_child(struct tree *tree, uint32_t parent, uint32_t function)
{
    uint64_t *call = intmap_place(&tree->call_children, (uint64_t)parent << 32 | function);

    if (!*call)
        *call = add_call(tree, parent, function);
    return (uint32_t)*call;
}

void tree_init(struct tree *tree, struct image *image)
{
    memset(tree, 0, sizeof *tree);
    tree->image = image;
    tree->most = STACKS_MAX;
    tree->recent = xcalloc((size_t)1 << RECENT_BITS, sizeof *tree->recent);
    add_node(tree, 0, 0);
    add_call(tree, 0, 0);
}

void tree_clear(struct tree *tree)
{
    free(tree->image->stacks);
    tree->image->stacks = NULL;
    tree->image->stack_count = 0;
    free(tree->nodes);
    free(tree->recent);
    free(tree->calls);
    free(tree->stack_marks);
    free(tree->location_marks);
    intmap_clear(&tree->children);
    intmap_clear(&tree->call_children);
}

static const struct frame *frames_of(const struct tree *tree, uint32_t node, uint32_t *count)
{
    *count = tree->nodes[node].frame_count;
    return *count ? tree->image->frames + tree->nodes[node].frame_first : NULL;
}

static int is_called(const struct tree *tree, uint32_t call, uint32_t function)
{
    for (; call; call = tree->calls[call].parent)
        if (tree->calls[call].function == function)
            return 1;
    return 0;
}

/* The call path of `node`, and which of its frames are the outermost of their function. */
static void find_calls(struct tree *tree, uint32_t node)
{
    uint32_t count, calls = tree->nodes[tree->nodes[node].parent].calls;
    const struct frame *frames = frames_of(tree, node, &count);
    uint64_t fresh = 0;

    for (uint32_t i = count; i-- > 0;) { /* the outermost is the last */
        if (is_called(tree, calls, frames[i].function))
            continue;
        fresh |= (uint64_t)1 << i;
        calls = call_child(tree, calls, frames[i].function);
    }
    tree->nodes[node].fresh = fresh;
    tree->nodes[node].calls = calls;
}

static uint32_t add_child(struct tree *tree, uint32_t parent, uint32_t location)
{
    const struct location *l = &tree->image->locations[location];
    uint32_t node = (uint32_t)tree->image->stack_count;
    struct stack_node *facts = add_node(tree, parent, location);
    const struct stack_node *outer = &tree->nodes[parent];

    facts->frame_first = l->frame_first;
    facts->frame_count =
        l->frame_count < LOCATION_FRAMES_MAX ? l->frame_count : LOCATION_FRAMES_MAX;
    facts->depth = outer->depth + 1;
    facts->truncated = outer->truncated || l->flags & LOCATION_UNKNOWN;
    find_calls(tree, node);
    return node;
}

uint32_t tree_find_child(struct tree *tree, uint32_t parent, uint32_t location)
{
    uint64_t key = (uint64_t)parent << 32 | location;
    struct recent_child *recent = &tree->recent[intmap_hash(key, RECENT_BITS)];
    uint32_t child = recent->child;

    if (!child || recent->parent != parent || recent->location != location) {
        child = (uint32_t)intmap_get(&tree->children, key);
        if (!child && tree->image->stack_count >= tree->most && key != 0) {
            tree->left_out++;
            return tree_find_child(tree, 0, 0); /* one more, once */
        }
        if (!child) {
            child = add_child(tree, parent, location);
            *intmap_place(&tree->children, key) = child;
        }
        *recent = (struct recent_child){parent, location, child};
    }
    tree->nodes[parent].latest = child;
    tree->nodes[parent].latest_location = location;
    return child;
}

/* The stack without its hidden leaf locations. *skip: how many inlined frames of its leaf are
 * hidden. */
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

struct charge tree_find_charge(struct tree *tree, uint32_t stack)
{
    uint32_t node = stack, inner = 0, skip, count;
    const struct frame *self = stack_next_frame(tree->image, &node, &inner);
    uint32_t leaf = visible_leaf(tree, stack, &skip);
    uint32_t calls = tree->nodes[leaf].calls;

    if (skip) { /* without the innermost frames of the leaf */
        const struct frame *frames = frames_of(tree, leaf, &count);
        calls = tree->nodes[tree->nodes[leaf].parent].calls;
        for (uint32_t i = count; i-- > skip;)
            if (tree->nodes[leaf].fresh >> i & 1)
                calls = call_child(tree, calls, frames[i].function);
    }
    return tree->nodes[stack].charge = (struct charge){
               .calls = calls ? calls : call_child(tree, 0, 0),
               .self = self ? self->function : 0,
           };
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
