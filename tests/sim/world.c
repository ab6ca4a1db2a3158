/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a history, as they happen to the world. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "callers.h"
#include "collect.h"
#include "cover.h"
#include "disk.h"
#include "engines.h"
#include "faults.h"
#include "fds.h"
#include "fsm/port.h"
#include "history.h"
#include "ipam.h"
#include "kernel.h"
#include "peer.h"
#include "promises.h"
#include "shadow.h"
#include "spooler.h"
#include "story.h"
#include "when.h"
#include "workers.h"

/* P5: so long after the last fault everything is at rest. */
#define REST_WITHIN (400 * SEC)
#define PORTS_SEEN (70 * SEC)
#define MAX_EVENTS_AT_ONCE 20000

static const int step_errnos[] = { EBUSY,  EAGAIN,     EMSGSIZE, EIO,
				   ENODEV, EOPNOTSUPP, ETIMEDOUT };
static bool on_demand; /* nobody starts the service */

static struct kvf *some_vf(struct rng *r)
{
	return &vfs[rng_below(r, n_sim_vfs)];
}

/* A configuration that can be honoured, mostly. */
static unsigned some_settings(struct rng *r, const struct kvf *v)
{
	static const uint8_t ethernet[] = { 0, 1, 2, 3, 7 },
			     infiniband[] = { 0, 1, 4, 5, 6 };

	if (rng_one_in(r, 16))
		return rng_below(r, callers_n_settings());
	if (v->kind == KIND_VFIO)
		return 0;
	return v->kind == KIND_ETHERNET ? ethernet[rng_below(r, 5)] :
					  infiniband[rng_below(r, 5)];
}

static void call(struct rng *r, enum cni_verb verb, bool late)
{
	unsigned pod = rng_below(r, SIM_PODS), att = rng_one_in(r, 4) ? 1 : 0;
	struct kvf *v = some_vf(r);
	struct call c = { .verb = verb,
			  .claim = claim_of(pod, att),
			  .vf = (unsigned)(v - vfs),
			  .ipam = rng_below(r, 3) > 0,
			  .netns = verb == CNI_ADD || rng_one_in(r, 2),
			  .settings = verb == CNI_ADD ? some_settings(r, v) : 0,
			  .born_before_ns = late ? (int64_t)rng_below(r, 60000) * MS : 0 };

	if (verb == CNI_ADD && peer_holds(c.claim))
		return; /* a runtime has it attached once */
	caller_start(&c);
}

static void job_fault_of(struct rng *r, enum job_kind kind)
{
	enum job_fail fail = JF_ERROR + rng_below(r, JF_ORPHAN - JF_ERROR);
	int sys = step_errnos[rng_below(r, VFK_ARRAY_SIZE(step_errnos))];
	unsigned writes = rng_below(r, 5), times = rng_one_in(r, 6) ? 6 : 1;

	if (times > 1 && rng_one_in(r, 3)) /* until a VF is given up */
		times = 12;
	while (times--)
		fault_arm(kind, fail, sys, writes);
}

static void job_fault(struct rng *r)
{
	static const enum job_kind kinds[] = { JOB_STEPS,    JOB_STEPS,	  JOB_STEPS,
					       JOB_STEPS,    JOB_STEPS,	  JOB_SYNC,
					       JOB_SYNC,     JOB_OBSERVE, JOB_DISCOVER,
					       JOB_IDENTIFY, JOB_IPAM };

	job_fault_of(r, kinds[rng_below(r, VFK_ARRAY_SIZE(kinds))]);
}

/* A VF gets what the owner of another one asked for, as tools do that know of no owners. */
static void as_a_pod_has(struct rng *r, struct kvf *v)
{
	const struct kvf *other = some_vf(r);

	if (other->kind != v->kind || promise_free(other))
		return;
	memcpy(v->set.mac, other->set.mac, sizeof(v->set.mac));
	v->set.port_guid = other->set.port_guid;
}

