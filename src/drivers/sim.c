/* SPDX-License-Identifier: Apache-2.0 */
/* The sim driver's operations: each meets its faults first. */
#include "drivers/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "drivers/registry.h"

static void guard_path(const struct drv_env *env, char *out, size_t cap_bytes)
{
	/* Whoever simulates from this description has these VFs. */
	snprintf(out, cap_bytes, "%s", env->sim_path);
}

static int meet(const struct sim_conf *conf, const char *op, const struct sim_vf *vf,
		int64_t deadline_boot_ns, struct vfk_err *err)
{
	struct sim_fault fault;
	int rc = sim_fault_get(conf, op, vf, &fault, err);

	return rc < 0 ? rc : sim_fault_meet(&fault, deadline_boot_ns, err);
}

/* --- discover ------------------------------------------------------------------- */

static void describe_pf(const struct sim_pf *pf, struct drv_pf *out)
{
	memset(out, 0, sizeof(*out));
	out->addr = pf->addr;
	snprintf(out->ifname, sizeof(out->ifname), "%s", pf->name);
	out->n_ports = pf->n_ports;
	memset(out->port_state, pf->port_state, pf->n_ports);
	out->n_vfs = pf->n_vfs;
}

static void describe_vf(const struct sim_vf *vf, const struct sim_place *place,
			uint64_t incarnation, struct drv_vf *out)
{
	struct sim_state st;
	struct vfk_err err;

	memset(out, 0, sizeof(*out));
	out->addr = vf->addr;
	out->pf = vf->pf->addr;
	out->index = vf->index;
	out->incarnation = incarnation;
	out->ifindex = place->link.ifindex;
	if (sim_state_load(vf, &st, &err) < 0 || place->unknown) {
		out->where = WHERE_UNKNOWN;
		return;
	}
	out->bound = st.bound;
	out->cannot = vf->pf->cannot;
	if (!vf->pf->links || place->nsid == LINK_HERE) {
		out->where = WHERE_HOME;
		sim_seen(vf, &st, vf->pf->links ? &place->link : NULL, &out->seen);
	} else {
		out->where = WHERE_ELSEWHERE; /* what is set there is nobody's baseline */
	}
}

static int discover(const struct drv_env *env,
		    int (*pf_fn)(void *arg, const struct drv_pf *pf),
		    int (*vf_fn)(void *arg, const struct drv_vf *vf), void *arg,
		    struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	VFK_AUTO(free_auto) struct sim_place *all = NULL;
	const struct sim_conf *conf;
	const struct sim_place none = { .nsid = LINK_HERE };
	const uint64_t incarnation = sim_incarnation();
	bool links = false;
	size_t at = 0;
	int rc = sim_conf_get(env->sim_path, &conf, err);

	if (rc >= 0)
		rc = meet(conf, "discover", NULL, 0, err);
	for (unsigned i = 0; rc >= 0 && i < conf->n_pfs; i++)
		links |= conf->pf[i].links;
	if (rc >= 0 && links) {
		rc = vnl_open(&home, NETLINK_ROUTE, -1, err);
		if (rc >= 0)
			rc = sim_link_all(home, conf, &all, err);
	}
	for (unsigned i = 0; rc >= 0 && i < conf->n_pfs; i++) {
		struct drv_pf pf;

		describe_pf(&conf->pf[i], &pf);
		rc = pf_fn(arg, &pf);
		for (unsigned k = 0; rc >= 0 && k < conf->pf[i].n_vfs; k++, at++) {
			struct sim_vf vf = sim_vf_at(conf, &conf->pf[i], (uint16_t)k);
			struct drv_vf found;

			describe_vf(&vf, all ? &all[at] : &none, incarnation, &found);
			rc = vf_fn(arg, &found);
		}
	}
	return rc < 0 ? rc : 0;
}

/* --- one VF --------------------------------------------------------------------- */

