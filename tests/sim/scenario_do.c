/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of scenarios, as they happen to the simulated world. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "callers.h"
#include "disk.h"
#include "engines.h"
#include "faults.h"
#include "fsm/port.h"
#include "history.h"
#include "promises.h"
#include "scenario.h"
#include "shadow.h"
#include "spooler.h"
#include "story.h"
#include "when.h"
#include "workers.h"

#define SETTLES (20 * SEC)
#define UNTIL (60 * SEC)
#define TICK (20 * MS)

static unsigned held[SIM_PODS]; /* namespaces that somebody holds; 0: none */

/* eth: 0, ib: 1.  -1: no such PF. */
static int pf_of(const char *name)
{
	if (!strcmp(name, "eth") || !strcmp(name, "ib"))
		return !strcmp(name, "ib");
	scenario_bad("no such PF: %s", name);
	return -1;
}

/* One of two words: 0 or 1.  -1: another. */
static int either(const char *word, const char *a, const char *b)
{
	if (!strcmp(word, a) || !strcmp(word, b))
		return !strcmp(word, b);
	scenario_bad("want %s or %s: %s", a, b, word);
	return -1;
}

/* What fault_arm_card() calls a command of the card.  NULL: no such command. */
static const char *command_of(const char *name)
{
	static const struct {
		const char *name, *member;
	} commands[] = { { "node_guid", "node_guid" }, { "port_guid", "port_guid" },
			 { "state", "link_state" },    { "mac", "mac" },
			 { "vlan", "vlan" },	       { "spoofchk", "spoofchk" },
			 { "trust", "trust" },	       { "probe", "bind" } };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].member;
	scenario_bad("no such command of the card: %s", name);
	return NULL;
}

/* --- waiting --- */

static bool at_rest(void)
{
	if (callers_running() || spooler_entries())
		return false;
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		const struct shadow_vf *s = &shadow.vf[i];

		if (!s->have || s->rec.state == VF_RESERVED || s->rec.state == VF_DETACHING)
			return false;
	}
	for (unsigned i = 0; i < SHADOW_LEASES; i++)
		if (shadow.lease[i].have && (shadow.lease[i].rec.state == LEASE_ASKED ||
					     shadow.lease[i].rec.state == LEASE_OWED))
			return false;
	return true;
}

static void settle(const struct scenario_step *s)
{
	(void)s;
	for (int64_t t = 0; !at_rest(); t += TICK) {
		if (t >= SETTLES)
			scenario_print("not settled\n");
		if (t >= SETTLES || !world_run(TICK))
			return;
	}
}

static void until(const struct scenario_step *s)
{
	const struct kvf *v = scenario_vf(s->word[1]);

	for (int64_t t = 0; v; t += TICK) {
		const struct shadow_vf *r = shadow_of(v);

		if (r->have && !strcmp(vf_state_name(r->rec.state), s->word[2]))
			return;
		if (t >= UNTIL)
			scenario_print("%s is not %s\n", s->word[1], s->word[2]);
		if (t >= UNTIL || !world_run(TICK))
			return;
	}
}

static void home(const struct scenario_step *s)
{
	const struct kvf *v = scenario_vf(s->word[1]);

	for (int64_t t = 0; v && (!v->link.ifindex || v->link.ns != HOME); t += TICK) {
		if (t >= SETTLES)
			scenario_print("%s is not at home\n", s->word[1]);
		if (t >= SETTLES || !world_run(TICK))
			return;
	}
}

static void pass(const struct scenario_step *s)
{
	world_run(atoi(s->word[1]) * SEC);
}

static void begun(const struct scenario_step *s)
{
	if (pf_of(s->word[1]) < 0 || !command_of(s->word[2]))
		return;
	for (int64_t t = 0; !fault_card_met(); t += MS) {
		if (t >= UNTIL)
			scenario_print("the command is never met\n");
		if (t >= UNTIL || !world_run(MS))
			return;
	}
}

/* --- requests --- */

static void add_or_del(const struct scenario_step *s)
{
	scenario_call(s, 0, true);
}

