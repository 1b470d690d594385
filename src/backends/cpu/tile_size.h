/* tile_size.h: how much of C a tile holds in registers. Included only by bodies, after HD_VL is defined. */
#ifndef HD_CPU_TILE_SIZE_H
#define HD_CPU_TILE_SIZE_H
#if HD_VL == 16
enum { TILE_ROWS = 14 }; /* 28 of 32 registers, 2 for B, 1 for A */
#else
enum { TILE_ROWS = 6 }; /* 12 of 16 */
#endif
enum { TILE_COLUMNS = 2 * HD_VL };
#endif
