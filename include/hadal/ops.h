/* hadal/ops.h: the operations, as functions that add a node and return its value.
 *
 * Inputs come first and by position, options by name: hd_conv2d(x, w, b, .padding = {1, 1}). Names, meanings and
 * defaults are PyTorch's. Zero means the default; HD_ZERO and HD_AXIS(0) say an explicit zero where it differs. Every
 * function hd_NAME is a macro over hd_NAME_at(place, &args), which serves C++ and bindings. Formulas, shapes and
 * sources stand in src/ops/NAME.c and are printed by `hadal ops show NAME`. */
#ifndef HADAL_OPS_H
#define HADAL_OPS_H
#include "hadal/ops_attention.h"
#include "hadal/ops_conv.h"
#include "hadal/ops_index.h"
#include "hadal/ops_loss.h"
#include "hadal/ops_math.h"
#include "hadal/ops_norm.h"
#include "hadal/ops_recurrent.h"
#include "hadal/ops_reduce.h"
#include "hadal/ops_shape.h"
#include "hadal/ops_train.h"
#include "hadal/ops_vision.h"
#include "hadal/ops_window.h"
#endif
