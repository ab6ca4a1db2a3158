/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that change a VF's IPoIB link. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/clock.h"
#include "drivers/ib.h"
#include "drivers/pod.h"
#include "drivers/wait.h"

#define RETURN_NS NS_PER_S /* what a dying namespace is given to let go by itself */
#define MODE_TRIES 5	   /* the kernel lets go of RTNL in between, and fails then */
#define PKEY_FULL 0x8000

/* The VF has no link wherever it is: unbound, or for user space. */
static bool linkless(const struct ib_job *job)
{
	const struct vf_baseline *base = &job->call->baseline;

	return !job->vf.driver[0] || job->vf.user_driver ||
	       (base->valid && !base->ifname[0] && !job->vf.link_home);
}

/* --- into the pod ----------------------------------------------------------------- */

int ib_link_to_pod(struct ib_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	const struct drv_call *call = job->call;
	struct link link;
	uint32_t index;
	int rc = pod_open(call, &pod, err);

	if (rc >= 0)
		rc = pod_identify(job->home, pod, call, job->out, err);
	if (rc < 0)
		return rc;
	if (linkless(job))
		return vfk_err_set(err, VFK_E_KERNEL, 0, "it has no link (driver %s)",
				   job->vf.driver[0] ? job->vf.driver : "none");
	if (job->vf.link_home) {
		rc = link_to_pod(job->home, pod, &job->vf.link, call->ifname, &index, err);
	} else {
		rc = ib_link_in(pod, LINK_HERE, call->addr, call->ifindex, &link, err);
		if (rc == 0)
			return vfk_err_set(err, VFK_E_KERNEL, 0,
					   "its link is neither at home nor in the pod");
		index = link.ifindex;
		if (rc > 0)
			rc = link_finish_in_pod(pod, &link, call->ifname, err);
	}
	/* Opening it may have changed its address, and joining its MTU. */
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

static struct nl_msg *mode_message(uint32_t ifindex, uint16_t mode)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *msg = vnl_msg_new(RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	struct nlattr *info, *data;

	if (!msg)
		return NULL;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "ipoib"))
		goto fail;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data || nla_put_u16(msg, IFLA_IPOIB_MODE, mode))
		goto fail;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return msg;
fail:
	nlmsg_free(msg);
	return NULL;
}

static int set_mode(struct vnl *nl, struct link *link, uint16_t mode, struct vfk_err *err)
{
	static const char *const name[] = { "datagram", "connected" };
	struct vfk_err own = { 0 };
	int rc = -VFK_E_KERNEL;

	if (link->ipoib_mode == mode)
		return 0;
	for (int i = 0; i < MODE_TRIES && rc < 0; i++) {
		rc = vnl_request(nl, mode_message(link->ifindex, mode), NULL, NULL, &own);
		if (rc == -VFK_E_KERNEL && (own.sys == EINVAL || own.sys == EOPNOTSUPP))
			return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
					   "ipoibMode %s: the driver of the VF cannot",
					   name[mode & 1]);
		if (rc == -VFK_E_KERNEL && own.sys != EBUSY && own.sys != EAGAIN)
			break;
	}
	if (rc < 0) {
		if (err)
			*err = own;
		return vfk_err_wrap(err, "set IPoIB mode %s on link %s", name[mode & 1],
				    link->ifname);
	}
	rc = link_get(nl, LINK_HERE, link->ifindex, NULL, link, err);
	if (rc <= 0)
		return rc;
	if (link->ipoib_mode != mode)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "link %s took IPoIB mode %s and does not have it",
				   link->ifname, name[mode & 1]);
	return 0;
}

/* MTU, IPoIB mode and flags of 'link' as in 'set'; connected mode allows another MTU, so it
 * comes first. */
static int set_up(struct vnl *nl, struct link *link, const struct vf_settings *set,
		  struct vfk_err *err)
{
	struct link_change ch;
	int rc = 0;

