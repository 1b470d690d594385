/* digit_draw.h: draws one digit by hand, so to speak. */
#ifndef HD_DATA_DIGIT_DRAW_H
#define HD_DATA_DIGIT_DRAW_H
#include "base/rng.h"

enum { HD_DIGIT_SIDE = 16, HD_DIGIT_PIXELS = HD_DIGIT_SIDE * HD_DIGIT_SIDE };

/* Draws `digit` (0 … 9) light on dark into [16,16] bytes, filling nearly the whole box as Semeion's and USPS's digits
 * do. Everything else (allograph, slant, pen, bends, blur, noise) is drawn from rng. The same stream gives the same
 * bytes on every machine: only + - * / and sqrt are used, which IEEE 754 rounds one way. */
void hd_digit_draw(hd_rng *rng, int digit, unsigned char *pixels);
#endif
