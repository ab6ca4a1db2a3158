/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the rate of the time stamp counter in kHz. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(void)
{
	double a = now_ms(), b;
	unsigned long long x = __rdtsc(), y;

	usleep(500000);
	b = now_ms();
	y = __rdtsc();
	printf("%.0f\n", (double)(y - x) / (b - a));
	return 0;
}
