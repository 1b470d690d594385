/* digit_shapes.h: how people write the ten digits, as strokes. Owns the table of allographs; knows nothing of pixels.
 */
#ifndef HD_DATA_DIGIT_SHAPES_H
#define HD_DATA_DIGIT_SHAPES_H

/* One way of writing a digit. `path` lists points "x y" on a field of 100 × 100, y downwards, joined by a smooth curve.
 * A '!' after a point makes it a corner, ';' lifts the pen. */
typedef struct hd_digit_shape {
    int digit;
    int weight; /* how often people write it so, against the other shapes of that digit */
    const char *path;
} hd_digit_shape;

enum { HD_DIGIT_SHAPES = 85 };
extern const hd_digit_shape hd_digit_shapes[HD_DIGIT_SHAPES];
#endif
