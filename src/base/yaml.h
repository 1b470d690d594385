/* yaml.h: YAML into the same tree as JSON, through libyaml. Without libyaml: HD_E_UNSUPPORTED, saying what to install,
 * except that text which is JSON is read as JSON. */
#ifndef HD_BASE_YAML_H
#define HD_BASE_YAML_H
#include "base/json.h"

/* Plain scalars get types by YAML 1.2's core schema (true, 1, 0x1f, 1.5, .inf, null, ~); quoted ones are strings.
 * Refused: anchors, aliases and tags (nothing explodes), several documents, duplicate keys, depth over 64. */
HD_CHECKED hd_status hd_yaml_parse(hd_json **out, hd_arena *arena, const char *where, const char *text, size_t length);
#endif
