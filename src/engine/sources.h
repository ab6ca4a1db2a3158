/* SPDX-License-Identifier: Apache-2.0 */
/* Where events come from.  Each may be missing: reconciliation finds what it would have told.
 * Layer: engine. */
#ifndef VFK_ENGINE_SOURCES_H
#define VFK_ENGINE_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#define EVENT_SOURCES(X)                                                                 \
	X(NSID, "nsid")	      /* ends of namespaces */                                   \
	X(LINK, "link")	      /* links of every namespace that has an id here */         \
	X(UEVENT, "uevent")   /* the kernel's devices */                                 \
	X(UDEV, "udev")	      /* what udev has done about them */                        \
	X(RDMA, "rdma")	      /* RDMA devices, from Linux 6.12 on */                     \
	X(DEVLINK, "devlink") /* health of devices */                                    \
	X(VERBS, "verbs")     /* ports, in the service only */

enum event_source {
#define X(name, word) EVENTS_##name,
	EVENT_SOURCES(X)
#undef X
		N_EVENT_SOURCES
};

#define EVENT_SOURCES_ALL ((1u << N_EVENT_SOURCES) - 1)
#define EVENT_SOURCE_WORDS "nsid, link, uevent, udev, rdma, devlink and verbs"

struct event_count {
	uint64_t n;	     /* events that came */
	uint64_t n_overruns; /* times that some were lost, and everything was looked at */
	bool open;
	char why[120]; /* it is not open; "" where it is */
};

const char *event_source_name(unsigned source);

#endif
