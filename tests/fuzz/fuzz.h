/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzz target: takes any bytes, and aborts where a promise of the interface is broken.
 * Linked with fuzz_main.c it is a test that 'make check' runs with any compiler; linked
 * with libFuzzer (--enable-fuzzers) it searches. */
#ifndef VFK_TESTS_FUZZ_H
#define VFK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_MAX (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

/* Good inputs to begin with: writes number 'n' (from 0) into 'out' and returns its length, or
 * 0 if there are no more. */
size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX]);
extern const char fuzz_name[];

#define FUZZ_HOLDS(condition)                                                            \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__,       \
				#condition);                                             \
			abort();                                                         \
		}                                                                        \
	} while (0)

#endif
