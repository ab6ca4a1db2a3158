/* SPDX-License-Identifier: Apache-2.0 */
/* From the kernel's messages to what the engine does about them. */
#include "engine_world.h"

#include <linux/devlink.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "drivers/link.h"
#include "engine/events.h"
#include "engine/view.h"

/* A world whose first round over all VFs is done. */
static struct ew *quiet(unsigned n_vfs)
{
	struct ew *w = ew_new(n_vfs);

	ew_pass(w, NS_PER_S);
	return w;
}

static void attach(struct ew *w, const char *container)
{
	EW_OK(EW_ADD(w, .container = container));
}

static struct link link_of(unsigned vf)
{
	struct link link = { .ifindex = 101 + vf, .parent_bus = "pci" };

	pci_format(EW_VF(vf), link.parent_dev);
	snprintf(link.ifname, sizeof(link.ifname), "vf%u", vf);
	return link;
}

static void pass_hints(struct ew *w)
{
	ew_pass(w, 100 * NS_PER_MS);
}

/* How many jobs an action leads to. */
static unsigned n_jobs_since;
static void count_from(const struct ew *w)
{
	n_jobs_since = w->n_jobs_ever;
}
static unsigned counted(const struct ew *w)
{
	return w->n_jobs_ever - n_jobs_since;
}

static void own_doing_is_no_news(void)
{
	struct ew *w = quiet(1);
	struct link link = link_of(0);

	count_from(w);
	engine_link_event(w->e, &link, LINK_HERE, false);
	pass_hints(w);
	SUITE_INT(counted(w), 0);
	attach(w, "c1");
	count_from(w);
	link.ifindex = 200;
	engine_link_event(w->e, &link, 5, false); /* it is in the pod */
	engine_link_event(w->e, &link, LINK_HERE, true);
	pass_hints(w);
	SUITE_INT(counted(w), 0);
	engine_link_event(w->e, &link, 5, true); /* it has left it */
	pass_hints(w);
	SUITE_INT(counted(w), 1);
	ew_free(w);
}

static void another_name_is_looked_at(void)
{
	struct ew *w = quiet(1);
	struct link link = link_of(0);

	snprintf(link.ifname, sizeof(link.ifname), "other");
	count_from(w);
	engine_link_event(w->e, &link, LINK_HERE, false);
	CU_ASSERT_FALSE(ew_vf(w, 0)->verified); /* an ADD would look first */
	pass_hints(w);
	SUITE_INT(counted(w), 1);
	CU_ASSERT_TRUE(ew_vf(w, 0)->verified);
	ew_free(w);
}

static void a_storm_is_few_looks(void)
{
	struct ew *w = quiet(4);

	count_from(w);
	for (unsigned i = 0; i < 600; i++) {
		struct link link = link_of(i % 4);

		link.mtu_bytes = 1000 + i;
		snprintf(link.ifname, sizeof(link.ifname), "x%u", i);
		engine_link_event(w->e, &link, LINK_HERE, false);
		engine_turn(w->e);
	}
	pass_hints(w);
	SUITE_INT(counted(w), 4);
	ew_free(w);
}

static void many_devices_are_one_discovery(void)
{
	struct ew *w = quiet(2);
	unsigned before = w->n_discovered;

	for (unsigned i = 0; i < 600; i++) {
		engine_device_event(w->e, EW_PF + 100 + i, DEVICE_CAME, "");
		engine_turn(w->e);
	}
	ew_pass(w, NS_PER_S);
	SUITE_INT(w->n_discovered - before, 1);
	ew_free(w);
}

static void a_function_that_goes_is_absent(void)
{
	struct ew *w = quiet(2);

	attach(w, "c1");
	w->gone_vf = 1;
	engine_device_event(w->e, EW_VF(0), DEVICE_WENT, "");
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "ABSENT");
	w->gone_vf = 0;
	w->incarnation++;
	engine_device_event(w->e, EW_VF(0), DEVICE_CAME, "");
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void a_new_link_gets_its_name(void)
{
	struct ew *w = quiet(1);
	struct vf *vf = ew_vf(w, 0);
	struct vf_baseline seen = vf->rec.baseline;

	/* Another name of the same link is an operator's. */
	snprintf(seen.ifname, sizeof(seen.ifname), "ib9");
	tidy_index(vf, vf->rec.ifindex);
	CU_ASSERT_FALSE(tidy_begin(w->e, vf, &seen));
	/* A new link has it by chance. */
	tidy_index(vf, 300);
	CU_ASSERT_TRUE(tidy_begin(w->e, vf, &seen));
	SUITE_STR(ew_state(w, 0), "DETACHING");
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(vf->rec.baseline.ifname, "vf0");
	SUITE_INT(vf->rec.ifindex, 300);
	/* One that has kept its name is left alone. */
	tidy_index(vf, 301);
	seen = vf->rec.baseline;
	CU_ASSERT_FALSE(tidy_begin(w->e, vf, &seen));
	ew_free(w);
}

