/* order_kit.h: what ops that compare elements along an axis share. Knows nothing of backends. */
#ifndef HD_OPS_ORDER_KIT_H
#define HD_OPS_ORDER_KIT_H
#include "ops/reduce_kit.h"

/* A number that orders elements as their values do; equal for equal ones (0 and −0 too); of NaN the largest. */
uint64_t hd_order_key(const hd_tensor *t, int64_t i);
#define HD_KEY_NAN UINT64_MAX
#endif
