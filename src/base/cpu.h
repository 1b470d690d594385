/* cpu.h: what the machine is. */
#ifndef HD_BASE_CPU_H
#define HD_BASE_CPU_H
#include "base/context.h"

int hd_cpu_count(void); /* processors this process may run on, 1 … 256 */
hd_isa hd_cpu_isa(void);
enum { HD_CPU_NAME = 80 };
void hd_cpu_name(char text[HD_CPU_NAME]); /* which processor, in printable ASCII; "unknown" where nobody says */
bool hd_cpu_bf16(hd_isa isa);             /* has instructions that multiply bf16, and may use them */
#endif
