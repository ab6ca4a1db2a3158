/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own floor for InfiniBand VFs: the requests of an attachment and a release, one
 * after the other, with nobody who decides, records or verifies anything.
 *
 *   ibfloor DIR PREFIX VF...
 *
 * Each VF gets a GUID, is bound anew, and goes with its RDMA device into DIR/PREFIX<number of the
 * argument>; then all come back, get their GUID, are bound anew, and have their name again.
 * Prints "count=N in_ms=N out_ms=N". */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "drivers/ib.h"
#include "drivers/sysfs.h"
#include "drivers/vfinfo.h"
#include "drivers/wait.h"

#define LINK_NAME "spare0"
#define GUIDS (HAS_NODE_GUID | HAS_PORT_GUID)
#define WAIT_NS (60 * NS_PER_S)

static const struct drv_env env = { .sysfs_root = "/sys",
				    .proc_root = "/proc",
				    .dev_root = "/dev" };
static struct vnl *home;

struct spare {
	struct ib_vf was; /* as it was before */
	uint32_t pf_ifindex;
	uint16_t index; /* on that PF */
	int netns_fd;
	uint32_t last_ifindex; /* of a link that is to be replaced by another */
	struct link link;
};

static void must(int rc, const struct vfk_err *err, const struct spare *s)
{
	char pci[PCI_STRLEN];

	if (rc >= 0)
		return;
	fprintf(stderr, "ibfloor: %s: %s\n", s ? pci_format(s->was.addr, pci) : "-",
		err->msg);
	exit(1);
}

struct number {
	pci_addr_t addr;
	uint16_t index;
};

static int match(void *arg, uint16_t index, pci_addr_t addr)
{
	struct number *n = arg;

	if (addr != n->addr)
		return 0;
	n->index = index;
	return 1;
}

static void look(struct spare *s, const char *text, const char *dir, const char *prefix,
		 int number)
{
	struct vfk_err err = { 0 };
	struct number n = { 0 };
	struct link pf_link;
	pci_addr_t pf;
	char physfn[PCI_STRLEN], path[256];

	if (!pci_parse(text, &n.addr) ||
	    !pci_link(&env, n.addr, "physfn", physfn, sizeof(physfn)) ||
	    !pci_parse(physfn, &pf) || !pci_each_vf(&env, pf, match, &n)) {
		fprintf(stderr, "ibfloor: %s is no VF\n", text);
		exit(2);
	}
	must(ib_link_at_home(&env, home, pf, &pf_link, &err), &err, NULL);
	s->pf_ifindex = pf_link.ifindex;
	must(ib_look(&env, home, n.addr, pf, 0, &s->was, &err), &err, NULL);
	s->index = n.index;
	snprintf(path, sizeof(path), "%s/%s%d", dir, prefix, number);
	s->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->netns_fd < 0) {
		perror(path);
		exit(2);
	}
}

static int another_link(void *arg, struct vfk_err *err)
{
	struct spare *s = arg;
	int rc = ib_link_at_home(&env, home, s->was.addr, &s->link, err);

	return rc > 0 ? s->link.ifindex != s->last_ifindex : rc;
}

static void wait_link(struct spare *s)
{
	struct vfk_err err = { .msg = "no link appeared" };
	int rc = drv_wait(another_link, s, clock_boot_ns() + WAIT_NS, &err);

	must(rc > 0 ? 0 : -VFK_E_TIMEOUT, &err, s);
	s->last_ifindex = s->link.ifindex;
}

static void bind_with(struct spare *s, uint64_t node, uint64_t port)
{
	struct vf_settings set = { .has = GUIDS, .node_guid = node, .port_guid = port };
	struct vfk_err err = { 0 };

	must(vfinfo_set(home, s->pf_ifindex, s->index, &set, GUIDS, &err), &err, s);
	must(pci_unbind(&env, s->was.addr, s->was.driver, &err), &err, s);
	must(pci_bind(&env, s->was.addr, s->was.driver, &err), &err, s);
	wait_link(s);
}

static void attach(struct spare *s, int number)
{
	struct vnl *pod = NULL;
	struct rdma_place place;
	struct vfk_err err = { 0 };
	uint32_t index;
	bool moved;

	s->last_ifindex = s->was.link.ifindex;
	bind_with(s, UINT64_C(0x020000eeee000000) + (unsigned)number,
		  UINT64_C(0x020000eeef000000) + (unsigned)number);
	rdma_look(&env, s->was.addr, &place);
	must(rdma_to_pod(&place, s->netns_fd, &moved, &err), &err, s);
	wait_link(s);
	must(vnl_open(&pod, NETLINK_ROUTE, s->netns_fd, &err), &err, s);
	must(link_to_pod(home, pod, &s->link, LINK_NAME, &index, &err), &err, s);
	s->last_ifindex = index;
	vnl_close(pod);
}

static void release(struct spare *s)
{
	struct vnl *pod = NULL;
	struct rdma_place place;
	struct vfk_err err = { 0 };
	struct link link;
	bool moved;
	int rc;

	must(vnl_open(&pod, NETLINK_ROUTE, s->netns_fd, &err), &err, s);
	rc = link_get(pod, LINK_HERE, 0, LINK_NAME, &link, &err);
	must(rc > 0 ? 0 : -VFK_E_KERNEL, &err, s);
	must(link_to_home(pod, home, &link, "spare-home", s->was.link.ifname,
			  &s->last_ifindex, &err),
	     &err, s);
	vnl_close(pod);
	rdma_look(&env, s->was.addr, &place);
	must(rdma_from_pod(&place, home, s->netns_fd, &moved, &err), &err, s);
	wait_link(s);
	bind_with(s, s->was.node_guid, s->was.port_guid);
	must(link_set_name(home, &s->link, s->was.link.ifname, &err), &err, s);
	rdma_look(&env, s->was.addr, &place);
	must(rdma_own_name(&place, s->was.rdma.name, &err), &err, s);
}

int main(int argc, char **argv)
{
	struct vfk_err err = { 0 };
	struct spare *all;
	int64_t t0, in_ns, out_ns;
	int n = argc - 3;

	if (n < 1) {
		fputs("usage: ibfloor DIR PREFIX VF...\n", stderr);
		return 2;
	}
	all = calloc((size_t)n, sizeof(*all));
	if (!all)
		return 2;
	must(vnl_open(&home, NETLINK_ROUTE, -1, &err), &err, NULL);
	for (int i = 0; i < n; i++)
		look(&all[i], argv[3 + i], argv[1], argv[2], i + 1);
	t0 = clock_boot_ns();
	for (int i = 0; i < n; i++)
		attach(&all[i], i + 1);
	in_ns = clock_boot_ns() - t0;
	t0 = clock_boot_ns();
	for (int i = 0; i < n; i++)
		release(&all[i]);
	out_ns = clock_boot_ns() - t0;
	printf("count=%d in_ms=%" PRId64 " out_ms=%" PRId64 "\n", n, in_ns / 1000000,
	       out_ns / 1000000);
	for (int i = 0; i < n; i++)
		close(all[i].netns_fd);
	vnl_close(home);
	free(all);
	return 0;
}
