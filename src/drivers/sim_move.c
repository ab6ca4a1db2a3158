/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that change the link of a simulated VF. */
#include "drivers/sim.h"

#include <string.h>

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include "drivers/pod.h"

/* Without links nothing is moved, and a pod may even be the node's own namespace. */
static int identify_pod(const struct sim_job *job, struct vnl *pod, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *own = NULL;
	int rc;

	if (job->home)
		return pod_identify(job->home, pod, job->call, job->out, err);
	rc = vnl_open(&own, NETLINK_ROUTE, -1, err);
	if (rc >= 0)
		rc = vnl_netns_cookie(pod, &job->out->netns_cookie, err);
	if (rc >= 0)
		rc = netns_id_assign(own, job->call->netns_fd, &job->out->nsid, err);
	return rc;
}

int sim_link_to_pod(const struct sim_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	struct sim_place place;
	int rc = pod_open(job->call, &pod, err);

	if (rc >= 0)
		rc = identify_pod(job, pod, err);
	if (rc < 0 || !job->home)
		return rc;
	rc = sim_link_find(job->home, job->vf, job->call->ifindex, &place, err);
	if (rc < 0)
		return rc;
	if (place.nsid == LINK_HERE)
		rc = link_to_pod(job->home, pod, &place.link, job->call->ifname,
				 &place.link.ifindex, err);
	else if (place.nsid == job->out->nsid)
		rc = link_finish_in_pod(pod, &place.link, job->call->ifname, err);
	else
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the link is in another network namespace (nsid %d)",
				   place.nsid);
	if (rc < 0)
		return rc;
	pod_tell(&place.link, job->out);
	job->out->where = WHERE_IN_POD;
	return 0;
}

/* The VF's link in the pod: by the index that is known, else by its other end. */
static int find_in_pod(const struct sim_job *job, struct vnl *pod, struct link *link,
		       struct vfk_err *err)
{
	struct sim_place place;
	int32_t nsid;
	int rc;

	if (job->call->ifindex) {
		rc = link_get(pod, LINK_HERE, job->call->ifindex, NULL, link, err);
		if (rc < 0 || (rc > 0 && sim_link_is(job->vf, link)))
			return rc;
	}
	rc = sim_link_find(job->home, job->vf, 0, &place, err);
	if (rc >= 0)
		rc = netns_id(job->home, job->call->netns_fd, &nsid, err);
	if (rc < 0)
		return rc;
	*link = place.link;
	return place.nsid != LINK_HERE && place.nsid == nsid;
}

static int need_in_pod(const struct sim_job *job, struct vnl *pod, struct link *link,
		       struct vfk_err *err)
{
	int rc = find_in_pod(job, pod, link, err);

	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "the link is not in the pod");
	return rc < 0 ? rc : 0;
}

static bool other_hwaddr(const struct link *link, const uint8_t *want, uint8_t len)
{
	return len != link->hwaddr_len || memcmp(want, link->hwaddr, len);
}

int sim_link_settings(const struct sim_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	const struct vf_settings *want = &job->call->wanted;
	struct link_change ch;
	struct link link;
	bool any;
	int rc;

	if (!job->home || !(want->has & (HAS_MTU | HAS_MAC | HAS_PROMISC | HAS_ALLMULTI)))
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = need_in_pod(job, pod, &link, err);
	if (rc < 0)
		return rc;
	any = link_differs(&link, want, &ch);
	if (want->has & HAS_MAC && other_hwaddr(&link, want->mac, sizeof(want->mac))) {
		ch.hwaddr = want->mac;
		ch.hwaddr_len = sizeof(want->mac);
		any = true;
	}
	if (any) {
		rc = link_set(pod, link.ifindex, &ch, err);
		if (rc >= 0)
			rc = link_get(pod, LINK_HERE, link.ifindex, NULL, &link, err);
		if (rc < 0)
			return vfk_err_wrap(err, "set up link %s in the pod", link.ifname);
	}
	pod_tell(&link, job->out);
	return 0;
}