static const char *port(const struct ew *w)
{
	return port_state_name(node_pf(w->e->node, EW_PF)->ports[0]);
}

static void a_dead_device_takes_no_add(void)
{
	struct ew *w = quiet(1);
	struct ew_client *c;

	SUITE_STR(port(w), "ACTIVE");
	w->port = PORT_DOWN;
	ew_pass(w, NS_PER_S);
	engine_port_event(w->e, EW_PF, 0, PORT_EV_DEVICE_FATAL);
	SUITE_STR(port(w), "FATAL");
	c = EW_ADD(w, .container = "c1");
	SUITE_INT(c->exit_code != 0, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(c->text, "is in state FATAL"));
	ew_pass(w, 3 * NS_PER_S); /* it is asked, and down */
	SUITE_STR(port(w), "FATAL");
	w->port = 0;
	ew_pass(w, 3 * NS_PER_S); /* asked again, and up */
	SUITE_STR(port(w), "ACTIVE");
	attach(w, "c1");
	SUITE_INT(w->e->n_port_failures, 1);
	ew_free(w);
}

static void a_pf_that_recovers_frees_its_vfs(void)
{
	struct ew *w = quiet(1);

	attach(w, "c1");
	w->fail_steps = STEP_BIT(LINK_HOME);
	w->fail_kind = VFK_E_KERNEL;
	EW_DEL(w, .container = "c1");
	for (unsigned i = 0; i < 600 && strcmp(ew_state(w, 0), "FAULTED") != 0; i++)
		ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	w->fail_steps = 0;
	engine_port_event(w->e, EW_PF, 1, PORT_EV_DEVICE_FATAL);
	engine_port_event(w->e, EW_PF, 1, PORT_EV_DEVICE_RECOVERED);
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void old_news_of_a_port(void)
{
	struct ew *w = quiet(1);

	ew_pass(w, NS_PER_S);
	w->hold_jobs = true;
	discover_start(w->e); /* it has seen the port ACTIVE */
	engine_turn(w->e);
	w->now_ns += NS_PER_MS;
	engine_port_event(w->e, EW_PF, 1, PORT_EV_LINK_DOWN);
	w->hold_jobs = false;
	w->port = PORT_DOWN;
	ew_settle(w);
	SUITE_STR(port(w), "DOWN");
	ew_free(w);
}

static void an_overrun_looks_at_everything(void)
{
	struct ew *w = quiet(3);
	unsigned before = w->n_discovered;

	attach(w, "c1");
	count_from(w);
	for (unsigned i = 0; i < 50; i++)
		engine_resync(w->e);
	ew_pass(w, NS_PER_S);
	SUITE_INT(w->n_discovered - before, 1);
	SUITE_INT(counted(w), 3 + 1 + 1); /* VFs, ports, discovery */
	ew_free(w);
}

static char *metrics(struct ew *w, const struct event_count *counts)
{
	struct view_status facts = { .events = counts };
	struct strbuf out = { 0 };

	engine_metrics(w->e, &facts, &out);
	return strbuf_steal(&out);
}

static bool has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void events_are_counted(void)
{
	static const char *const lines[] = {
		"vfkeeper_event_source_open{source=\"link\"} 1",
		"vfkeeper_event_source_open{source=\"verbs\"} 0",
		"vfkeeper_event_source_events_total{source=\"link\"} 601",
		"vfkeeper_event_source_overruns_total{source=\"link\"} 2",
		"vfkeeper_event_source_overruns_total{source=\"nsid\"} 0",
		"vfkeeper_hints_total 601",
		"vfkeeper_hints_coalesced_total 600",
		"vfkeeper_port_transitions_total{pf=\"0000:3b:00.0\",state=\"DOWN\"} 1",
		"vfkeeper_port_transitions_total{pf=\"0000:3b:00.0\",state=\"ACTIVE\"} 2",
		"vfkeeper_port_transitions_total{pf=\"0000:3b:00.0\",state=\"FATAL\"} 0",
	};
	const struct event_count counts[N_EVENT_SOURCES] = {
		[EVENTS_LINK] = { .n = 601, .n_overruns = 2, .open = true }
	};
	struct ew *w = quiet(2);
	char *text;

	for (unsigned i = 0; i <= 600; i++)
		engine_vf_touched(w->e, EW_VF(1));
	engine_port_event(w->e, EW_PF, 1, PORT_EV_LINK_DOWN);
	engine_port_event(w->e, EW_PF, 1, PORT_EV_LINK_DOWN);
	engine_port_event(w->e, EW_PF, 1, PORT_EV_LINK_ACTIVE);
	text = metrics(w, counts);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(lines); i++)
		if (!has_line(text, lines[i]))
			SUITE_STR("missing", lines[i]);
	free(text);
	/* An engine on demand listens to none. */
	text = metrics(w, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_PTR_NULL(strstr(text, "{source="));
	free(text);
	ew_free(w);
}

/* --- messages --- */

static struct nl_msg *message(int type, const void *head, size_t len)
{
	return vnl_msg_new(type, 0, head, len);
}

static void route(struct events *ev, int nsid, struct nl_msg *m)
{
	events_route(ev, nsid, nlmsg_hdr(m));
	nlmsg_free(m);
}

static struct nl_msg *link_message(int type, unsigned vf, const char *name)
{
	struct ifinfomsg ifi = { .ifi_index = 101 + (int)vf, .ifi_flags = IFF_UP };
	struct nl_msg *m = message(type, &ifi, sizeof(ifi));
	struct link link = link_of(vf);

	nla_put_string(m, IFLA_IFNAME, name);
	nla_put_string(m, 56, link.parent_dev);
	nla_put_string(m, 57, link.parent_bus);
	return m;
}

static void route_messages(void)
{
	struct ew *w = quiet(2);
	struct events *ev = events_new(w->e);
	struct rtgenmsg head = { 0 };
	struct nl_msg *m;

	attach(w, "c1");
	count_from(w);
	m = message(RTM_DELNSID, &head, sizeof(head));
	nla_put_u32(m, NETNSA_NSID, 5);
	route(ev, 3, m); /* what namespace 3 calls 5 */
	SUITE_INT(counted(w), 0);
	m = message(RTM_DELNSID, &head, sizeof(head));
	route(ev, VNL_OWN_NSID, m); /* of none */
	route(ev, VNL_OWN_NSID, link_message(RTM_NEWLINK, 1, "vf1"));
	pass_hints(w);
	SUITE_INT(counted(w), 0);
	route(ev, VNL_OWN_NSID, link_message(RTM_NEWLINK, 1, "vf1a"));
	route(ev, VNL_OWN_NSID, link_message(RTM_DELLINK, 1, "vf1"));
	pass_hints(w);
	SUITE_INT(counted(w), 1);
	ew_tell(w, WHERE_UNKNOWN, false);
	m = message(RTM_DELNSID, &head, sizeof(head));
	nla_put_u32(m, NETNSA_NSID, 5);
	route(ev, VNL_OWN_NSID, m);
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_INT(events_counts(ev)[EVENTS_LINK].n, 3);
	SUITE_INT(events_counts(ev)[EVENTS_NSID].n, 1);
	events_free(ev);
	ew_free(w);
}

static void devlink(struct events *ev, const char *dev, const char *reporter, uint8_t state)
{
	const struct genlmsghdr head = { .cmd = DEVLINK_CMD_HEALTH_REPORTER_RECOVER };
	struct nl_msg *m = message(0, &head, sizeof(head));
	struct nlattr *health;

	nla_put_string(m, DEVLINK_ATTR_BUS_NAME, "pci");
	nla_put_string(m, DEVLINK_ATTR_DEV_NAME, dev);
	health = nla_nest_start(m, DEVLINK_ATTR_HEALTH_REPORTER);
	nla_put_string(m, DEVLINK_ATTR_HEALTH_REPORTER_NAME, reporter);
	nla_put_u8(m, DEVLINK_ATTR_HEALTH_REPORTER_STATE, state);
	nla_nest_end(m, health);
	events_devlink(ev, nlmsg_hdr(m));
	nlmsg_free(m);
}

static void devlink_messages(void)
{
	struct ew *w = quiet(1);
	struct events *ev = events_new(w->e);

	ew_pass(w, NS_PER_S);
	devlink(ev, "0000:3b:00.0", "tx", 1);
	SUITE_STR(port(w), "ACTIVE");
	devlink(ev, "0000:3c:00.0", "fw_fatal", 1);
	SUITE_STR(port(w), "ACTIVE");
	devlink(ev, "0000:3b:00.0-and-a-name-that-is-too-long", "fw_fatal", 1);
	SUITE_STR(port(w), "ACTIVE");
	devlink(ev, "0000:3b:00.0", "fw_fatal", 1);
	SUITE_STR(port(w), "FATAL");
	devlink(ev, "0000:3b:00.0", "fw_fatal", 0);
	ew_pass(w, NS_PER_S);
	SUITE_STR(port(w), "ACTIVE");
	events_free(ev);
	ew_free(w);
}

static void rdma(struct events *ev, const char *name, uint8_t what)
{
	uint32_t index = 3;
	struct nl_msg *m = message(5 << 10 | 28, "", 0);

	nla_put_u32(m, 1, index);
	nla_put_string(m, 2, name);
	nla_put_u8(m, 102, what);
	events_rdma(ev, nlmsg_hdr(m));
	nlmsg_free(m);
}

static void rdma_messages(void)
{
	struct ew *w = quiet(2);
	struct events *ev = events_new(w->e);

	snprintf(ew_vf(w, 1)->rec.baseline.rdma_dev, 8, "mlx5_4");
	count_from(w);
	rdma(ev, "mlx5_4", 0); /* REGISTER: as it should be */
	rdma(ev, "mlx5_9", 1);
	rdma(ev, "mlx5_4", 2); /* of a link */
	pass_hints(w);
	SUITE_INT(counted(w), 0);
	rdma(ev, "mlx5_4", 1); /* UNREGISTER */
	pass_hints(w);
	SUITE_INT(counted(w), 1);
	events_free(ev);
	ew_free(w);
}

static void device_messages(void)
{
	struct ew *w = quiet(1);
	struct events *ev = events_new(w->e);
	struct uevent ue = { "add", "/d", "net", "vf0", "", "", "", 101, EW_VF(0) };

	ew_pass(w, NS_PER_S);
	count_from(w);
	events_device(ev, &ue, false);
	pass_hints(w);
	SUITE_INT(counted(w), 0);
	ue.interface = "renamed";
	events_device(ev, &ue, true);
	pass_hints(w);
	SUITE_INT(counted(w), 1);
	ue = (struct uevent){ "change",		"/d", "pci", "", "", "20700",
			      "BEGIN_RECOVERY", 0,    EW_PF };
	w->port = PORT_DOWN;
	events_device(ev, &ue, false);
	SUITE_STR(port(w), "FATAL");
	ue.error = "SUCCESSFUL_RECOVERY";
	events_device(ev, &ue, false);
	SUITE_STR(port(w), "UNKNOWN");
	ew_pass(w, NS_PER_S);
	SUITE_STR(port(w), "DOWN");
	count_from(w);
	ue = (struct uevent){ "add", "/d", "pci", "", "", "10802", "", 0, EW_PF + 77 };
	events_device(ev, &ue, false); /* a disk */
	ew_pass(w, NS_PER_S);
	SUITE_INT(counted(w), 0);
	events_free(ev);
	ew_free(w);
}

VFK_SUITE(events, { "what a step of ours did is no news", own_doing_is_no_news },
	  { "another name of a free VF's link is looked at", another_name_is_looked_at },
	  { "600 events of four links are four looks", a_storm_is_few_looks },
	  { "600 devices that come are one discovery", many_devices_are_one_discovery },
	  { "a function that goes and comes", a_function_that_goes_is_absent },
	  { "a link that was made anew gets its own name", a_new_link_gets_its_name },
	  { "a device that failed takes no ADD until it works", a_dead_device_takes_no_add },
	  { "a PF that recovers frees its VFs", a_pf_that_recovers_frees_its_vfs },
	  { "a look that is older than an event of a port", old_news_of_a_port },
	  { "an overrun is one look at everything", an_overrun_looks_at_everything },
	  { "events, hints and transitions of ports are counted", events_are_counted },
	  { "messages of rtnetlink", route_messages },
	  { "messages of devlink", devlink_messages },
	  { "messages about RDMA devices", rdma_messages },
	  { "device events", device_messages })