/* Somebody else changes a VF: what it should look like is open until the engine has seen it. */
static void operator_sets(struct rng *r, struct kvf *v)
{
	if (!v->present)
		return;
	switch (rng_below(r, 4)) {
	case 0:
		v->set.link_state = (uint8_t)rng_below(r, 3);
		break;
	case 1:
		if (v->kind == KIND_INFINIBAND)
			v->set.node_guid = 0x0300 + rng_below(r, 8);
		else
			v->set.vlan = (uint16_t)(100 + rng_below(r, 8));
		break;
	case 2:
		as_a_pod_has(r, v);
		break;
	default:
		if (v->link.ifindex)
			v->link.mtu_bytes = 1000 + rng_below(r, 8);
	}
	v->meddled = true;
	story("operator: changes vf%u", (unsigned)(v - vfs));
}

static void link_renamed(struct rng *r, struct kvf *v)
{
	char name[16];

	snprintf(name, sizeof(name), "op%u", rng_below(r, 4));
	if (!v->link.ifindex || v->link.ns != HOME || link_rename(v, name))
		return;
	v->meddled = true;
	story("operator: names the link of vf%u %s", (unsigned)(v - vfs), name);
}

static void link_taken(struct kvf *v)
{
	unsigned ns;

	if (!v->link.ifindex || v->link.ns != HOME || !promise_free(v) ||
	    !(ns = netns_new()))
		return;
	link_move(v, (int)ns);
	v->moved_by_others = v->meddled = true;
	story("workload: takes the link of vf%u to netns %u", (unsigned)(v - vfs), ns);
}

/* As a plugin of another make does: a DEL of that pod finds it. */
static void link_put(struct rng *r, struct kvf *v)
{
	const struct pod *pod = &pods[rng_below(r, SIM_PODS)];
	char name[16];

	snprintf(name, sizeof(name), "net%u", 1 + rng_below(r, 2));
	if (!v->link.ifindex || v->link.ns != HOME || !promise_free(v) || !pod->ns ||
	    !netns_reachable((int)pod->ns) || !link_name_free((int)pod->ns, name, v))
		return;
	link_move(v, (int)pod->ns);
	link_rename(v, name);
	v->moved_by_others = v->meddled = true;
	story("workload: puts the link of vf%u into %s as %s", (unsigned)(v - vfs),
	      pod->container, name);
}

/* From its pod: once that is gone its number may be a third namespace's, and nobody could
 * tell the two. */
static void link_away(struct kvf *v)
{
	unsigned ns;

	if (!v->link.ifindex || v->link.ns == HOME || !promise_attached(v) ||
	    !netns_reachable(v->link.ns) ||
	    spaces[v->link.ns].nsid != shadow_of(v)->rec.nsid || !(ns = netns_new()))
		return;
	link_move(v, (int)ns);
	v->moved_by_others = v->meddled = true;
	story("workload: takes the link of vf%u, which has an owner, to netns %u",
	      (unsigned)(v - vfs), ns);
}

static void link_back(struct kvf *v)
{
	if (!v->link.ifindex || v->link.ns == HOME || !netns_reachable(v->link.ns))
		return;
	if (!link_name_free(HOME, v->link.name, v))
		snprintf(v->link.name, sizeof(v->link.name), "back%u", v->link.ifindex);
	link_move(v, HOME);
	v->rdma_ns = HOME; /* nobody takes one without the other */
	v->moved_by_others = v->meddled = true;
	story("workload: moves the link of vf%u home", (unsigned)(v - vfs));
}

/* Its lease waits for its DEL (vfkeeper-rules(7), R11). */
static void owner_loses(const struct kvf *v)
{
	unsigned claim = promise_owner(v);

	if (claim < SIM_CLAIMS)
		claims[claim].lost_vf = true;
}

/* Every other one is the card's death, after which all there is has to be tried again. */
static void port_changes(unsigned *state, unsigned to)
{
	*state = to > PORT_FATAL - PORT_UNKNOWN ? PORT_FATAL : PORT_UNKNOWN + to;
}