static void start(const struct scenario_step *s)
{
	scenario_call(s, 1, false);
}

static void await(const struct scenario_step *s)
{
	(void)s;
	scenario_await();
}

/* The client that began first. */
static void kill_client(const struct scenario_step *s)
{
	(void)s;
	caller_kill_any(0);
}

static void plugin(const struct scenario_step *s)
{
	static const struct {
		const char *name;
		enum ipam_fail fail;
	} fails[] = { { "fails", IF_FAILS },
		      { "fails-late", IF_FAILS_LATE },
		      { "lies", IF_LIES } };
	int del = either(s->word[1], "add", "del");

	if (del < 0)
		return;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(fails); i++)
		if (!strcmp(s->word[2], fails[i].name)) {
			fault_arm_ipam(fails[i].fail, del);
			return;
		}
	scenario_bad("no such end of a plugin: %s", s->word[2]);
}

/* --- pods --- */

static void kill_netns(const struct scenario_step *s)
{
	int pod = scenario_pod(s->word[1]);

	if (pod >= 0)
		netns_remove(pods[pod].ns);
}

static void again(const struct scenario_step *s)
{
	int pod = scenario_pod(s->word[1]);

	if (pod >= 0)
		pod_new((unsigned)pod, true);
}

static void hold(const struct scenario_step *s)
{
	int pod = scenario_pod(s->word[1]);

	if (pod < 0 || held[pod])
		return;
	held[pod] = pods[pod].ns;
	kernel_pin(held[pod]);
}

static void let_go_of(int pod)
{
	if (pod >= 0 && held[pod]) {
		kernel_unpin(held[pod]);
		held[pod] = 0;
	}
}

static void let_go(const struct scenario_step *s)
{
	let_go_of(scenario_pod(s->word[1]));
}

static void taken(const struct scenario_step *s)
{
	int pod = scenario_pod(s->word[1]);

	if (pod >= 0)
		spaces[pods[pod].ns].taken_name = !strcmp(s->word[0], "taken");
}

static void squat(const struct scenario_step *s)
{
	const struct kvf *v = scenario_vf(s->word[1]);

	if (v)
		snprintf(squatter, sizeof(squatter), "%s",
			 scenario_own_name((unsigned)(v - vfs)));
}

static void unsquat(const struct scenario_step *s)
{
	(void)s;
	squatter[0] = '\0';
}

/* --- links and VFs, by whoever may --- */

static void engine_hears(const struct kvf *v)
{
	engines_vf_touched(v->addr);
}

/* The kernel does not do it. */
static void refused(const struct scenario_step *s)
{
	scenario_print("%s %s: refused\n", s->word[0], s->word[1]);
}

static void rename_link(const struct scenario_step *s)
{
	struct kvf *v = scenario_vf(s->word[1]);

	if (!v)
		return;
	if (!v->link.ifindex || link_rename(v, s->word[2])) {
		refused(s);
		return;
	}
	if (v->link.ns == HOME)
		v->meddled = true;
	engine_hears(v);
}

static void set_mtu(const struct scenario_step *s)
{
	struct kvf *v = scenario_vf(s->word[1]);

	if (!v || !v->link.ifindex)
		return;
	v->link.mtu_bytes = (uint32_t)atoi(s->word[2]);
	if (v->link.ns == HOME)
		v->meddled = true;
	engine_hears(v);
}

static void set_mac(const struct scenario_step *s)
{
	struct kvf *v = scenario_vf(s->word[1]);

	if (!v)
		return;
	if (v->link.hwaddr_len != 6 || v->link.up) { /* eth_prepare_mac_addr_change */
		refused(s);
		return;
	}
	memcpy(v->link.hwaddr, "\x02\0\0\0\xbe", 5);
	v->link.hwaddr[5] = (uint8_t)(s->word[2][0] - 'A' + 10);
	engine_hears(v);
}

static void up_down(const struct scenario_step *s)
{
	struct kvf *v = scenario_vf(s->word[1]);

	if (!v || !v->link.ifindex)
		return;
	v->link.up = !strcmp(s->word[0], "up");
	engine_hears(v);
}

