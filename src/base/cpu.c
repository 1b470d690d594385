/* cpu.c: owns the questions to the operating system and the processor. Asked once per context, never in a run. */
#define _GNU_SOURCE /* sched_getaffinity: a container or taskset may leave us fewer processors than are online */
#include "base/cpu.h"
#include <stdio.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { MOST = 256 };

int hd_cpu_count(void) {
    long n = 0;
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
    if (n < 1) n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MOST ? MOST : (int)n;
}

/* Every processor with AMX has it too. Asked by number: older compilers do not know the name. */
bool hd_cpu_bf16(hd_isa isa) {
#if defined(__x86_64__)
    unsigned a = 0, b, c, d;
    return isa >= HD_ISA_AVX512 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
#else
    (void)isa;
    return false;
#endif
}

/* The brand, and family, model and stepping, because machines in the cloud hide the first. */
void hd_cpu_name(char text[HD_CPU_NAME]) {
#if defined(__x86_64__)
    unsigned brand[13] = {0}, a = 0, b, c, d;
    for (unsigned i = 0; i < 3; i++)
        (void)__get_cpuid(0x80000002u + i, &brand[4 * i], &brand[4 * i + 1], &brand[4 * i + 2], &brand[4 * i + 3]);
    const char *at = (const char *)brand;
    size_t used = 0;
    for (; *at; at++) /* blanks stand in rows, and at both ends */
        if (*at > ' ' && *at < 127)
            text[used++] = *at;
        else if (used > 0 && text[used - 1] != ' ')
            text[used++] = ' ';
    while (used > 0 && text[used - 1] == ' ') used--;
    (void)__get_cpuid(1, &a, &b, &c, &d);
    const unsigned family = (a >> 8 & 15) + ((a >> 8 & 15) == 15 ? a >> 20 & 255 : 0);
    (void)snprintf(text + used, HD_CPU_NAME - used, "%s(%u-%u-%u)", used ? " " : "", family,
                   (a >> 4 & 15) | (a >> 12 & 240), a & 15);
#else
    (void)snprintf(text, HD_CPU_NAME, "unknown");
#endif
}

hd_isa hd_cpu_isa(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx2 && avx512) return HD_ISA_AVX512;
    if (avx2) return HD_ISA_AVX2;
#endif
    return HD_ISA_GENERIC;
}
