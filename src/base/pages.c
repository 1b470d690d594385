/* pages.c: owns the system calls for large blocks. What is never written takes no memory and no time. Large pages are
 * not asked for: to make them out of memory in pieces took three times what they saved. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "base/pages.h"
#include <stdint.h>
#include <sys/mman.h>

/* The system's pages are no larger than 64 KB anywhere. */
static size_t whole_pages(size_t size) {
    return (size + 0xffff) & ~(size_t)0xffff;
}

void *hd_pages_alloc(size_t size) {
    const size_t bytes = whole_pages(size);
    if (bytes < size) return NULL;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void hd_pages_free(void *memory, size_t size) {
    (void)munmap(memory, whole_pages(size));
}
