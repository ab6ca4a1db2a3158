/* SPDX-License-Identifier: Apache-2.0 */
/* The files that ib-sriov-cni and sriov-cni keep of their attachments: one JSON object each,
 * the configuration of the ADD with what the VF was like before it.  vfctl(8) import reads
 * them, export writes them.  Layer: cni. */
#ifndef VFK_CNI_PEER_CACHE_H
#define VFK_CNI_PEER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/attachment.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/pci.h"
#include "base/vfconf.h"

/* "ib-sriov", "sriov": their binary, and their directory below /var/lib/cni. */
const char *peer_name(enum cni_dialect dialect);

/* "CID-IFNAME".  Both may have dashes: an ID made by a runtime has 64 hexadecimal digits, and
 * 'ifname' (or "") is what the file itself says.  Fills container and ifname of 'att'; the
 * latter "" where there is none, and both cut to what an attachment can have. */
void peer_cache_split(const char *file, const char *ifname, struct attachment *att);

/* What can be read from a file without looking at the VF.  VFK_E_DECODE: one line says why
 * nothing can be made of it. */
struct peer_cache {
	char network[NAME_LEN_MAX + 1];
	char ifname[IFNAME_LEN_MAX + 1]; /* "": it does not say */
	pci_addr_t device;
};
int peer_cache_read(struct peer_cache *out, const char *text, size_t len,
		    struct vfk_err *err) VFK_MUST_CHECK;

/* The settings that the plugin can have made at all: bits of enum vf_has. */
uint32_t peer_can_set(enum cni_dialect dialect);
/* Into 'base', which holds what is set now (valid or not), goes what was before the ADD; what
 * the plugin does not keep and a pod can change is left out of it. */
void peer_cache_before(const json_t *conf, enum cni_dialect dialect,
		       struct vf_baseline *base);

/* An attachment as a file of that plugin. */
struct peer_attached {
	enum cni_dialect dialect;
	struct attachment att;
	pci_addr_t device;
	const char *pf_ifname;
	unsigned index;
	const struct vf_settings *wanted;
	const struct vf_baseline *before;
	bool user_space,
		own_ipam; /* it is for user space; its addresses are of IPAM of our own */
	const char *ipam_type; /* "": none */
	const json_t *conf;    /* of the ADD; NULL: it is not kept */
};
/* The caller frees.  VFK_E_UNSUPPORTED: the plugin could not undo it all; one line says
 * what. */
char *peer_cache_print(const struct peer_attached *a, struct vfk_err *err) VFK_MUST_CHECK;

#endif
