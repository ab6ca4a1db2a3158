/* SPDX-License-Identifier: Apache-2.0 */
/* The network namespaces of this node that can be reached by a path, and whose links are in
 * them: where vfctl import looks for the pod that has a VF.  Looks only; a pod can write
 * what it likes on a link of its own, so what is found is a candidate.  Layer: engine. */
#ifndef VFK_ENGINE_POD_MAP_H
#define VFK_ENGINE_POD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "base/strbuf.h"

struct pod_netns {
	char path[300]; /* below /run where it has a name there, else of a process */
	uint64_t device, inode, cookie;
	pci_addr_t *vfs; /* of the links in it that say to be VFs */
	size_t n_vfs;
	struct strbuf cgroups; /* of its processes, which name their containers */
};

struct pod_map {
	struct pod_netns *all;
	size_t n;
};

/* All but the caller's own.  A namespace that goes while it is looked at is left out. */
int pod_map_read(struct pod_map *out, const char *proc_root,
		 struct vfk_err *err) VFK_MUST_CHECK;
void pod_map_free(struct pod_map *map);

bool pod_has_vf(const struct pod_netns *pod, pci_addr_t addr);
/* Whether one of its processes is of the container. */
bool pod_has_container(const struct pod_netns *pod, const char *container);
const struct pod_netns *pod_map_cookie(const struct pod_map *map, uint64_t cookie);

#endif
