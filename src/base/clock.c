/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"

static int64_t read_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_boot_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}

int64_t clock_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

int clock_left_ms(int64_t until_boot_ns)
{
	int64_t left_ns = until_boot_ns - clock_boot_ns();

	return left_ns > 0 ? (int)((left_ns - 1) / NS_PER_MS) + 1 : 0;
}

/* Reads a small file of /proc in one piece; its length, or -1. */
static ssize_t slurp(const char *path, char *buf, size_t cap_bytes)
{
	VFK_AUTO(fd_auto) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, cap_bytes - 1);
	if (n < 0)
		return -1;
	buf[n] = '\0';
	return n;
}

/* Field 22 of the text of /proc/PID/stat.  Counting begins behind the last ')', because
 * the command name (field 2) may hold blanks and parentheses.  0: not there. */
static uint64_t start_field(const char *stat)
{
	const char *at = strrchr(stat, ')');

	for (int field = 2; at && field < 22; field++) {
		at = strchr(at, ' ');
		if (at)
			at++;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

uint64_t clock_start_ns(void)
{
	char stat[1024];
	uint64_t now = (uint64_t)clock_boot_ns(), tick_ns, ticks = 0;
	long per_s = sysconf(_SC_CLK_TCK);

	if (slurp("/proc/self/stat", stat, sizeof(stat)) > 0)
		ticks = start_field(stat);
	if (!ticks)
		return now;
	tick_ns = (uint64_t)NS_PER_S / (uint64_t)(per_s > 0 ? per_s : 100);
	/* Born in that tick; the clock tells when in it, unless it is over already. */
	return now < (ticks + 1) * tick_ns ? now : (ticks + 1) * tick_ns - 1;
}

int clock_boot_id(char id[BOOT_ID_LEN + 1])
{
	const char *root = getenv("VFKEEPER_ROOT"), *played = getenv("VFKEEPER_BOOT_ID");
	char text[BOOT_ID_LEN + 2]; /* with the newline */

	id[0] = '\0';
	if (root && *root && played && *played) {
		if (strlen(played) > BOOT_ID_LEN)
			return -1;
		memcpy(id, played, strlen(played) + 1);
		return 0;
	}
	if (slurp("/proc/sys/kernel/random/boot_id", text, sizeof(text)) < BOOT_ID_LEN)
		return -1;
	memcpy(id, text, BOOT_ID_LEN);
	id[BOOT_ID_LEN] = '\0';
	return 0;
}
