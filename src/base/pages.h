/* pages.h: large blocks straight from the operating system: zero without being written. */
#ifndef HD_BASE_PAGES_H
#define HD_BASE_PAGES_H
#include <stddef.h>

/* Below this the C library serves as well; sizes from here on come from hd_pages_alloc. */
enum { HD_PAGES_LEAST = 8 << 20 };

void *hd_pages_alloc(size_t size); /* zero, aligned to a page; NULL when there is none */
void hd_pages_free(void *memory, size_t size);
#endif
