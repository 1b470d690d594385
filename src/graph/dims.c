/* dims.c: shapes: text, equality, axes, NumPy's broadcasting rule. */
#include "hadal/op.h"
#include <stdio.h>
#include <string.h>

const char *hd_dims_text(char *buffer, const hd_dims *dims) {
    size_t at = 0;
    buffer[at++] = '[';
    for (int i = 0; i < dims->rank && at < 160; i++) {
        if (i) buffer[at++] = ',';
        if (dims->dim[i] == HD_BATCH)
            buffer[at++] = 'B';
        else
            at += (size_t)snprintf(buffer + at, 24, "%lld", (long long)dims->dim[i]);
    }
    buffer[at++] = ']';
    buffer[at] = 0;
    return buffer;
}

bool hd_dims_equal(const hd_dims *a, const hd_dims *b) {
    return a->rank == b->rank && (a->rank <= 0 || memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]) == 0);
}

int hd_axis_resolve(int64_t coded, int rank) {
    const int64_t axis = coded > 0 ? coded - 1 : coded + rank;
    return axis >= 0 && axis < rank ? (int)axis : -1;
}

bool hd_dims_broadcast(hd_dims *out, const hd_dims *a, const hd_dims *b) {
    hd_dims y = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < y.rank; i++) { /* from the last dimension to the first */
        const int64_t da = i < a->rank ? a->dim[a->rank - 1 - i] : 1, db = i < b->rank ? b->dim[b->rank - 1 - i] : 1;
        if (da != db && da != 1 && db != 1) return false;
        y.dim[y.rank - 1 - i] = da == 1 ? db : da;
    }
    *out = y;
    return true;
}