	if (set->has & HAS_IPOIB_MODE)
		rc = set_mode(nl, link, set->ipoib_mode, err);
	if (rc < 0 || !link_differs(link, set, &ch))
		return rc;
	rc = link_set(nl, link->ifindex, &ch, err);
	if (rc >= 0)
		rc = link_get(nl, LINK_HERE, link->ifindex, NULL, link, err);
	return rc < 0 ? vfk_err_wrap(err, "set up link %s", link->ifname) : 0;
}

static int check_pkey(const struct link *link, uint16_t want, struct vfk_err *err)
{
	/* The membership bit says how, not which. */
	if ((link->ipoib_pkey & ~PKEY_FULL) == (want & ~PKEY_FULL))
		return 0;
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
			   "pkey 0x%04x: the subnet manager gave the VF's port 0x%04x",
			   want, link->ipoib_pkey);
}

int ib_link_settings(struct ib_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	const struct vf_settings *want = &job->call->wanted;
	struct link link;
	int rc;

	if (linkless(job) || !(want->has & (HAS_MTU | HAS_PROMISC | HAS_ALLMULTI |
					    HAS_IPOIB_MODE | HAS_PKEY)))
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = ib_link_in(pod, LINK_HERE, job->call->addr, job->call->ifindex,
				&link, err);
	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its link is not in the pod");
	if (rc > 0 && want->has & HAS_PKEY)
		rc = check_pkey(&link, want->pkey, err);
	if (rc >= 0)
		rc = set_up(pod, &link, want, err);
	if (rc < 0)
		return rc;
	/* Taken, and cut to what the multicast group of the partition has. */
	if (want->has & HAS_MTU && link.mtu_bytes != want->mtu_bytes)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "mtu %u: the link's partition allows %u",
				   want->mtu_bytes, link.mtu_bytes);
	pod_tell(&link, job->out);
	return 0;
}

int ib_addresses(struct ib_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	struct link link;
	int rc;

	if (!job->call->n_ips && !job->call->n_routes)
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = ib_link_in(pod, LINK_HERE, job->call->addr, job->call->ifindex,
				&link, err);
	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its link is not in the pod");
	return rc < 0 ? rc : addr_configure(pod, link.ifindex, job->call, err);
}

/* --- home ------------------------------------------------------------------------- */

static const char *name_at_home(const struct ib_job *job, const char *passing)
{
	const struct vf_baseline *base = &job->call->baseline;

	return base->valid && base->ifname[0] ? base->ifname : passing;
}

/* Out of the pod by its descriptor.  1: done; 0: it is not there. */
static int leave_pod(struct ib_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	char passing[16];
	struct link link;
	int rc;

	if (job->call->netns_fd < 0)
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = ib_link_in(pod, LINK_HERE, job->call->addr, job->call->ifindex,
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
	struct ib_job *job = arg;
	int rc = ib_link_at_home(job->vf.env, job->home, job->vf.addr, &job->vf.link, err);

	job->vf.link_home = rc > 0;
	return rc;
}

int ib_link_home(struct ib_job *job, struct vfk_err *err)
{
	int64_t until = clock_boot_ns() + RETURN_NS;
	int rc = 0;

	job->out->where = WHERE_HOME;
	/* Taken off by a release that was cut short, or by somebody else; or to be reset. */
	job->out->rebind_needed = ib_other_driver(job) || ib_wants_scrub(job->call);
	if (linkless(job))
		return 0;
	if (!job->vf.link_home)
		rc = leave_pod(job, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* In a namespace that is gone or going, or that nobody gave us a way into. */
	if (!job->vf.link_home) {
		rc = drv_wait(came_home, job,
			      until < job->until_ns ? until : job->until_ns, err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return ib_unbind(job, err);
	}
	job->out->ifindex = job->vf.link.ifindex;
	return ib_own_name(job, err);
}

int ib_link_baseline(struct ib_job *job, struct vfk_err *err)
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
	rc = link_set_name(job->home, link, name_at_home(job, "ib%d"), err);
	if (rc < 0 || !base->valid)
		return rc;
	return set_up(job->home, link, &base->set, err);
}