int sim_addresses(const struct sim_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	struct link link;
	int rc;

	if (!job->home || (!job->call->n_ips && !job->call->n_routes))
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = need_in_pod(job, pod, &link, err);
	return rc < 0 ? rc : addr_configure(pod, link.ifindex, job->call, err);
}

static const char *name_at_home(const struct sim_job *job, const struct sim_names *names)
{
	const struct vf_baseline *base = &job->call->baseline;

	return base->valid && base->ifname[0] ? base->ifname : names->vf;
}

/* Out of the pod by its descriptor.  1: done; 0: it is not there. */
static int leave_pod(const struct sim_job *job, const struct sim_names *names,
		     struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	struct link link;
	int rc;

	if (job->call->netns_fd < 0)
		return 0;
	rc = pod_open(job->call, &pod, err);
	if (rc >= 0)
		rc = find_in_pod(job, pod, &link, err);
	if (rc <= 0)
		return rc;
	rc = link_to_home(pod, job->home, &link, names->passing, name_at_home(job, names),
			  &job->out->ifindex, err);
	return rc < 0 ? rc : 1;
}

int sim_link_home(const struct sim_job *job, struct vfk_err *err)
{
	struct sim_names names;
	struct sim_place place;
	struct link taken;
	int rc;

	if (!job->home)
		return 0;
	sim_names_of(job->vf, &names);
	job->out->where = WHERE_HOME;
	rc = leave_pod(job, &names, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = sim_link_find(job->home, job->vf, job->call->ifindex, &place, err);
	/* In a namespace that we have no descriptor of: a veth can be fetched from there
	 * only by making it anew. */
	if (rc >= 0 && place.nsid != LINK_HERE)
		rc = sim_link_remake(job->home, job->vf, &place, err);
	if (rc < 0)
		return rc;
	job->out->ifindex = place.link.ifindex;
	if (!strcmp(place.link.ifname, name_at_home(job, &names)))
		return 0;
	/* A name that somebody else took is LINK_BASELINE's to complain about. */
	rc = link_get(job->home, LINK_HERE, 0, name_at_home(job, &names), &taken, err);
	return rc != 0 ? (rc < 0 ? rc : 0) :
			 link_set_name(job->home, &place.link, name_at_home(job, &names),
				       err);
}

int sim_link_find_home(const struct sim_job *job, struct sim_place *out, struct vfk_err *err)
{
	int rc = sim_link_find(job->home, job->vf, job->call->ifindex, out, err);

	if (rc < 0)
		return rc;
	if (out->nsid != LINK_HERE)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the link is in another network namespace (nsid %d)",
				   out->nsid);
	job->out->ifindex = out->link.ifindex;
	return 0;
}

int sim_link_baseline(const struct sim_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	struct sim_names names;
	struct sim_place place;
	struct link_change ch;
	bool any;
	int rc;

	if (!job->home)
		return 0;
	rc = sim_link_find_home(job, &place, err);
	if (rc < 0)
		return rc;
	job->out->where = WHERE_HOME;
	sim_names_of(job->vf, &names);
	/* First the altnames: the baseline name may be among them. */
	if (place.link.n_altnames) {
		rc = link_drop_altnames(job->home, place.link.ifindex, err);
		if (rc < 0)
			return vfk_err_wrap(err, "remove the altnames of link %s",
					    place.link.ifname);
	}
	rc = link_set_name(job->home, &place.link, name_at_home(job, &names), err);
	if (rc < 0 || !base->valid)
		return rc;
	any = link_differs(&place.link, &base->set, &ch);
	if (base->hwaddr_len && other_hwaddr(&place.link, base->hwaddr, base->hwaddr_len)) {
		ch.hwaddr = base->hwaddr;
		ch.hwaddr_len = base->hwaddr_len;
		any = true;
	}
	rc = any ? link_set(job->home, place.link.ifindex, &ch, err) : 0;
	return rc < 0 ? vfk_err_wrap(err, "restore link %s", place.link.ifname) : 0;
}
