/* calls_masked.c: torch.masked: reductions and scans that see only the elements that a mask lets through. */
#include "calls.h"

const vector_entry vector_calls_masked[] = {
    {0},
};
