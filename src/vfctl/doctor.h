/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl doctor: looks at a node, also at one that still runs other SR-IOV plugins, and says what
 * is wrong.  Needs no engine, reads files only and writes none.  Layer: program. */
#ifndef VFK_VFCTL_DOCTOR_H
#define VFK_VFCTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/paths.h"
#include "base/pci.h"
#include "engine/config.h"
#include "io/file.h"

struct doctor_vf {
	pci_addr_t addr;
	char driver[32], link[32]; /* "" : none, none in this namespace */
	char guid[24]; /* "00:11:...", "" if it has none or does not show it */
	bool cached,
		cached_alive; /* by a file of another plugin; of a container that lives */
};

struct doctor {
	struct config config;
	struct doctor_vf *vfs;
	size_t n_vfs;
	char *cgroups; /* of all processes; NULL: they cannot be read */
	json_t *findings;
	unsigned n_problems, n_warnings;
};

/* 'level' is "ok", "warning" or "problem"; 'advice' may be NULL. */
void doctor_say(struct doctor *d, const char *level, const char *check,
		const char *advice, const char *fmt, ...) VFK_PRINTF(5, 6);
/* The whole of a small file; NULL: it cannot be read.  The caller frees. */
char *doctor_slurp(const char *path);
/* Whether a process of the container runs here; true where that cannot be known. */
bool doctor_is_alive(const struct doctor *d, const char *container);
struct doctor_vf *doctor_vf(const struct doctor *d, const char *addr); /* NULL: no such VF */

/* doctor_node.c: kernel, RDMA mode, the VFs themselves. */
void doctor_kernel(struct doctor *d);
void doctor_rdma(struct doctor *d);
void doctor_find_vfs(struct doctor *d);
void doctor_guids(struct doctor *d);
void doctor_leaks(struct doctor *d);
/* doctor_cni.c: what other plugins left. */
void doctor_caches(struct doctor *d);
void doctor_leases(struct doctor *d);

/* Prints the findings; VFK_E_KERNEL ("something was found") if there are any. */
int doctor_run(bool json, struct vfk_err *err) VFK_MUST_CHECK;

#endif
