/* fuse.h: rules of the pass `fuse` that stand in files of their own. Each looks at one node and its neighbours, and
 * says whether it has changed the graph; afterwards pointers to nodes are stale. */
#ifndef HD_COMPILE_FUSE_H
#define HD_COMPILE_FUSE_H
#include "compile/lower.h"

/* add(batch_norm(x), r) → batch_norm_act with a residual. */
bool hd_fuse_norm_add(hd_lower *l, hd_node *add);
/* relu or relu6 of batch_norm, or of what the rule above made → batch_norm_act with a clip. */
bool hd_fuse_norm_clip(hd_lower *l, hd_node *act);
/* batch_norm_grad of what the clip's gradient lets through, and the residual's gradient → one node. */
bool hd_fuse_norm_grad(hd_lower *l, hd_node *grad);
/* Attention of q, k and v that are parts of one projection → packed_attention, with its gradient. */
bool hd_fuse_attention(hd_lower *l, hd_node *attention);
#endif