/* From where it is into another namespace: home, or a pod. */
static void move_link(const struct scenario_step *s)
{
	struct kvf *v = scenario_vf(s->word[1]);
	int pod = strcmp(s->word[2], "home") != 0 ? scenario_pod(s->word[2]) : HOME;
	unsigned ns;

	if (!v || pod < 0 || !v->link.ifindex)
		return;
	ns = !strcmp(s->word[2], "home") ? HOME : pods[pod].ns;
	if (!link_name_free((int)ns, s->n > 3 ? s->word[3] : v->link.name, v)) {
		refused(s);
		return;
	}
	link_move(v, (int)ns);
	if (s->n > 3)
		link_rename(v, s->word[3]);
	v->moved_by_others = v->meddled = true;
	engine_hears(v);
}

static void unbind_vf(const struct scenario_step *s)
{
	struct kvf *v = scenario_vf(s->word[1]);

	if (!v)
		return;
	v->bound = false;
	link_gone(v);
	v->meddled = v->moved_by_others = true;
	engine_hears(v);
}

static void bind_vf(const struct scenario_step *s)
{
	struct kvf *v = scenario_vf(s->word[1]);

	if (!v)
		return;
	kernel_rebind(v);
	v->meddled = v->moved_by_others = true;
	engine_hears(v);
}

static void rebind_vf(const struct scenario_step *s)
{
	unbind_vf(s);
	bind_vf(s);
}

/* An operator, to the PF of a free VF: it is how the VF is from now on.  No event names the VF
 * (rtmsg_ifinfo: of the PF, and without what it holds for VFs). */
static void operator_sets(const struct scenario_step *s)
{
	struct kvf *v = scenario_vf(s->word[1]);
	const char *vlan = scenario_value(s, "vlan"), *guid = scenario_value(s, "guid");

	scenario_keys(s, 2, "guid= vlan=");
	if (!v)
		return;
	if (vlan)
		v->set.vlan = (uint16_t)atoi(vlan);
	if (guid)
		v->set.node_guid = v->set.port_guid = UINT64_C(0x020000000000ff00) |
						      (uint64_t)(guid[0] - 'A' + 10);
	v->meddled = true;
}

static void own(const struct scenario_step *s)
{
	const struct kvf *v = scenario_vf(s->word[1]);

	if (v)
		scenario_take_own((unsigned)(v - vfs));
}

static void numvfs(const struct scenario_step *s)
{
	int pf = pf_of(s->word[1]), there = either(s->word[2], "0", "2");

	if (pf < 0 || there < 0)
		return;
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		if (vfs[i].pf != (unsigned)pf)
			continue;
		if (!there) {
			unsigned claim = promise_owner(&vfs[i]);

			if (claim < SIM_CLAIMS)
				claims[claim].lost_vf = true;
			vf_vanish(&vfs[i]);
		} else {
			vf_appear(&vfs[i]);
		}
		engine_hears(&vfs[i]);
	}
}

/* --- the card --- */

/* fault PF COMMAND KIND [TIMES] */
static void fault(const struct scenario_step *s)
{
	static const struct {
		const char *name;
		enum card what;
		int sys;
	} kinds[] = { { "ignored", CARD_FORGETS, 0 },
		      { "slow", CARD_SLOW, 0 },
		      { "EIO", CARD_FAILS, EIO },
		      { "EBUSY", CARD_FAILS, EBUSY } };
	unsigned times = s->n > 4 ? (unsigned)atoi(s->word[4]) : 1;
	const char *member = command_of(s->word[2]);

	if (pf_of(s->word[1]) < 0 || !member)
		return;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(kinds); i++)
		if (!strcmp(s->word[3], kinds[i].name)) {
			fault_arm_card(member, kinds[i].what, kinds[i].sys, times);
			return;
		}
	scenario_bad("no such fault of the card: %s", s->word[3]);
}

static void no_faults(const struct scenario_step *s)
{
	(void)s;
	faults_end();
}

