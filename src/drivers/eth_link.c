/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that change a VF's link. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/if.h>

#include "base/clock.h"
#include "drivers/eth.h"
#include "drivers/pod.h"
#include "drivers/wait.h"

#define RETURN_NS NS_PER_S	/* what a dying namespace is given to let go by itself */
#define READY_NS (2 * NS_PER_S) /* what a VF that is being reset is given */
#define ADDRESS_LOOKS 20	/* between two tries */
#define ADDRESS_NS (5 * NS_PER_S) /* likewise until it has the address of its PF */

/* The VF has no link wherever it is: unbound, or for user space. */
static bool linkless(const struct eth_job *job)
{
	const struct vf_baseline *base = &job->call->baseline;

	return !job->vf.driver[0] || job->vf.user_driver ||
	       (base->valid && !base->ifname[0] && !job->vf.link_home);
}

static int64_t until(const struct eth_job *job, int64_t ns)
{
	int64_t t = clock_boot_ns() + ns;

	return t < job->until_ns ? t : job->until_ns;
}

static int in_pod(struct eth_job *job, struct vnl *pod, struct link *link,
		  struct vfk_err *err)
{
	int rc = eth_link_in(pod, LINK_HERE, job->call->addr, job->call->ifindex, link,
			     err);

	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its link is not in the pod");
	return rc < 0 ? rc : 0;
}

/* --- the address ------------------------------------------------------------------ */

static bool has_address(const struct link *link, const uint8_t *mac)
{
	return link->hwaddr_len == 6 && !memcmp(link->hwaddr, mac, 6);
}

static int set_flags(struct vnl *nl, uint32_t ifindex, unsigned flags, struct vfk_err *err)
{
	struct link_change ch = LINK_NO_CHANGE;

	ch.flags = flags;
	ch.change = IFF_UP;
	return link_set(nl, ifindex, &ch, err);
}

/* Down, the address, and up again where it was up: many drivers take one from a link that is
 * down only, others take over their PF's when a link goes down or comes up. */
static int change_address(struct vnl *nl, const struct link *link, const uint8_t *mac,
			  struct vfk_err *err)
{
	struct link_change ch = LINK_NO_CHANGE;
	struct vfk_err ignored;
	bool up = link->flags & IFF_UP;
	int rc;

	/* What these two are refused shows in what comes after. */
	if (!up)
		(void)(set_flags(nl, link->ifindex, IFF_UP, &ignored) < 0);
	(void)(set_flags(nl, link->ifindex, 0, &ignored) < 0);
	ch.hwaddr = mac;
	ch.hwaddr_len = 6;
	rc = link_set(nl, link->ifindex, &ch, err);
	if (up && set_flags(nl, link->ifindex, IFF_UP, rc < 0 ? &ignored : err) < 0)
		rc = -VFK_E_KERNEL;
	return rc;
}

/* Gives 'link' the address 'mac' and looks whether it has it: some cards tell a VF later what
 * its PF was told, and refuse the VF until then. */
static int own_address(struct eth_job *job, struct vnl *nl, struct link *link,
		       const uint8_t *mac, struct vfk_err *err)
{
	int64_t end = until(job, ADDRESS_NS);
	struct link_change ch = LINK_NO_CHANGE;
	struct vfk_err own = { 0 };
	int rc;

	if (has_address(link, mac))
		return 0;
	ch.hwaddr = mac;
	ch.hwaddr_len = 6;
	rc = link_set(nl, link->ifindex, &ch, &own);
	for (int looks = 0;; looks++) {
		struct vfk_err look;

		if (rc < 0 && looks % ADDRESS_LOOKS == 0)
			rc = change_address(nl, link, mac, &own);
		if (link_get(nl, LINK_HERE, link->ifindex, NULL, link, &look) <= 0)
			return vfk_err_set(err, VFK_E_KERNEL, 0, "its link went away");
		if (has_address(link, mac))
			return 0;
		if (looks % ADDRESS_LOOKS == ADDRESS_LOOKS - 1)
			rc = -VFK_E_KERNEL; /* it was forgotten */
		if (!eth_pause(end))
			break;
	}
	return vfk_err_set(err, VFK_E_KERNEL, own.sys,
			   "link %s has another address than the one given, although its PF "
			   "took that",
			   link->ifname);
}