static void vf_event(struct rng *r, enum event_kind kind, struct kvf *v)
{
	unsigned i = (unsigned)(v - vfs);

	if (rng_below(r, 4)) /* one in four is lost */
		engines_vf_touched(v->addr);
	if (kind >= EVENT_VF_VANISHES && kind <= EVENT_LINK_BACK)
		peer_disturbed(v);
	switch (kind) {
	case EVENT_VF_VANISHES:
		if (v->present) {
			story("bus: vf%u goes", i);
			owner_loses(v);
			vf_vanish(v);
		}
		break;
	case EVENT_VF_APPEARS:
		for (i = 0; i < n_sim_vfs; i++)
			if (!vfs[i].present) {
				story("bus: vf%u comes", i);
				vf_appear(&vfs[i]);
				break;
			}
		break;
	case EVENT_VF_ANEW:
		story("bus: vf%u is made anew", i);
		owner_loses(v);
		vf_vanish(v);
		vf_appear(v);
		break;
	case EVENT_VF_UNBOUND:
		if (v->present && v->bound && !v->steps_running &&
		    (promise_free(v) ? kernel_is_home(v) : promise_attached(v))) {
			story("operator: unbinds vf%u", i);
			v->bound = false;
			link_gone(v);
			v->meddled = true;
		}
		break;
	case EVENT_VF_REBOUND:
		if (v->present && kernel_is_home(v)) {
			story("operator: binds vf%u anew", i);
			kernel_rebind(v);
			v->meddled = v->moved_by_others = true;
		}
		break;
	case EVENT_OPERATOR_SETS:
		operator_sets(r, v);
		break;
	case EVENT_LINK_RENAMED:
		link_renamed(r, v);
		break;
	case EVENT_LINK_TAKEN:
		link_taken(v);
		break;
	case EVENT_LINK_PUT:
		link_put(r, v);
		break;
	case EVENT_LINK_AWAY:
		link_away(v);
		break;
	case EVENT_LINK_BACK:
		link_back(v);
		break;
	case EVENT_ADMIN_RELEASE:
		admin_release(v);
		break;
	case EVENT_ADMIN_RETRY:
		admin_retry(v);
		break;
	case EVENT_PEER_ADD:
		peer_add(r, v);
		break;
	case EVENT_CORDON:
	case EVENT_UNCORDON:
		admin_cordon(r, kind == EVENT_CORDON);
		break;
	default:
		break;
	}
}

/* The node goes down and comes up: only what is on the disk is as it was. */
void world_boot(bool orderly, struct rng *r)
{
	story(orderly ? "node: reboots" : "node: loses power");
	if (!orderly) {
		promise_power_loss();
		admin_forget();
		engines_power_off();
		disk_power_loss(r);
	} else {
		engines_power_off();
		if (disk_settle()) { /* what could not be synced is lost with the page cache */
			promise_power_loss();
			admin_forget();
		}
		disk_cache_gone();
	}
	when_forget();
	workers_reset();
	callers_boot();
	peers_boot();
	ipam_boot();
	fds_reset();
	kernel_boot();
	engines_boot();
	promise_reboot();
	if (!on_demand)
		engine_start_service();
}

static void boot(bool orderly, struct rng *r)
{
	world_boot(orderly, r);
	for (unsigned i = 0; i < SIM_PODS; i++)
		pod_new(i, rng_one_in(r, 2));
}

static void squatter_comes(struct rng *r)
{
	const struct kvf *v = some_vf(r);

	if (squatter[0])
		squatter[0] = '\0';
	else if (link_name_free(HOME, v->home.ifname, NULL))
		snprintf(squatter, sizeof(squatter), "%s", v->home.ifname);
	story("operator: the name %s is %s", v->home.ifname,
	      squatter[0] ? "taken" : "free");
}

