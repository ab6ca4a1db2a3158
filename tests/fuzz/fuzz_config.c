/* SPDX-License-Identifier: Apache-2.0 */
/* vfkeeper.conf. */
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/config.h"

const char fuzz_name[] = "fuzz_config";

static const char *const seeds[] = {
	("[vfkeeper]\nplugin_dirs = /opt/cni/bin:/usr/lib/cni\nsync = all\nadd_timeout_s=110\n"
	 "del_wait_s = 3\nlog_level = debug\nsim=/etc/vfkeeper/sim.conf\n"),
	"# comment\n; another\n[vfkeeper]\nsysfs_root = /sys\nproc_root=/proc\ndev_root = /dev\n",
	"\n",
};

size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	if (n >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(out, seeds[n], strlen(seeds[n]));
	return strlen(seeds[n]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct config cfg;
	struct vfk_err err = { 0 };
	char path[64];

	FUZZ_HOLDS(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config_default(&cfg);
	if (config_load(&cfg, path, &err) < 0)
		FUZZ_HOLDS(err.msg[0] && !strchr(err.msg, '\n'));
	FUZZ_HOLDS(cfg.n_workers >= 1 && cfg.n_workers <= 32);
	FUZZ_HOLDS(cfg.add_timeout_s > 0 && cfg.retry_min_ms > 0);
	FUZZ_HOLDS(memchr(cfg.plugin_dirs, 0, sizeof(cfg.plugin_dirs)));
	close(fd);
	return 0;
}