static int find_vf(const struct drv_call *call, struct sim_vf *vf, struct vfk_err *err)
{
	const struct sim_conf *conf;
	int rc = sim_conf_get(call->env->sim_path, &conf, err);

	if (rc < 0)
		return rc;
	if (!sim_vf_find(conf, call->addr, vf))
		return vfk_err_set(err, VFK_E_GONE, 0, "the VF is not on the bus");
	if (call->incarnation && call->incarnation != sim_incarnation())
		return vfk_err_set(err, VFK_E_GONE, 0,
				   "the VF was there before the last boot only");
	return 0;
}

/* How a step ended, from the process that did it. */
struct ended {
	int rc;
	struct drv_out out;
	struct vfk_err err;
};

static void sleep_ms(uint64_t ms)
{
	struct timespec left = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* A step in uninterruptible sleep: SIGKILL for the worker changes nothing, the step goes on
 * to its end, and everything that the worker had open stays open until then.  Played by a
 * process of its own, which nobody knows and which has the same descriptors. */
static int run_stuck(uint64_t stuck_ms, enum drv_step step, const struct sim_vf *vf,
		     const struct drv_call *call, struct drv_out *out, struct vfk_err *err)
{
	struct ended end = { 0 };
	int pipe_fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return vfk_err_set(err, VFK_E_SYS, errno, "simulate a stuck step");
	pid = fork();
	if (pid < 0) {
		close(pipe_fds[0]);
		close(pipe_fds[1]);
		return vfk_err_set(err, VFK_E_SYS, errno, "simulate a stuck step");
	}
	if (pid == 0) {
		prctl(PR_SET_NAME, "vfk-stuck");
		sleep_ms(stuck_ms);
		end.out.nsid = -1;
		end.rc = sim_step_run(step, vf, call, &end.out, &end.err);
		/* The worker may have been killed meanwhile: nobody reads this then. */
		n = write(pipe_fds[1], &end, sizeof(end));
		_exit(n == sizeof(end) ? 0 : 1);
	}
	close(pipe_fds[1]);
	do
		n = read(pipe_fds[0], &end, sizeof(end));
	while (n < 0 && errno == EINTR);
	close(pipe_fds[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(end))
		return vfk_err_set(err, VFK_E_INTERNAL, 0,
				   "the simulated stuck step was ended");
	*out = end.out;
	if (end.rc < 0 && err)
		*err = end.err;
	return end.rc;
}

static int step(enum drv_step step_number, const struct drv_call *call,
		struct drv_out *out, struct vfk_err *err)
{
	struct sim_vf vf = { .conf = NULL };
	struct sim_fault fault = { 0 };
	char pci[PCI_STRLEN];
	int rc = find_vf(call, &vf, err);

	memset(out, 0, sizeof(*out));
	out->nsid = -1;
	if (rc >= 0)
		rc = sim_fault_get(vf.conf, drv_step_name(step_number), &vf, &fault, err);
	if (rc >= 0)
		rc = sim_fault_meet(&fault, call->deadline_boot_ns, err);
	if (rc >= 0 && fault.stuck_ms)
		rc = run_stuck(fault.stuck_ms, step_number, &vf, call, out, err);
	else if (rc >= 0)
		rc = sim_step_run(step_number, &vf, call, out, err);
	return rc < 0 ? vfk_err_wrap(err, "VF %s", pci_format(call->addr, pci)) : 0;
}

/* Where the link is, seen from the pod of the call. */
static enum drv_where where_is(struct vnl *home, const struct drv_call *call,
			       int32_t nsid, int32_t link_nsid)
{
	struct vfk_err err;
	int32_t pod = -1;

	if (link_nsid == LINK_HERE)
		return WHERE_HOME;
	if (call->netns_fd >= 0 && netns_id(home, call->netns_fd, &pod, &err) >= 0 &&
	    pod == link_nsid)
		return WHERE_IN_POD;
	return nsid >= 0 && nsid == link_nsid ? WHERE_IN_POD : WHERE_ELSEWHERE;
}

static int look(const struct sim_vf *vf, const struct drv_call *call, int32_t nsid,
		struct drv_out *out, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	struct sim_place place;
	struct sim_state st;
	int rc = sim_state_load(vf, &st, err);

	if (rc < 0)
		return rc;
	out->cannot = vf->pf->cannot;
	if (!vf->pf->links && nsid < 0) {
		out->where = WHERE_HOME;
		sim_seen(vf, &st, NULL, &out->seen);
		return 0;
	}
	rc = vnl_open(&home, NETLINK_ROUTE, -1, err);
	if (rc >= 0)
		rc = netns_id_alive(home, nsid, &out->nsid_alive, err);
	if (rc >= 0 && vf->pf->links)
		rc = sim_link_find(home, vf, call->ifindex, &place, err);
	if (rc < 0)
		return rc;
	if (!vf->pf->links) {
		out->where = WHERE_HOME;
		sim_seen(vf, &st, NULL, &out->seen);
		return 0;
	}
	out->ifindex = place.link.ifindex;
	out->where = (uint8_t)where_is(home, call, nsid, place.nsid);
	if (out->where == WHERE_ELSEWHERE)
		addr_list(home, place.nsid, place.link.ifindex, out);
	sim_seen(vf, &st, &place.link, &out->seen);
	return 0;
}

static int observe(const struct drv_call *call, int32_t nsid, struct drv_out *out,
		   struct vfk_err *err)
{
	struct vfk_err own = { 0 };
	char pci[PCI_STRLEN];
	struct sim_vf vf;
	int rc;

	memset(out, 0, sizeof(*out));
	out->nsid = -1;
	rc = find_vf(call, &vf, &own);
	if (rc == -VFK_E_GONE) {
		out->where = WHERE_GONE;
		return 0;
	}
	if (rc >= 0)
		rc = meet(vf.conf, "observe", &vf, call->deadline_boot_ns, &own);
	if (rc >= 0)
		rc = look(&vf, call, nsid, out, &own);
	if (rc < 0) {
		if (err)
			*err = own;
		return vfk_err_wrap(err, "VF %s", pci_format(call->addr, pci));
	}
	return 0;
}

static int identify(const struct drv_env *env, int netns_fd, const char *ifname,
		    pci_addr_t *addr, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	const struct sim_conf *conf;
	struct sim_place place;
	struct sim_vf vf;
	struct link link;
	int32_t nsid;
	int rc = sim_conf_get(env->sim_path, &conf, err);

	*addr = PCI_NONE;
	if (rc >= 0)
		rc = meet(conf, "identify", NULL, 0, err);
	if (rc >= 0)
		rc = vnl_open(&pod, NETLINK_ROUTE, netns_fd, err);
	if (rc >= 0)
		rc = link_get(pod, LINK_HERE, 0, ifname, &link, err);
	if (rc <= 0)
		return rc;
	if (!pci_parse(link.alias, addr) || !sim_vf_find(conf, *addr, &vf) ||
	    !vf.pf->links || !sim_link_is(&vf, &link)) {
		*addr = PCI_NONE;
		return 0;
	}
	/* Anybody in a pod can write an alias; only the VF's own link is where its other
	 * end says. */
	rc = vnl_open(&home, NETLINK_ROUTE, -1, err);
	if (rc >= 0)
		rc = sim_link_find(home, &vf, 0, &place, err);
	if (rc >= 0)
		rc = netns_id(home, netns_fd, &nsid, err);
	if (rc < 0 || nsid < 0 || place.nsid != nsid || place.link.ifindex != link.ifindex)
		*addr = PCI_NONE;
	return rc < 0 ? rc : 0;
}

const struct driver sim_driver = {
	.name = "sim",
	.guard_path = guard_path,
	.discover = discover,
	.step = step,
	.observe = observe,
	.identify = identify,
};
