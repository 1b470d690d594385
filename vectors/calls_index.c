/* calls_index.c: gathering, scattering, indexing by tensors, masks. */
#include "calls.h"

const vector_entry vector_calls_index[] = {
    {0},
};
