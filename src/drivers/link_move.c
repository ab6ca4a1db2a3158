/* SPDX-License-Identifier: Apache-2.0 */
/* Moves between namespaces.  A move holds the kernel's RTNL for a grace period (4 to 20 ms),
 * so there is one message for each, and names are looked up without that lock. */
#include <errno.h>
#include <string.h>

#include <linux/if.h>

#include "drivers/link.h"

#define MODES (IFF_PROMISC | IFF_ALLMULTI)

static bool same_device(const struct link *a, const struct link *b)
{
	if (strcmp(a->parent_dev, b->parent_dev) != 0 || strcmp(a->kind, b->kind) != 0)
		return false;
	if (a->parent_dev[0]) /* the address of an IPoIB link may change with each opening */
		return a->hwaddr_len == b->hwaddr_len;
	return !strcmp(a->alias, b->alias) && a->hwaddr_len == b->hwaddr_len &&
	       !memcmp(a->hwaddr, b->hwaddr, a->hwaddr_len);
}

int link_back_from_half_way(struct vnl *home, struct vnl *pod, const struct link *link,
			    struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int home_fd = -1;
	struct link_change ch = LINK_NO_CHANGE;
	struct link there;
	int rc = link_get(pod, LINK_HERE, 0, link->ifname, &there, err);

	if (rc <= 0 || !same_device(link, &there))
		return rc < 0 ? rc : 0;
	rc = vnl_netns_fd(home, &home_fd, err);
	if (rc < 0)
		return rc;
	ch.netns_fd = home_fd;
	return link_set(pod, there.ifindex, &ch, err);
}

int link_to_pod(struct vnl *home, struct vnl *pod, const struct link *link,
		const char *ifname, uint32_t *ifindex, struct vfk_err *err)
{
	struct link_change nothing = LINK_NO_CHANGE;

	return link_to_pod_with(home, pod, link, ifname, &nothing, ifindex, err);
}

int link_to_pod_with(struct vnl *home, struct vnl *pod, const struct link *link,
		     const char *ifname, const struct link_change *with,
		     uint32_t *ifindex, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int pod_fd = -1;
	struct link_change ch = LINK_NO_CHANGE;
	struct link taken;
	struct vfk_err own;
	uint32_t index;
	int rc = link_get(pod, LINK_HERE, 0, ifname, &taken, err);

	if (rc > 0)
		return vfk_err_set(err, VFK_E_EXISTS, 0,
				   "the pod has a link named %s already", ifname);
	if (rc >= 0)
		rc = vnl_netns_fd(pod, &pod_fd, err);
	if (rc < 0)
		return rc;
	ch.netns_fd = pod_fd;
	ch.ifname = ifname;
	ch.hwaddr = with->hwaddr;
	ch.hwaddr_len = with->hwaddr_len;
	ch.flags = ch.change = IFF_UP;
	rc = link_set(home, link->ifindex, &ch, &own);
	if (rc == -VFK_E_KERNEL && own.sys == EEXIST) {
		rc = link_back_from_half_way(home, pod, link, err);
		if (rc < 0)
			return vfk_err_wrap(err,
					    "take link %s back, %s is taken in the pod",
					    link->ifname, ifname);
		return vfk_err_set(err, VFK_E_EXISTS, 0,
				   "the pod has a link named %s already", ifname);
	}
	if (rc < 0) {
		if (err)
			*err = own;
		return vfk_err_wrap(err, "move link %s into the pod as %s", link->ifname,
				    ifname);
	}
	index = vnl_ifindex(pod, ifname);
	if (!index)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "link %s left the pod again while it was moved there",
				   ifname);
	*ifindex = index;
	return 0;
}

static int move_home(struct vnl *from, struct vnl *home, const struct link *link,
		     const char *ifname, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int home_fd = -1;
	struct link_change ch = LINK_NO_CHANGE;
	int rc = vnl_netns_fd(home, &home_fd, err);

	if (rc < 0)
		return rc;
	ch.netns_fd = home_fd;
	ch.ifname = ifname;
	return link_set(from, link->ifindex, &ch, err);
}

