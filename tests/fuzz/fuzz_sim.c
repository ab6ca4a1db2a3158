/* SPDX-License-Identifier: Apache-2.0 */
/* The description of simulated devices and its file of faults: the description up to a line
 * "%faults", the faults after it.  A description that is taken names devices that exist once;
 * faults are counted down in place and never below nothing. */
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/sim.h"

const char fuzz_name[] = "fuzz_sim";

#define SPLIT "%faults\n"

static const char *const seeds[] = {
	("[sim]\nfaults = /run/faults\nlinks = no\n[pf 0000:3b:00.0]\nname = simib0\nvfs = 16\n"
	 "ports = 2\nport_state = down\n[pf 0000:5e:00.0]\nname = sim_1\nvfs=4096\n"
	 "links = yes\nfault = link_home * latency_ms=20\n" SPLIT
	 "# two\nlink_to_pod simib0v3 errno=EBUSY count=3\n* * latency_ms=5\n"),
	("[pf 0001:00:1f.7]\nname=a\nvfs=0\n" SPLIT
	 "observe 0001:00:1f.7 hang_ms=1 stuck_ms=2\n"),
	"; nothing\n" SPLIT,
};

size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	if (n >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(out, seeds[n], strlen(seeds[n]));
	return strlen(seeds[n]);
}

/* A file of these bytes, by the name that only this process knows. */
static int file_of(const uint8_t *data, size_t len, char path[64])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_HOLDS(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static void check_faults(const struct sim_conf *conf, const struct sim_vf *vf, int fd)
{
	static const char *const ops[] = { "discover", "link_home", "observe" };
	struct sim_fault first, second;
	struct vfk_err err = { 0 };
	off_t size = lseek(fd, 0, SEEK_END);

	for (unsigned i = 0; i < 3; i++) {
		int rc = sim_fault_get(conf, ops[i], vf, &first, &err);

		if (rc < 0) {
			FUZZ_HOLDS(err.msg[0] && !strchr(err.msg, '\n'));
			return;
		}
		/* What is counted down gets fewer. */
		FUZZ_HOLDS(sim_fault_get(conf, ops[i], vf, &second, &err) == 0);
		FUZZ_HOLDS(second.latency_ms <= first.latency_ms);
		FUZZ_HOLDS(second.hang_ms <= first.hang_ms);
		FUZZ_HOLDS(second.stuck_ms <= first.stuck_ms);
	}
	FUZZ_HOLDS(lseek(fd, 0, SEEK_END) == size);
}

static void check_pf(const struct sim_conf *conf, const struct sim_pf *pf)
{
	struct sim_vf vf;
	struct sim_names names;

	FUZZ_HOLDS(pf->name[0] && memchr(pf->name, 0, sizeof(pf->name)));
	FUZZ_HOLDS(pf->n_vfs <= SIM_MAX_VFS && pf->n_ports >= 1);
	FUZZ_HOLDS(pf->n_ports <= SIM_MAX_PORTS && pf->port_state >= 1);
	FUZZ_HOLDS(!sim_vf_find(conf, pf->addr, &vf));
	for (unsigned i = 0; i<pf->n_vfs; i += pf->n_vfs> 1 ? pf->n_vfs - 1u : 1u) {
		FUZZ_HOLDS(sim_vf_find(conf, pf->addr + 1 + i, &vf));
		FUZZ_HOLDS(vf.pf == pf && vf.index == i);
		sim_names_of(&vf, &names);
		FUZZ_HOLDS(strlen(names.vf) < 16 && strcmp(names.vf, names.peer));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *split = memmem(data, len, SPLIT, strlen(SPLIT));
	size_t len_conf = split ? (size_t)(split - data) : len;
	const struct sim_conf *conf = NULL;
	struct vfk_err err = { 0 };
	char path[64], faults[64];
	int fd = file_of(data, len_conf, path), fd_faults;

	if (split)
		split += strlen(SPLIT);
	fd_faults = file_of(split, split ? (size_t)(data + len - split) : 0, faults);
	if (sim_conf_get(path, &conf, &err) < 0) {
		FUZZ_HOLDS(err.kind == VFK_E_CONFIG);
		FUZZ_HOLDS(err.msg[0] && !strchr(err.msg, '\n'));
	} else {
		static struct sim_conf own;
		struct sim_vf vf;

		FUZZ_HOLDS(conf->n_pfs <= SIM_MAX_PFS);
		own = *conf;
		/* The path that it names is none of ours to open. */
		snprintf(own.faults, sizeof(own.faults), "%s", faults);
		for (unsigned i = 0; i < own.n_pfs; i++)
			check_pf(&own, &own.pf[i]);
		if (own.n_pfs && sim_vf_find(&own, own.pf[0].addr + 1, &vf))
			check_faults(&own, &vf, fd_faults);
		check_faults(&own, NULL, fd_faults);
	}
	close(fd);
	close(fd_faults);
	return 0;
}