static void node_event(struct rng *r, enum event_kind kind)
{
	static const int64_t passes[] = { 5 * MS,  60 * MS,  300 * MS,	SEC,
					  4 * SEC, 31 * SEC, 111 * SEC, 140 * SEC };
	unsigned pod = rng_below(r, SIM_PODS), what;

	switch (kind) {
	case EVENT_PASS:
		world_run(passes[rng_below(r, rng_one_in(r, 6) ? 8 : 5)]);
		break;
	case EVENT_POD_NEW:
	case EVENT_POD_SAME_ID:
		story("runtime: pod %u goes and comes%s", pod,
		      kind == EVENT_POD_SAME_ID ? " under the same ID" : "");
		pod_new(pod, kind == EVENT_POD_SAME_ID);
		break;
	case EVENT_NETNS_GONE:
		story("runtime: the namespace of pod %u is removed", pod);
		netns_remove(pods[pod].ns);
		break;
	case EVENT_NETNS_SLOW:
		netns_death_takes = (int64_t)rng_below(r, 60) * SEC;
		break;
	case EVENT_NSID_LOST:
		nsid_events_lost = !nsid_events_lost;
		break;
	case EVENT_NAME_TAKEN:
		spaces[pods[pod].ns].taken_name = pods[pod].ns != HOME;
		break;
	case EVENT_SQUATTER:
		squatter_comes(r);
		break;
	case EVENT_PEER_DEL:
		peer_del_any(r);
		break;
	case EVENT_IMPORT:
		if (rng_one_in(r, 4))
			job_fault_of(r, JOB_IMPORT);
		peers_import(r);
		break;
	case EVENT_EXPORT:
		peers_export();
		break;
	case EVENT_PORT:
		what = rng_below(r, 8);
		port_changes(&port_state[rng_below(r, SIM_PFS)], what);
		if (rng_one_in(r, 4)) /* and is asked for */
			job_fault_of(r, JOB_PORTS);
		break;
	case EVENT_REBOOT:
		boot(true, r);
		break;
	case EVENT_POWER_LOSS:
		boot(false, r);
		break;
	case EVENT_SUSPEND:
		story("node: sleeps");
		when_now += (int64_t)rng_below(r, 3600) * SEC;
		break;
	case EVENT_WALL_JUMP:
		when_wall_offset += ((int64_t)rng_below(r, 7200) - 3600) * SEC;
		break;
	default:
		break;
	}
}

static void fault_event(struct rng *r, enum event_kind kind)
{
	unsigned n_writes;
	bool del;

	switch (kind) {
	case EVENT_CALLER_KILLED:
		caller_kill_any(rng_below(r, 64));
		break;
	case EVENT_ENGINE_KILLED:
		engine_kill(0);
		break;
	case EVENT_ENGINE_CUT:
		engine_kill(1 + rng_below(r, 24));
		break;
	case EVENT_ENGINE_HANGS:
		engine_hang(rng_one_in(r, 2) ? (int64_t)rng_below(r, 29) * SEC : 100 * SEC);
		break;
	case EVENT_SERVICE:
		if (!on_demand && engine_start_service())
			cover_event(kind);
		break;
	case EVENT_GIVE_WAY:
		engine_give_way();
		break;
	case EVENT_WORKER_KILLED:
		worker_kill_any(rng_below(r, 64));
		break;
	case EVENT_JOB_FAULT:
		job_fault(r);
		break;
	case EVENT_IPAM_FAULT:
		del = rng_one_in(r, 3);
		fault_arm_ipam(1 + rng_below(r, IF_N - 1), del);
		break;
	case EVENT_OP_FAULT:
		fault_arm_op(rng_below(r, OF_N));
		break;
	case EVENT_DISK_FULL:
		story("disk: is full");
		n_writes = rng_one_in(r, 2) ? 1 : 1u << 20;
		disk_full(rng_one_in(r, 3) ? EIO : ENOSPC, n_writes);
		break;
	case EVENT_DISK_ROOM:
		if (disk_full(0, 0))
			cover_event(kind);
		break;
	case EVENT_DISK_ROT:
		if (disk_rot(r)) {
			story("disk: some bytes of the journal are others now");
			promise_rot();
		}
		break;
	default:
		break;
	}
}

/* What an event can change by itself. */
static struct sight {
	struct kvf vfs[SIM_VFS];
	struct netns spaces[SIM_NS];
	unsigned port_state[SIM_PFS], running;
	int64_t now, wall;
	bool exists, serves, listens;
} before_event, after_event;

