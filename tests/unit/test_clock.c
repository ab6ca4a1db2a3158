/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "suite.h"

static void goes_forward(void)
{
	int64_t a = clock_boot_ns(), b = clock_boot_ns();
	struct timespec ts;

	CU_ASSERT(a > 0 && b >= a);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	CU_ASSERT((int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec >= b);
	CU_ASSERT(clock_wall_ns() / NS_PER_S >= time(NULL) - 1);
	CU_ASSERT(clock_wall_ns() / NS_PER_S <= time(NULL) + 1);
}

/* Field 22 as somebody else reads it: cut counts fields of a name without blanks. */
static uint64_t start_by_shell(pid_t pid)
{
	char cmd[128], text[64] = "";
	FILE *f;

	snprintf(cmd, sizeof(cmd), "cut -d' ' -f22 /proc/%d/stat", pid);
	f = popen(cmd, "r");
	if (f) {
		if (!fgets(text, sizeof(text), f))
			text[0] = '\0';
		pclose(f);
	}
	return strtoull(text, NULL, 10);
}

static void reads_its_start(void)
{
	prctl(PR_SET_NAME, "plain");
	CU_ASSERT(clock_start_ns() > 0);
	SUITE_INT(clock_start_ns() / (NS_PER_S / sysconf(_SC_CLK_TCK)),
		  start_by_shell(getpid()));
}

static void is_not_led_astray_by_its_name(void)
{
	uint64_t tick_ns = (uint64_t)(NS_PER_S / sysconf(_SC_CLK_TCK));
	uint64_t before = clock_start_ns() / tick_ns;

	prctl(PR_SET_NAME, "a) 1 2 (b) 3");
	SUITE_INT(clock_start_ns() / tick_ns, before);
	prctl(PR_SET_NAME, "plain");
}

/* In a child, because it gives up /proc. */
static int start_without_proc(void)
{
	uint64_t now, got;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		return 77;
	now = (uint64_t)clock_boot_ns();
	got = clock_start_ns();
	return got >= now && got <= now + 100 * (uint64_t)NS_PER_S ? 0 : 1;
}

static void takes_the_clock_without_proc(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(start_without_proc());
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 77)
		return SUITE_SKIP("needs a mount namespace");
	SUITE_INT(status, 0);
}

static void reads_the_boot_id(void)
{
	char id[BOOT_ID_LEN + 1], text[64] = "";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(fgets(text, sizeof(text), f) != NULL);
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	unsetenv("VFKEEPER_ROOT");
	setenv("VFKEEPER_BOOT_ID", "played", 1);
	SUITE_INT(clock_boot_id(id), 0);
	SUITE_STR(id, text); /* not the played one: no VFKEEPER_ROOT */
	unsetenv("VFKEEPER_BOOT_ID");
}

static void plays_a_boot_id(void)
{
	char id[BOOT_ID_LEN + 1];

	setenv("VFKEEPER_ROOT", "/nowhere", 1);
	setenv("VFKEEPER_BOOT_ID", "played", 1);
	SUITE_INT(clock_boot_id(id), 0);
	SUITE_STR(id, "played");
	setenv("VFKEEPER_BOOT_ID", "0123456789012345678901234567890123456", 1);
	SUITE_INT(clock_boot_id(id), -1);
	SUITE_STR(id, "");
	unsetenv("VFKEEPER_BOOT_ID");
	unsetenv("VFKEEPER_ROOT");
}

static void tells_what_is_left(void)
{
	int64_t now = clock_boot_ns(), soon = now + 3 * NS_PER_MS;

	SUITE_INT(clock_left_ms(now), 0);
	SUITE_INT(clock_left_ms(now - NS_PER_S), 0);
	SUITE_INT(clock_left_ms(0), 0);
	while (clock_left_ms(soon))
		;
	CU_ASSERT(clock_boot_ns() >= soon); /* 0 too early: poll would turn and turn */
	CU_ASSERT(clock_left_ms(now + 3600 * NS_PER_S) > 3000 * 1000);
	CU_ASSERT(clock_left_ms(now + 3600 * NS_PER_S) <= 3600 * 1000);
}

VFK_SUITE(clock, { "goes forward and agrees with the system", goes_forward },
	  { "reads the start of its process", reads_its_start },
	  { "is not led astray by a process name", is_not_led_astray_by_its_name },
	  { "takes the clock where there is no /proc", takes_the_clock_without_proc },
	  { "reads the boot id, and only that without VFKEEPER_ROOT", reads_the_boot_id },
	  { "plays another boot id under VFKEEPER_ROOT", plays_a_boot_id },
	  { "tells how much of a time is left, rounded up", tells_what_is_left })
