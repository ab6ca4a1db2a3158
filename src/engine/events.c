/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/devlink.h>
#include <linux/genetlink.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "base/log.h"
#include "drivers/devlink.h"
#include "drivers/link.h"
#include "engine/port_watch.h"

/* In a turn of the loop, so that a storm does not keep clients waiting; and before a job's
 * end, where nothing must be left. */
#define READ_MAX 64
#define DRAIN_MAX 4096

/* Of Linux 6.12's rdma_netlink.h; numbers are for ever. */
#define RDMA_GROUP_NOTIFY 4
#define RDMA_MONITOR (5 << 10 | 28)
#define RDMA_ATTR_NAME 2
#define RDMA_ATTR_EVENT 102
#define RDMA_REGISTER 0
#define RDMA_UNREGISTER 1

struct events {
	struct engine *engine;
	struct vnl_events *route, *rdma, *devlink;
	struct uevents *kernel, *udev;
	struct loop_fd *watches[6];
	struct loop_fd *port_watch; /* one of them; NULL: none */
	int ports;
	struct drv_env env;
	int64_t listened_ns; /* the discovery whose PFs were */
	unsigned n_watches;
	uint16_t devlink_type; /* of its messages */
	struct event_count counts[N_EVENT_SOURCES];
};

const char *event_source_name(unsigned source)
{
	switch ((enum event_source)source) {
#define X(name, word)                                                                    \
	case EVENTS_##name:                                                              \
		return word;
		EVENT_SOURCES(X)
#undef X
	case N_EVENT_SOURCES:
		break;
	}
	return "?";
}

/* 'why_not' NULL: it is. */
static void set_open(struct events *ev, unsigned source, const char *why_not)
{
	struct event_count *count = &ev->counts[source];

	count->open = !why_not;
	snprintf(count->why, sizeof(count->why), "%s", why_not ? why_not : "");
}

/* --- what they say ------------------------------------------------------------------ */

static struct nlattr *attr(const struct nlmsghdr *msg, int head, int type, int len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)msg;
	struct nlattr *a = nlmsg_valid_hdr(h, head) ? nlmsg_find_attr(h, head, type) : NULL;

	return a && nla_len(a) >= len ? a : NULL;
}

/* Into 'out'; "" where there is none or it is no text of that length. */
static void text_of(struct nlattr *a, char *out, size_t cap)
{
	out[0] = '\0';
	if (a && (size_t)nla_len(a) <= cap)
		nla_strlcpy(out, a, cap);
}

void events_route(struct events *ev, int nsid, const struct nlmsghdr *msg)
{
	const int head = sizeof(struct rtgenmsg);
	struct nlattr *a;
	struct link link;
	bool gone;

	if (link_parse_event(msg, &link, &gone)) {
		ev->counts[EVENTS_LINK].n++;
		engine_link_event(ev->engine, &link,
				  nsid == VNL_OWN_NSID ? LINK_HERE : nsid, gone);
		return;
	}
	/* The numbers of another namespace name others. */
	if (nsid != VNL_OWN_NSID || msg->nlmsg_type != RTM_DELNSID)
		return;
	a = attr(msg, head, NETNSA_NSID, sizeof(int32_t));
	if (!a)
		return;
	ev->counts[EVENTS_NSID].n++;
	engine_nsid_gone(ev->engine, (int32_t)nla_get_u32(a));
}

void events_rdma(struct events *ev, const struct nlmsghdr *msg)
{
	struct nlattr *what = attr(msg, 0, RDMA_ATTR_EVENT, 1);
	char name[64];

	if (msg->nlmsg_type != RDMA_MONITOR || !what)
		return;
	ev->counts[EVENTS_RDMA].n++;
	text_of(attr(msg, 0, RDMA_ATTR_NAME, 1), name, sizeof(name));
	if (nla_get_u8(what) == RDMA_REGISTER || nla_get_u8(what) == RDMA_UNREGISTER)
		engine_rdma_event(ev->engine, name, nla_get_u8(what) == RDMA_UNREGISTER);
}