static void look(struct sight *s)
{
	int64_t wait;

	memcpy(s->vfs, vfs, sizeof(s->vfs));
	memcpy(s->spaces, spaces, sizeof(s->spaces));
	memcpy(s->port_state, port_state, sizeof(s->port_state));
	s->running = callers_running();
	s->now = when_now;
	s->wall = when_wall_offset;
	s->exists = engine_exists();
	s->serves = engine_serves();
	s->listens = s->exists && engine_listens(&wait);
}

/* Those that are not counted here only lay something out: they are counted where somebody
 * comes upon it. */
static bool has_happened(enum event_kind kind)
{
	const struct sight *was = &before_event, *is = &after_event;

	switch (kind) {
	case EVENT_ADD:
	case EVENT_LATE_ADD:
	case EVENT_DEL:
	case EVENT_LATE_DEL:
	case EVENT_STATUS:
	case EVENT_GC:
	case EVENT_IMPORT:
		return is->running > was->running;
	case EVENT_CALLER_KILLED:
		return is->running < was->running;
	case EVENT_ENGINE_KILLED:
		return was->exists && !is->exists;
	case EVENT_ENGINE_HANGS:
		return was->listens && !is->listens;
	case EVENT_GIVE_WAY:
		return was->serves && !is->serves;
	case EVENT_PASS:
	case EVENT_SUSPEND:
		return is->now > was->now;
	case EVENT_WALL_JUMP:
		return is->wall != was->wall;
	case EVENT_PORT:
		return memcmp(is->port_state, was->port_state, sizeof(is->port_state)) != 0;
	case EVENT_POD_NEW:
	case EVENT_POD_SAME_ID:
	case EVENT_NETNS_GONE:
	case EVENT_NAME_TAKEN:
	case EVENT_REBOOT:
		return memcmp(is->spaces, was->spaces, sizeof(is->spaces)) != 0;
	case EVENT_VF_VANISHES:
	case EVENT_VF_APPEARS:
	case EVENT_VF_ANEW:
	case EVENT_VF_UNBOUND:
	case EVENT_VF_REBOUND:
	case EVENT_OPERATOR_SETS:
	case EVENT_LINK_RENAMED:
	case EVENT_LINK_TAKEN:
	case EVENT_LINK_PUT:
	case EVENT_LINK_AWAY:
	case EVENT_LINK_BACK:
		return memcmp(is->vfs, was->vfs, sizeof(is->vfs)) != 0;
	default:
		return false;
	}
}

static void happens(const struct event *ev)
{
	struct rng r = { .state = ev->word };
	enum event_kind kind = (enum event_kind)ev->kind;
	struct call gc;

	switch (kind) {
	case EVENT_ADD:
	case EVENT_LATE_ADD:
		call(&r, CNI_ADD, kind == EVENT_LATE_ADD);
		return;
	case EVENT_DEL:
	case EVENT_LATE_DEL:
		call(&r, CNI_DEL, kind == EVENT_LATE_DEL);
		return;
	case EVENT_STATUS:
		call(&r, CNI_STATUS, false);
		return;
	case EVENT_GC:
		gc = collect_call(&r);
		caller_start(&gc);
		return;
	default:
		break;
	}
	fault_event(&r, kind);
	node_event(&r, kind);
	vf_event(&r, kind, some_vf(&r));
}

void world_event(const struct event *ev)
{
	look(&before_event);
	happens(ev);
	look(&after_event);
	if (has_happened((enum event_kind)ev->kind))
		cover_event((enum event_kind)ev->kind);
}

bool world_run(int64_t ns)
{
	int64_t until = when_now + ns, at;
	unsigned n = 0;

	while (when_next(&at) && at <= until) {
		when_run();
		promise_step();
		if (story_broken())
			return false;
		if (++n > MAX_EVENTS_AT_ONCE) {
			broken("P5", "the engine does not come to rest: it spins");
			return false;
		}
	}
	if (when_now < until)
		when_now = until;
	return true;
}