/* The baseline name is taken at home.  The link is there already, under the name that it had
 * in the pod, or has not moved, where that one is taken as well. */
static int home_under_another_name(struct vnl *from, struct vnl *home,
				   const struct link *link, const char *passing,
				   struct vfk_err *err)
{
	struct link_change ch = LINK_NO_CHANGE;
	struct link there;
	int rc = link_get(home, LINK_HERE, 0, link->ifname, &there, err);

	if (rc < 0)
		return rc;
	if (rc == 0 || !same_device(link, &there))
		return move_home(from, home, link, passing, err);
	ch.ifname = passing;
	return link_set(home, there.ifindex, &ch, err);
}

int link_to_home(struct vnl *from, struct vnl *home, const struct link *link,
		 const char *passing, const char *ifname, uint32_t *ifindex,
		 struct vfk_err *err)
{
	struct vfk_err own;
	int rc = move_home(from, home, link, ifname, &own);

	if (rc == -VFK_E_KERNEL && own.sys == EEXIST) {
		ifname = passing;
		rc = home_under_another_name(from, home, link, passing, &own);
	}
	if (rc < 0) {
		if (err)
			*err = own;
		return vfk_err_wrap(err, "move link %s home", link->ifname);
	}
	*ifindex = vnl_ifindex(home, ifname);
	if (!*ifindex)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "link %s vanished on its way home", link->ifname);
	return 0;
}

int link_finish_in_pod(struct vnl *pod, const struct link *link, const char *ifname,
		       struct vfk_err *err)
{
	struct link_change ch = LINK_NO_CHANGE;
	struct link taken;
	int rc;

	if (strcmp(link->ifname, ifname) != 0) {
		rc = link_get(pod, LINK_HERE, 0, ifname, &taken, err);
		if (rc < 0)
			return rc;
		if (rc > 0)
			return vfk_err_set(err, VFK_E_EXISTS, 0,
					   "the pod has a link named %s already", ifname);
		ch.ifname = ifname;
	}
	if (!(link->flags & IFF_UP))
		ch.flags = ch.change = IFF_UP;
	if (!ch.ifname && !ch.change)
		return 0;
	rc = link_set(pod, link->ifindex, &ch, err);
	return rc < 0 ? vfk_err_wrap(err, "name link %s %s in the pod", link->ifname,
				     ifname) :
			0;
}

int link_set_name(struct vnl *nl, const struct link *link, const char *name,
		  struct vfk_err *err)
{
	struct link_change ch = LINK_NO_CHANGE;
	int rc;

	if (!strcmp(link->ifname, name))
		return 0;
	if (link->flags & IFF_UP) { /* older kernels rename no link that is up */
		ch.change = IFF_UP;
		rc = link_set(nl, link->ifindex, &ch, err);
		if (rc < 0)
			return vfk_err_wrap(err, "take link %s down", link->ifname);
	}
	ch = (struct link_change)LINK_NO_CHANGE;
	ch.ifname = name;
	rc = link_set(nl, link->ifindex, &ch, err);
	return rc < 0 ? vfk_err_wrap(err, "name link %s %s", link->ifname, name) : 0;
}

bool link_differs(const struct link *link, const struct vf_settings *set,
		  struct link_change *ch)
{
	unsigned want = link->flags;

	*ch = (struct link_change)LINK_NO_CHANGE;
	if (set->has & HAS_MTU && set->mtu_bytes != link->mtu_bytes)
		ch->mtu_bytes = set->mtu_bytes;
	if (set->has & HAS_PROMISC)
		want = set->promisc ? want | IFF_PROMISC : want & ~(unsigned)IFF_PROMISC;
	if (set->has & HAS_ALLMULTI)
		want = set->allmulti ? want | IFF_ALLMULTI : want & ~(unsigned)IFF_ALLMULTI;
	ch->change = (want ^ link->flags) & MODES;
	ch->flags = want & ch->change;
	return ch->mtu_bytes || ch->change;
}
