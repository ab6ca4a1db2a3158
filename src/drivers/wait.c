/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/wait.h"

#include <poll.h>

#include <linux/rtnetlink.h>

#include "base/clock.h"
#include "io/nl.h"

#define LOOK_MIN_MS 20 /* pauses between looks where no event comes */
#define LOOK_MAX_MS 500
#define DRAIN 1000

static void ignore(void *arg, int nsid, const struct nlmsghdr *msg)
{
	(void)arg, (void)nsid, (void)msg;
}

/* What an event says does not matter, only that there is something to look at; one that was
 * lost (ENOBUFS) is as good. */
static void sleep_to_event(struct vnl_events *events, int64_t ms)
{
	struct pollfd pfd = { .fd = vnl_events_fd(events), .events = POLLIN };
	struct vfk_err lost;

	if (poll(&pfd, 1, (int)ms) > 0)
		(void)(vnl_events_read(events, DRAIN, ignore, NULL, &lost) < 0);
}

int drv_wait(int (*ready)(void *arg, struct vfk_err *err), void *arg,
	     int64_t until_boot_ns, struct vfk_err *err)
{
	static const unsigned groups[] = { RTNLGRP_LINK };
	struct vnl_events *events = NULL;
	int64_t pause_ms = LOOK_MIN_MS;
	int rc = vnl_subscribe(&events, NETLINK_ROUTE, groups, 1, false, err);

	if (rc < 0)
		return rc;
	for (;;) {
		int64_t left_ms;

		rc = ready(arg, err);
		left_ms = (until_boot_ns - clock_boot_ns()) / NS_PER_MS;
		if (rc != 0 || left_ms <= 0)
			break;
		sleep_to_event(events, pause_ms < left_ms ? pause_ms : left_ms);
		pause_ms = pause_ms * 2 < LOOK_MAX_MS ? pause_ms * 2 : LOOK_MAX_MS;
	}
	vnl_events_free(events);
	return rc;
}