static bool until_rest(bool thorough)
{
	struct call status = { .verb = CNI_STATUS };

	for (int64_t t = 0; t < REST_WITHIN / SEC; t += 5) {
		if (!thorough && engine_serves() && promise_at_rest())
			return true;
		if (!engine_exists()) /* P5: without a service, at the next call */
			caller_start(&status);
		if (!world_run(t < 20 ? SEC : 5 * SEC))
			return false;
		t -= t < 20 ? 4 : 0;
	}
	return true;
}

/* P5: nothing hinders an ADD any more.  By a new pod, since what has happened to the others
 * may well refuse theirs. */
static bool takes_a_pod(unsigned vf)
{
	unsigned claim;

	pod_new(0, false);
	claim = claim_of(0, 0);
	if (claims[claim].asked) /* there are no more of them */
		return true;
	story("--- an ADD of vf%u, and its DEL ---", vf);
	caller_start(&(struct call){
		.verb = CNI_ADD, .claim = claim, .vf = vf, .netns = true, .ipam = true });
	while (callers_running())
		if (!world_run(SEC))
			return false;
	if (!claims[claim].added_start) {
		broken("P5", "an ADD of vf%u, which is free, fails and there is no fault",
		       vf);
		return false;
	}
	caller_start(&(struct call){ .verb = CNI_DEL, .claim = claim, .ipam = true });
	return until_rest(false);
}

static bool free_vfs_take_pods(void)
{
	unsigned n_known = 0;

	if (!world_run(PORTS_SEEN) || !until_rest(false)) /* without an event as well */
		return false;
	if (promise_excused() || !admin_uncordon_all())
		return true;
	for (unsigned i = 0; i < n_sim_vfs; i++)
		n_known += shadow.vf[i].have;
	if (shadow_n_leases() >= 4 * n_known) /* R15: their configurations are lost */
		return true;
	for (unsigned i = 0; i < n_sim_vfs; i++)
		if (shadow.vf[i].have && shadow.vf[i].rec.state == VF_FREE &&
		    vfs[i].present && vfs[i].bound && !takes_a_pod(i))
			return false;
	return true;
}

bool world_calm(bool thorough, bool again)
{
	story("--- no fault from here on ---");
	faults_end();
	disk_full(0, 0);
	workers_release();
	ipam_release();
	netns_death_takes = 0;
	nsid_events_lost = false;
	squatter[0] = '\0';
	engine_kill_never();
	for (unsigned i = 0; i < SIM_PFS; i++)
		port_state[i] = PORT_ACTIVE;
	if (!on_demand)
		engine_start_service();
	if (!until_rest(thorough))
		return false;
	promise_end();
	if (story_broken())
		return false;
	/* Everybody leaves. */
	promise_calm();
	story("--- every pod goes ---");
	peers_leave();
	for (unsigned i = 0; i < SIM_CLAIMS && claims[i].used; i++) {
		bool owns = ipam_held(i) > 0;

		for (unsigned k = 0; k < n_sim_vfs; k++)
			owns |= promise_owner(&vfs[k]) == i;
		if (owns)
			caller_start(&(struct call){
				.verb = CNI_DEL, .claim = i, .ipam = true });
	}
	for (unsigned i = 0; i < SIM_PODS; i++)
		netns_remove(pods[i].ns);
	if (!until_rest(false))
		return false;
	promise_end();
	if (story_broken() || (again && !free_vfs_take_pods()))
		return false;
	promise_end();
	return !story_broken();
}

void world_begin(const struct history *h)
{
	on_demand = !h->service;
	when_reset();
	when_seed(h->seed);
	workers_reset();
	engines_reset(h->sync_all);
	fds_reset();
	disk_reset();
	faults_reset();
	ipam_reset();
	spooler_reset();
	promises_reset(h->sync_all);
	admin_reset();
	collect_reset();
	peers_reset();
	kernel_reset(h->n_vfs, h->kinds);
	callers_reset();
	if (h->service)
		engine_start_service();
	world_run(20 * MS);
}

void world_end(void)
{
	engines_stop();
	workers_reset();
	fds_reset();
	spooler_reset();
}
