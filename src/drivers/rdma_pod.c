/* SPDX-License-Identifier: Apache-2.0 */
/* A VF's RDMA device: where it is, into a pod and out of it.  The kernel takes the namespace
 * of the calling process for the device's: whoever moves one home is inside the pod. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "drivers/rdma.h"
#include "drivers/sysfs.h"

void rdma_look(const struct drv_env *env, pci_addr_t addr, struct rdma_place *out)
{
	char attr[160], text[64];

	memset(out, 0, sizeof(*out));
	/* The verbs device of a VF is in sysfs whatever namespace the RDMA device is in, and
	 * tells its name. */
	if (pci_first_name(env, addr, "infiniband_verbs", out->uverbs, sizeof(out->uverbs))) {
		snprintf(attr, sizeof(attr), "infiniband_verbs/%s/ibdev", out->uverbs);
		if (!pci_attr(env, addr, attr, out->name, sizeof(out->name)))
			out->name[0] = '\0';
	}
	out->home = pci_first_name(env, addr, "infiniband", text, sizeof(text));
	if (out->home)
		snprintf(out->name, sizeof(out->name), "%s", text);
}

static int not_movable(struct vfk_err *err, const char *why)
{
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "rdmaIsolation: %s", why);
}

static int open_rdma(struct vnl **nl, struct vfk_err *err)
{
	struct vfk_err own;
	int rc = vnl_open(nl, NETLINK_RDMA, -1, &own);

	return rc < 0 ? not_movable(err, "the kernel has no RDMA (ib_core is not loaded)") :
			0;
}

static int need_exclusive(struct vnl *nl, struct vfk_err *err)
{
	bool exclusive;
	int rc = rdma_exclusive(nl, &exclusive, err);

	if (rc < 0 || exclusive)
		return rc;
	return not_movable(err, "RDMA devices are shared by all namespaces of this node; "
				"set ib_core's netns_mode=0 when it is loaded");
}

int rdma_movable(struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	int rc = open_rdma(&nl, err);

	return rc < 0 ? rc : need_exclusive(nl, err);
}

struct inside {
	const char *name;
	int home_fd; /* -1: only look */
	bool found;
};

static int in_pod(void *arg, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct inside *in = arg;
	struct rdma_dev dev;
	int rc = open_rdma(&nl, err);

	if (rc >= 0)
		rc = rdma_find(nl, in->name, &dev, err);
	in->found = rc > 0;
	if (rc > 0 && in->home_fd >= 0)
		rc = rdma_to_netns(nl, dev.index, in->home_fd, err);
	return rc < 0 ? rc : 0;
}

int rdma_to_pod(const struct rdma_place *place, int netns_fd, bool *moved,
		struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct inside in = { .name = place->name, .home_fd = -1 };
	struct rdma_dev dev;
	int rc;

	*moved = false;
	if (netns_fd < 0)
		return vfk_err_set(err, VFK_E_NETNS, 0, "the pod has no network namespace");
	rc = open_rdma(&nl, err);
	if (rc >= 0)
		rc = need_exclusive(nl, err);
	if (rc < 0)
		return rc;
	if (!place->name[0])
		return vfk_err_set(err, VFK_E_KERNEL, 0, "it has no RDMA device");
	if (!place->home) { /* whoever asked before did not hear that it worked */
		rc = vnl_inside(netns_fd, in_pod, &in, err);
		if (rc >= 0 && !in.found)
			return vfk_err_set(err, VFK_E_KERNEL, 0,
					   "its RDMA device %s is in another namespace",
					   place->name);
		return rc;
	}
	rc = rdma_find(nl, place->name, &dev, err);
	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "RDMA device %s went away",
				   place->name);
	if (rc > 0)
		rc = rdma_to_netns(nl, dev.index, netns_fd, err);
	if (rc < 0)
		return vfk_err_wrap(err, "move RDMA device %s into the pod", place->name);
	*moved = true;
	return 0;
}

int rdma_from_pod(const struct rdma_place *place, struct vnl *home, int netns_fd,
		  bool *moved, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int home_fd = -1;
	struct inside in = { .name = place->name };
	int rc = vnl_netns_fd(home, &home_fd, err);

	in.home_fd = home_fd;
	if (rc >= 0)
		rc = vnl_inside(netns_fd, in_pod, &in, err);
	*moved = rc >= 0 && in.found;
	return rc < 0 ? vfk_err_wrap(err, "move RDMA device %s home", place->name) : 0;
}

int rdma_same_number(const struct drv_env *env, pci_addr_t addr, const char *was,
		     struct vfk_err *err)
{
	struct rdma_place now;

	rdma_look(env, addr, &now);
	if (!was[0] || !strcmp(was, now.uverbs))
		return 0;
	return vfk_err_set(err, VFK_E_KERNEL, EAGAIN,
			   "its verbs device was %s and is %s now", was, now.uverbs);
}

/* Who has the name may be waiting for ours: out of its way, and tried again later. */
static int set_own_name(struct vnl *nl, uint32_t index, const char *want,
			struct vfk_err *err)
{
	struct vfk_err own = { 0 }, ignored;
	int rc = rdma_set_name(nl, index, want, &own);
	char passing[32];

	if (rc >= 0)
		return 0;
	if (own.sys == EEXIST) {
		snprintf(passing, sizeof(passing), "vfk%u", index);
		if (rdma_set_name(nl, index, passing, &ignored) < 0)
			log_info("rdma", "no name to pass on: %s", ignored.msg);
	}
	if (err)
		*err = own;
	return rc;
}

bool rdma_misnamed(const struct rdma_place *place, const char *want)
{
	return place->home && want[0] && strcmp(place->name, want) != 0;
}

int rdma_own_name(const struct rdma_place *place, const char *want, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct rdma_dev dev;
	int rc;

	if (!rdma_misnamed(place, want))
		return 0;
	rc = vnl_open(&nl, NETLINK_RDMA, -1, err);
	if (rc >= 0)
		rc = rdma_find(nl, place->name, &dev, err);
	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "RDMA device %s went away",
				   place->name);
	if (rc > 0)
		rc = set_own_name(nl, dev.index, want, err);
	return rc < 0 ? vfk_err_wrap(err, "name RDMA device %s %s as before", place->name,
				     want) :
			0;
}
