/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns a VF: the attachment, and the pod behind it.  Layer: base. */
#ifndef VFK_BASE_ATTACHMENT_H
#define VFK_BASE_ATTACHMENT_H

#include <stdbool.h>
#include <string.h>

#define NAME_LEN_MAX 255 /* longer network names and container IDs are refused (ADD) */
#define IFNAME_LEN_MAX 15

/* The owner of a VF (P3 of vfkeeper-rules(7)).  All empty: nobody. */
struct attachment {
	char network[NAME_LEN_MAX + 1];
	char container[NAME_LEN_MAX + 1];
	char ifname[IFNAME_LEN_MAX + 1];
};

/* From CNI_ARGS (K8S_POD_NAMESPACE, K8S_POD_NAME), "" where unknown; for people only. */
struct pod_ref {
	char ns[64];
	char name[254];
};

static inline bool attachment_equal(const struct attachment *a, const struct attachment *b)
{
	return !strcmp(a->container, b->container) && !strcmp(a->ifname, b->ifname) &&
	       !strcmp(a->network, b->network);
}

static inline bool attachment_none(const struct attachment *a)
{
	return a->container[0] == '\0';
}

#endif