/* --- into the pod ----------------------------------------------------------------- */

/* The link is there; its name, and up.  A VF that is being reset cannot be opened. */
static int finish_in_pod(struct eth_job *job, struct vnl *pod, uint32_t hint,
			 uint32_t *index, struct vfk_err *err)
{
	int64_t end = until(job, READY_NS);
	struct vfk_err own;
	struct link link;
	int rc;

	do {
		rc = eth_link_in(pod, LINK_HERE, job->call->addr, hint, &link, &own);
		if (rc == 0)
			return vfk_err_set(err, VFK_E_KERNEL, 0,
					   "its link is neither at home nor in the pod");
		if (rc > 0)
			rc = link_finish_in_pod(pod, &link, job->call->ifname, &own);
		if (rc >= 0) {
			*index = link.ifindex;
			return 0;
		}
	} while (eth_passes(rc, &own) && eth_pause(end));
	if (err)
		*err = own;
	return rc;
}

static int move_to_pod(struct eth_job *job, struct vnl *pod, uint32_t *index,
		       struct vfk_err *err)
{
	const struct vf_settings *want = &job->call->wanted;
	const struct link *link = &job->vf.link;
	struct link_change with = LINK_NO_CHANGE;
	struct vfk_err own;
	struct link there;
	int rc;

	if (want->has & HAS_MAC && !has_address(link, want->mac)) {
		with.hwaddr = want->mac;
		with.hwaddr_len = 6;
	}
	rc = link_to_pod_with(job->home, pod, link, job->call->ifname, &with, index, &own);
	if (rc == -VFK_E_KERNEL &&
	    eth_link_in(pod, LINK_HERE, job->call->addr, link->ifindex, &there, err) > 0)
		/* Moved, and then refused: the address (there is another try at it), or to
		 * be opened. */
		return finish_in_pod(job, pod, there.ifindex, index, err);
	if (rc < 0 && err)
		*err = own;
	return rc;
}

int eth_link_to_pod(struct eth_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	const struct drv_call *call = job->call;
	struct link link;
	uint32_t index = 0;
	int rc = pod_open(call, &pod, err);

	if (rc >= 0)
		rc = pod_identify(job->home, pod, call, job->out, err);
	if (rc < 0)
		return rc;
	if (linkless(job))
		return vfk_err_set(err, VFK_E_KERNEL, 0, "it has no link (driver %s)",
				   job->vf.driver[0] ? job->vf.driver : "none");
	if (job->vf.link_home)
		rc = move_to_pod(job, pod, &index, err);
	else
		rc = finish_in_pod(job, pod, call->ifindex, &index, err);
	if (rc >= 0)
		rc = link_get(pod, LINK_HERE, index, NULL, &link, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its link left the pod at once");
	pod_tell(&link, job->out);
	job->out->where = WHERE_IN_POD;
	return 0;
}

/* --- set up ----------------------------------------------------------------------- */

/* MTU and flags of 'link' as in 'set'. */
static int set_up(struct vnl *nl, struct link *link, const struct vf_settings *set,
		  struct vfk_err *err)
{
	struct link_change ch;
	struct vfk_err own;
	int rc;

	if (!link_differs(link, set, &ch))
		return 0;
	rc = link_set(nl, link->ifindex, &ch, &own);
	if (rc == -VFK_E_KERNEL && ch.mtu_bytes &&
	    (own.sys == EINVAL || own.sys == EOPNOTSUPP))
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "mtu %u: the driver of the VF refuses it", ch.mtu_bytes);
	if (rc >= 0)
		rc = link_get(nl, LINK_HERE, link->ifindex, NULL, link, &own);
	if (rc < 0 && err)
		*err = own;
	if (rc < 0)
		return vfk_err_wrap(err, "set up link %s", link->ifname);
	if (link_differs(link, set, &ch))
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "link %s took an MTU or mode and does not have it",
				   link->ifname);
	return 0;
}