/* A reporter of the device's firmware says that the device is dead; others tell of queues. */
void events_devlink(struct events *ev, const struct nlmsghdr *msg)
{
	const int head = GENL_HDRLEN;
	struct nlattr *health, *state = NULL, *part;
	char bus[8], dev[PCI_STRLEN], reporter[32] = "";
	pci_addr_t addr;
	int left;

	if (msg->nlmsg_type != ev->devlink_type)
		return;
	health = attr(msg, head, DEVLINK_ATTR_HEALTH_REPORTER, 1);
	if (!health)
		return;
	ev->counts[EVENTS_DEVLINK].n++;
	text_of(attr(msg, head, DEVLINK_ATTR_BUS_NAME, 1), bus, sizeof(bus));
	text_of(attr(msg, head, DEVLINK_ATTR_DEV_NAME, 1), dev, sizeof(dev));
	nla_for_each_nested(part, health, left)
	{
		if (nla_type(part) == DEVLINK_ATTR_HEALTH_REPORTER_NAME)
			text_of(part, reporter, sizeof(reporter));
		else if (nla_type(part) == DEVLINK_ATTR_HEALTH_REPORTER_STATE &&
			 nla_len(part) >= 1)
			state = part;
	}
	if (!state || strcmp(bus, "pci") != 0 || !pci_parse(dev, &addr))
		return;
	if (strcmp(reporter, "fw_fatal") == 0)
		engine_port_event(ev->engine, addr, 0,
				  nla_get_u8(state) ? PORT_EV_DEVICE_FATAL :
						      PORT_EV_DEVICE_RECOVERED);
	engine_device_event(ev->engine, addr, DEVICE_CHANGED, "");
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void of_pci(struct events *ev, const struct uevent *ue)
{
	enum device_event what = DEVICE_CHANGED;

	/* Network and InfiniBand controllers (class 02): the bus has many other things. */
	if (ue->class[0] && strncmp(ue->class, "20", 2) != 0)
		return;
	if (is(ue->error, "BEGIN_RECOVERY") || is(ue->error, "FAILED_RECOVERY"))
		engine_port_event(ev->engine, ue->pci, 0, PORT_EV_DEVICE_FATAL);
	else if (is(ue->error, "SUCCESSFUL_RECOVERY"))
		engine_port_event(ev->engine, ue->pci, 0, PORT_EV_DEVICE_RECOVERED);
	if (is(ue->action, "add"))
		what = DEVICE_CAME;
	else if (is(ue->action, "remove"))
		what = DEVICE_WENT;
	else if (!is(ue->action, "bind") && !is(ue->action, "unbind") &&
		 !is(ue->action, "change"))
		return;
	engine_device_event(ev->engine, ue->pci, what, "");
}

static void listen_to(struct events *ev, pci_addr_t pf)
{
	struct port_request rq = { .pf = pf, .env = ev->env };

	/* Where there is no room, the next discovery asks again. */
	if (send(ev->ports, &rq, sizeof(rq), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		ev->listened_ns = 0;
}

void events_device(struct events *ev, const struct uevent *ue, bool from_udev)
{
	bool gone = is(ue->action, "remove");

	ev->counts[from_udev ? EVENTS_UDEV : EVENTS_UEVENT].n++;
	if (ue->pci == PCI_NONE)
		return;
	if (is(ue->subsystem, "pci"))
		of_pci(ev, ue);
	else if (is(ue->subsystem, "net") &&
		 (gone || is(ue->action, "add") || is(ue->action, "move") || from_udev))
		engine_device_event(ev->engine, ue->pci, DEVICE_LINK,
				    gone ? "" : ue->interface);
	else if (is(ue->subsystem, "infiniband"))
		engine_device_event(ev->engine, ue->pci, DEVICE_RDMA, gone ? "" : ue->name);
	/* A PF's device that came anew is listened to at once. */
	if (!from_udev && !gone && ev->port_watch && is(ue->subsystem, "infiniband_verbs") &&
	    node_pf(engine_node(ev->engine), ue->pci))
		listen_to(ev, ue->pci);
}

/* --- reading ------------------------------------------------------------------------ */

static void on_route(void *arg, int nsid, const struct nlmsghdr *msg)
{
	events_route(arg, nsid, msg);
}

static void on_rdma(void *arg, int nsid, const struct nlmsghdr *msg)
{
	(void)nsid;
	events_rdma(arg, msg);
}

static void on_devlink(void *arg, int nsid, const struct nlmsghdr *msg)
{
	(void)nsid;
	events_devlink(arg, msg);
}

static void on_kernel(void *arg, const struct uevent *ue)
{
	events_device(arg, ue, false);
}

static void on_udev(void *arg, const struct uevent *ue)
{
	events_device(arg, ue, true);
}

/* After an overrun the kernel drops everything until all is read: the rest of it is read on,
 * and then everything is looked at. */
static void lost(struct events *ev, enum event_source source, const struct vfk_err *err)
{
	struct event_count *count = &ev->counts[source];

	if (err->sys != ENOBUFS) {
		log_warn("events", "%s: %s", event_source_name(source), err->msg);
		return;
	}
	/* Told when it begins, and then whenever there were ten times as many. */
	count->n_overruns++;
	for (uint64_t n = count->n_overruns; n % 10 == 0 || n == 1; n /= 10)
		if (n == 1) {
			log_warn("events",
				 "%s: events were lost (%llu times by now): everything "
				 "is looked at again",
				 event_source_name(source),
				 (unsigned long long)count->n_overruns);
			break;
		}
	engine_resync(ev->engine);
}

static void read_nl(struct events *ev, struct vnl_events *nl, enum event_source source,
		    vnl_event_fn fn, unsigned max)
{
	struct vfk_err err = { 0 };

	if (nl && vnl_events_read(nl, max, fn, ev, &err) < 0)
		lost(ev, source, &err);
}

static void read_ue(struct events *ev, struct uevents *u, enum event_source source,
		    uevent_fn fn, unsigned max)
{
	struct vfk_err err = { 0 };

	if (u && uevents_read(u, max, fn, ev, &err) < 0)
		lost(ev, source, &err);
}

static void read_all(struct events *ev, unsigned max)
{
	read_nl(ev, ev->route, EVENTS_LINK, on_route, max);
	read_ue(ev, ev->kernel, EVENTS_UEVENT, on_kernel, max);
	read_ue(ev, ev->udev, EVENTS_UDEV, on_udev, max);
	read_nl(ev, ev->rdma, EVENTS_RDMA, on_rdma, max);
	read_nl(ev, ev->devlink, EVENTS_DEVLINK, on_devlink, max);
}

void events_drain(struct events *ev)
{
	if (ev)
		read_all(ev, DRAIN_MAX);
}

static void on_ready(void *arg, int fd, unsigned events)
{
	(void)fd, (void)events;
	read_all(arg, READ_MAX);
}

/* --- ports --- */

void events_turn(struct events *ev)
{
	const struct node *node;

	if (!ev || !ev->port_watch || engine_discovered_ns(ev->engine) == ev->listened_ns)
		return;
	ev->listened_ns = engine_discovered_ns(ev->engine);
	node = engine_node(ev->engine);
	for (size_t i = 0; i < node->n_pfs; i++)
		listen_to(ev, node->pfs[i].addr);
}

static void on_port(void *arg, int fd, unsigned events)
{
	struct events *ev = arg;
	struct port_message msg;

	(void)events;
	for (unsigned i = 0; i < READ_MAX; i++) {
		ssize_t n = recv(fd, &msg, sizeof(msg), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n != (ssize_t)sizeof(msg)) {
			log_warn("events", "the process that listens to ports ended: they "
					   "are asked from time to time");
			set_open(ev, EVENTS_VERBS, "the process that listened ended");
			for (unsigned w = 0; w < ev->n_watches; w++)
				if (ev->watches[w] == ev->port_watch)
					ev->watches[w] = ev->watches[--ev->n_watches];
			loop_fd_free(VFK_STEAL(ev->port_watch));
			return;
		}
		ev->counts[EVENTS_VERBS].n++;
		if (msg.fatal)
			engine_port_event(ev->engine, msg.pf, 0, PORT_EV_DEVICE_FATAL);
		engine_device_event(ev->engine, msg.pf, DEVICE_RDMA, "");
	}
}

/* --- opening ------------------------------------------------------------------------ */

static bool opened(struct events *ev, unsigned sources, int rc, const struct vfk_err *err)
{
	for (unsigned i = 0; i < N_EVENT_SOURCES; i++) {
		if (!(sources & 1u << i))
			continue;
		set_open(ev, i, rc < 0 ? err->msg : NULL);
		if (rc < 0)
			log_warn("events",
				 "%s: %s; only the rounds of reconciliation find what "
				 "it would tell",
				 event_source_name(i), err->msg);
	}
	return rc >= 0;
}

static void open_route(struct events *ev, unsigned wanted)
{
	unsigned sources = wanted & (1u << EVENTS_LINK | 1u << EVENTS_NSID);
	unsigned groups[2], n = 0;
	struct vfk_err err = { 0 };
	int rc;

	if (wanted & 1u << EVENTS_LINK)
		groups[n++] = RTNLGRP_LINK;
	if (wanted & 1u << EVENTS_NSID)
		groups[n++] = RTNLGRP_NSID;
	if (!n)
		return;
	rc = vnl_subscribe(&ev->route, NETLINK_ROUTE, groups, n,
			   wanted & 1u << EVENTS_LINK, &err);
	if (rc == -VFK_E_SYS && err.sys == EPERM && wanted & 1u << EVENTS_LINK) {
		/* CAP_NET_BROADCAST is another than CAP_NET_ADMIN. */
		log_warn("events", "link: not of other namespaces: %s", err.msg);
		err = (struct vfk_err){ 0 };
		rc = vnl_subscribe(&ev->route, NETLINK_ROUTE, groups, n, false, &err);
	}
	opened(ev, sources, rc, &err);
}

static void open_uevents(struct events *ev, unsigned wanted)
{
	struct vfk_err err = { 0 };

	if (wanted & 1u << EVENTS_UEVENT)
		opened(ev, 1u << EVENTS_UEVENT,
		       uevents_open(&ev->kernel, UEVENT_KERNEL, &err), &err);
	if (wanted & 1u << EVENTS_UDEV)
		opened(ev, 1u << EVENTS_UDEV, uevents_open(&ev->udev, UEVENT_UDEV, &err),
		       &err);
}

/* A kernel without them has the group, or has not, and is silent: nothing to warn of. */
static void open_rdma(struct events *ev, unsigned wanted)
{
	static const unsigned group[] = { RDMA_GROUP_NOTIFY };
	struct vfk_err err = { 0 };
	int rc;

	if (!(wanted & 1u << EVENTS_RDMA))
		return;
	rc = vnl_subscribe(&ev->rdma, NETLINK_RDMA, group, 1, false, &err);
	set_open(ev, EVENTS_RDMA,
		 rc == 0 ? NULL :
		 err.sys == EPROTONOSUPPORT ?
			   "ib_core was not loaded when the engine began" :
			   err.msg);
}

static void open_devlink(struct events *ev, unsigned wanted)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct devlink_family family = { 0 };
	struct vfk_err err = { 0 };
	int rc;

	if (!(wanted & 1u << EVENTS_DEVLINK))
		return;
	rc = vnl_open(&nl, NETLINK_GENERIC, -1, &err);
	if (rc >= 0)
		rc = devlink_family(nl, &family, &err);
	if (rc == -VFK_E_KERNEL && err.sys == ENOENT) {
		set_open(ev, EVENTS_DEVLINK, "the kernel has no devlink");
		return;
	}
	if (rc >= 0)
		rc = vnl_subscribe(&ev->devlink, NETLINK_GENERIC, &family.group, 1, false,
				   &err);
	if (opened(ev, 1u << EVENTS_DEVLINK, rc, &err))
		ev->devlink_type = family.type;
}

static struct loop_fd *watch(struct events *ev, struct loop *loop, int fd, loop_fd_fn fn)
{
	struct loop_fd *w = loop_fd_new(loop, fd, LOOP_READ, fn, ev);

	if (w)
		ev->watches[ev->n_watches++] = w;
	else
		log_warn("events", "out of memory: a source of events is not watched");
	return w;
}

struct events *events_new(struct engine *engine)
{
	struct events *ev = calloc(1, sizeof(*ev));

	if (ev)
		ev->engine = engine;
	return ev;
}

struct events *events_open(struct loop *loop, struct engine *engine,
			   const struct config *config, int ports)
{
	struct events *ev = events_new(engine);
	unsigned wanted = config->event_sources;

	if (!ev) {
		log_warn("events", "out of memory: only the rounds of reconciliation tell "
				   "what happens");
		return NULL;
	}
	for (unsigned i = 0; i < N_EVENT_SOURCES; i++)
		set_open(ev, i,
			 !(wanted & 1u << i) ?
				 "event_sources in vfkeeper.conf leaves it out" :
			 i == EVENTS_VERBS ? "no process listens: only the service has one" :
					     "");
	open_route(ev, wanted);
	open_uevents(ev, wanted);
	open_rdma(ev, wanted);
	open_devlink(ev, wanted);
	if (ev->route)
		watch(ev, loop, vnl_events_fd(ev->route), on_ready);
	if (ev->kernel)
		watch(ev, loop, uevents_fd(ev->kernel), on_ready);
	if (ev->udev)
		watch(ev, loop, uevents_fd(ev->udev), on_ready);
	if (ev->rdma)
		watch(ev, loop, vnl_events_fd(ev->rdma), on_ready);
	if (ev->devlink)
		watch(ev, loop, vnl_events_fd(ev->devlink), on_ready);
	ev->env = config->env;
	ev->ports = ports;
	if (ports >= 0 && wanted & 1u << EVENTS_VERBS) {
		ev->port_watch = watch(ev, loop, ports, on_port);
		set_open(ev, EVENTS_VERBS, ev->port_watch ? NULL : "out of memory");
	}
	return ev;
}

void events_free(struct events *ev)
{
	if (!ev)
		return;
	while (ev->n_watches)
		loop_fd_free(ev->watches[--ev->n_watches]);
	vnl_events_free(ev->route);
	vnl_events_free(ev->rdma);
	vnl_events_free(ev->devlink);
	uevents_free(ev->kernel);
	uevents_free(ev->udev);
	free(ev);
}

const struct event_count *events_counts(const struct events *ev)
{
	return ev->counts;
}