static void port(const struct scenario_step *s)
{
	int pf = pf_of(s->word[1]), down = either(s->word[2], "up", "down");

	if (pf < 0 || down < 0)
		return;
	port_state[pf] = down ? PORT_DOWN : PORT_ACTIVE;
	for (unsigned i = 0; i < n_sim_vfs; i++)
		if (vfs[i].pf == (unsigned)pf)
			engine_hears(&vfs[i]);
}

/* --- the engine and the node --- */

static void engine_back(void)
{
	for (int64_t t = 0; t < UNTIL && !engine_serves(); t += TICK)
		if (!world_run(TICK))
			return;
}

static void kill_engine(const struct scenario_step *s)
{
	bool service = engine_is_service();

	(void)s;
	engine_kill(0);
	if (service) /* systemd starts it again */
		engine_back();
}

static void lose_journal(const struct scenario_step *s)
{
	bool service = engine_is_service();

	(void)s;
	promise_rot();
	engine_kill(0);
	disk_reset();
	if (service)
		engine_back();
}

static void reboot(const struct scenario_step *s)
{
	struct rng r = { .state = 1 };

	(void)s;
	memset(held, 0, sizeof(held));
	world_boot(true, &r);
	for (unsigned i = 0; i < SIM_PODS; i++)
		pod_new(i, true);
	engine_back();
	for (unsigned i = 0; i < n_sim_vfs; i++)
		scenario_take_own(i);
}

static void release(const struct scenario_step *s)
{
	const struct kvf *v = scenario_vf(s->word[1]);

	if (!v)
		return;
	admin_release(v);
}

static void look(const struct scenario_step *s)
{
	(void)s;
	scenario_print("look\n");
	scenario_look();
}

/* Everybody goes, and what was broken is mended. */
static void leave(const struct scenario_step *s)
{
	faults_end();
	squatter[0] = '\0';
	for (unsigned i = 0; i < SIM_PFS; i++)
		port_state[i] = PORT_ACTIVE;
	for (int pod = 0; pod < SIM_PODS; pod++) {
		let_go_of(pod);
		netns_remove(pods[pod].ns);
	}
	scenario_leave();
	settle(s);
	scenario_print("end\n");
	scenario_look();
}

static const struct {
	const char *name;
	unsigned words;
	void (*run)(const struct scenario_step *s);
} steps[] = {
	{ "add", 3, add_or_del },
	{ "del", 3, add_or_del },
	{ "start", 4, start },
	{ "await", 1, await },
	{ "kill-client", 1, kill_client },
	{ "plugin", 3, plugin },
	{ "kill-netns", 2, kill_netns },
	{ "again", 2, again },
	{ "hold", 2, hold },
	{ "let-go", 2, let_go },
	{ "taken", 2, taken },
	{ "untaken", 2, taken },
	{ "squat", 2, squat },
	{ "unsquat", 1, unsquat },
	{ "rename", 3, rename_link },
	{ "mtu", 3, set_mtu },
	{ "mac", 3, set_mac },
	{ "up", 2, up_down },
	{ "down", 2, up_down },
	{ "move", 3, move_link },
	{ "unbind", 2, unbind_vf },
	{ "bind", 2, bind_vf },
	{ "rebind", 2, rebind_vf },
	{ "operator", 3, operator_sets },
	{ "own", 2, own },
	{ "numvfs", 3, numvfs },
	{ "fault", 4, fault },
	{ "no-faults", 1, no_faults },
	{ "port", 3, port },
	{ "begun", 3, begun },
	{ "kill-engine", 1, kill_engine },
	{ "lose-journal", 1, lose_journal },
	{ "reboot", 1, reboot },
	{ "release", 2, release },
	{ "pass", 2, pass },
	{ "settle", 1, settle },
	{ "until", 3, until },
	{ "home", 2, home },
	{ "look", 1, look },
	{ "leave", 1, leave },
};

bool scenario_do(const struct scenario_step *s)
{
	for (size_t i = 0; i < VFK_ARRAY_SIZE(steps); i++)
		if (!strcmp(s->word[0], steps[i].name) && s->n >= steps[i].words) {
			steps[i].run(s);
			return true;
		}
	return false;
}
