/* hadal/hadal.h: everything. */
#ifndef HADAL_HADAL_H
#define HADAL_HADAL_H
#include "hadal/base.h"
#include "hadal/data.h"
#include "hadal/generate.h"
#include "hadal/graph.h"
#include "hadal/io.h"
#include "hadal/nn.h"
#include "hadal/op.h"
#include "hadal/ops.h"
#include "hadal/program.h"
#include "hadal/train.h"
#include "hadal/tuning.h"
#include "hadal/zoo.h"
#endif