int eth_link_settings(struct eth_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	const struct vf_settings *want = &job->call->wanted;
	struct link link;
	int rc;

	if (linkless(job) ||
	    !(want->has & (HAS_MTU | HAS_MAC | HAS_PROMISC | HAS_ALLMULTI)))
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = in_pod(job, pod, &link, err);
	if (rc >= 0 && want->has & HAS_MAC)
		rc = own_address(job, pod, &link, want->mac, err);
	if (rc >= 0)
		rc = set_up(pod, &link, want, err);
	if (rc < 0)
		return rc;
	pod_tell(&link, job->out);
	return 0;
}

int eth_addresses(struct eth_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	struct link link;
	int rc;

	if (!job->call->n_ips && !job->call->n_routes)
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = in_pod(job, pod, &link, err);
	return rc < 0 ? rc : addr_configure(pod, link.ifindex, job->call, err);
}

/* --- home ------------------------------------------------------------------------- */

static const char *name_at_home(const struct eth_job *job, const char *passing)
{
	const struct vf_baseline *base = &job->call->baseline;

	return base->valid && base->ifname[0] ? base->ifname : passing;
}

/* Out of the pod by its descriptor.  1: done; 0: it is not there. */
static int leave_pod(struct eth_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	char passing[16];
	struct link link;
	int rc;

	if (job->call->netns_fd < 0)
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = eth_link_in(pod, LINK_HERE, job->call->addr, job->call->ifindex,
				 &link, err);
	if (rc <= 0)
		return rc;
	snprintf(passing, sizeof(passing), "vfk%" PRIx64,
		 job->call->addr & UINT64_C(0xffffffffffff));
	rc = link_to_home(pod, job->home, &link, passing, name_at_home(job, passing),
			  &job->out->ifindex, err);
	return rc < 0 ? rc : 1;
}

static int came_home(void *arg, struct vfk_err *err)
{
	struct eth_job *job = arg;
	int rc = eth_link_at_home(job->vf.env, job->home, job->vf.addr, &job->vf.link, err);

	job->vf.link_home = rc > 0;
	return rc;
}

int eth_link_home(struct eth_job *job, struct vfk_err *err)
{
	int rc = 0;

	job->out->where = WHERE_HOME;
	job->out->rebind_needed = eth_wants_rebind(job);
	if (linkless(job))
		return 0;
	if (!job->vf.link_home)
		rc = leave_pod(job, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* In a namespace that is gone or going, or that nobody gave us a way into. */
	if (!job->vf.link_home) {
		rc = drv_wait(came_home, job, until(job, RETURN_NS), err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return eth_unbind(job, err);
	}
	job->out->ifindex = job->vf.link.ifindex;
	return eth_own_name(job, err);
}

/* An operator may have given the PF an address for a VF that has not taken it over yet: then
 * the card refuses the one that the VF had, and the other one is right. */
static int baseline_address(struct eth_job *job, struct link *link, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	struct link_change ch = LINK_NO_CHANGE;
	const uint8_t *mac = base->hwaddr;
	struct vfk_err refused;

	if (eth_address_is_right(link, base))
		return 0;
	ch.hwaddr = mac;
	ch.hwaddr_len = 6;
	if (eth_given_address(base) && link_set(job->home, link->ifindex, &ch, &refused) < 0)
		mac = base->set.mac;
	return own_address(job, job->home, link, mac, err);
}

int eth_link_baseline(struct eth_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	struct link *link = &job->vf.link;
	int rc = 0;

	if (linkless(job))
		return 0;
	if (!job->vf.link_home)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its link is not at home");
	job->out->ifindex = link->ifindex;
	job->out->where = WHERE_HOME;
	/* First the altnames: the baseline name may be among them. */
	if (link->n_altnames) {
		rc = link_drop_altnames(job->home, link->ifindex, err);
		if (rc < 0)
			return vfk_err_wrap(err, "remove the altnames of link %s",
					    link->ifname);
	}
	rc = link_set_name(job->home, link, name_at_home(job, "eth%d"), err);
	if (rc < 0 || !base->valid)
		return rc;
	if (base->hwaddr_len == 6)
		rc = baseline_address(job, link, err);
	return rc < 0 ? rc : set_up(job->home, link, &base->set, err);
}
