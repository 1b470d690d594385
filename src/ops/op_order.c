/* op_order.c: how elements of any dtype are compared. Knows no op by name. */
#include "ops/order_kit.h"

#define SIGN (UINT64_C(1) << 63)

/* The bits of a float order as its values do, once negative ones are turned round and the others put above them. */
static uint64_t float_key(double v) {
    uint64_t bits;
    if (isnan(v)) return HD_KEY_NAN;
    if (v == 0) v = 0; /* −0 is 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits & SIGN ? ~bits : bits | SIGN;
}

/* i64 has no room for the key of NaN: its two largest numbers share one. */
uint64_t hd_order_key(const hd_tensor *t, int64_t i) {
    if (t->dtype != HD_I64) return float_key(hd_get(t, i));
    const uint64_t key = (uint64_t)((const int64_t *)t->data)[i] ^ SIGN;
    return key < HD_KEY_NAN ? key : HD_KEY_NAN - 1;
}
