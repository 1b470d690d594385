/* solve.h: small dense systems in f64. */
#ifndef HD_TRAIN_SOLVE_H
#define HD_TRAIN_SOLVE_H
#include <stdbool.h>
#include <stdint.h>

/* Solves a x = b for a symmetric positive definite a [n, n], by Cholesky's decomposition, in place: a becomes its
 * factor (the lower triangle is read), b the solution. False when a is not positive definite. */
bool hd_solve_positive(double *a, double *b, int64_t n);
/* The same, however singular a is: a multiple of its mean diagonal is added to the diagonal, from `ridge` on and
 * growing until it works. spare [n, n]. False when a holds what is no number. */
bool hd_solve_damped(const double *a, double *b, int64_t n, double ridge, double *spare, double *b_spare);
#endif
