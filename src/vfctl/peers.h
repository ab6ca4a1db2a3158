/* SPDX-License-Identifier: Apache-2.0 */
/* The files of ib-sriov-cni and sriov-cni below /var/lib/cni, their locks, and where vfctl import
 * puts away what it has taken over.  Layer: program. */
#ifndef VFK_VFCTL_PEERS_H
#define VFK_VFCTL_PEERS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attachment.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/pci.h"

struct peer_file {
	enum cni_dialect dialect;
	char name[NAME_MAX + 1];
	char path[PATH_MAX];
	int64_t mtime_ns;
	pci_addr_t device; /* PCI_NONE: not read yet, or it names none */
};

struct peer_files {
	struct peer_file *all;
	size_t n;
};

/* The root before their paths: VFKEEPER_ROOT, "" without it. */
const char *peers_root(void);
/* /var/lib/cni/<plugin>, into 'out'. */
const char *peers_dir(enum cni_dialect dialect, char out[PATH_MAX]);
/* The file by which sriov-cni knows that a VF is in use; it holds a namespace's path. */
const char *peers_allocation(pci_addr_t addr, char out[PATH_MAX]);

/* All files of one plugin; 0 where it has none.  VFK_E_SYS. */
int peers_list(struct peer_files *files, enum cni_dialect dialect,
	       struct vfk_err *err) VFK_MUST_CHECK;
void peers_free(struct peer_files *files);
/* The whole of a file; the caller frees.  VFK_E_GONE: it is not there; VFK_E_SYS. */
int peers_read(const char *path, char **text, size_t *len,
	       struct vfk_err *err) VFK_MUST_CHECK;

/* Whose pod it is, as CNI_ARGS, from what the runtime (or Multus) keeps of the ADD; "" where it
 * keeps nothing. */
#define PEERS_ARGS_MAX 600
void peers_pod(const struct attachment *att, char out[PEERS_ARGS_MAX]);

/* Takes the lock that the plugin takes for its ADD or DEL of this VF; the caller closes the
 * descriptor, which is -1 where that plugin has none.  VFK_E_BUSY: it is at work. */
int peers_lock(enum cni_dialect dialect, pci_addr_t addr, int *fd,
	       struct vfk_err *err) VFK_MUST_CHECK;

/* Moves a file into /var/lib/vfkeeper/imported/<plugin> under 'name', or another where that is
 * taken, and syncs both directories.  0 also if it is not there.  VFK_E_SYS. */
int peers_retire(enum cni_dialect dialect, const char *path, const char *name,
		 struct vfk_err *err) VFK_MUST_CHECK;
/* Writes a file whole or not at all, with mode 0600, and syncs it and its directory, which is
 * made.  VFK_E_EXISTS: another one is there. */
int peers_write(const char *path, const char *text, struct vfk_err *err) VFK_MUST_CHECK;

#endif
