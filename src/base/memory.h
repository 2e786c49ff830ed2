/* memory.h: memory for what must not fail.
 *
 * The kernel process answers for every request that it has taken; it cannot do so without a few bytes now and then. Once
 * mem_guard has been called, small blocks are not refused: something was put by for the case, memory is often short only
 * for a moment and is waited for up to MEM_PATIENCE_MS, and if none comes, the process says so and ends, which every
 * client sees, while an answer that is owed for ever is seen by nobody. Larger blocks than MEM_SMALL can be
 * refused: NULL, and whoever asked says so to the client.
 *
 * In a process without a guard (the session) these are malloc, calloc and realloc. All blocks are freed with free.
 */
#ifndef CARRACK_BASE_MEMORY_H
#define CARRACK_BASE_MEMORY_H

#include "base/base.h"

#define MEM_SMALL ((size_t)16 << 20)
#define MEM_RESERVE ((size_t)4 << 20)
#define MEM_PATIENCE_MS 1000

/* Puts the reserve by. From here on jansson's memory comes from here, too. */
void mem_guard(void);
void mem_unguard(void);

void *mem_alloc(size_t n);
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *p, size_t n);
char *mem_strdup(const char *s);

/* For a library that has said ENOMEM: gives the reserve up or waits a little, and returns true: try again. When all
 * patience is gone the process ends. `tries` is 0 at first. False in a process without a guard. */
bool mem_again(int *tries);

/* Gives the system what is not used of the memory that is kept for messages (memory.c): called when many have gone out. */
#define MEM_MUCH ((size_t)1 << 20) /* bytes that are many */
void mem_trim(void);

/* Puts the reserve by again, if it was used and can be had; called now and then. */
void mem_refill(void);

#endif
