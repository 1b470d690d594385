/* kernel_table.h: who runs each node of a program, for people. */
#ifndef HD_CLI_KERNEL_TABLE_H
#define HD_CLI_KERNEL_TABLE_H
#include "cli/cli.h"

/* Prints the list that hd_program_kernels makes, and below it who refused and why. */
void say_kernels(cli *c, const hd_json *kernels);
#endif
