/* SPDX-License-Identifier: Apache-2.0 */
/* Device events: the kernel's own, and those that udev passes on when its rules are through
 * (from then on a name is final).  Layer: io. */
#ifndef VFK_IO_UEVENT_H
#define VFK_IO_UEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"

struct uevents; /* a socket for them */

enum uevent_from { UEVENT_KERNEL = 1, UEVENT_UDEV = 2 }; /* multicast groups */

/* The strings are the message's own: valid during the call.  "" where it has none. */
struct uevent {
	const char *action; /* "add", "remove", "change", "move", "bind", "unbind", ... */
	const char *devpath;   /* below /sys */
	const char *subsystem; /* "pci", "net", "infiniband", ... */
	const char *interface; /* net: name of the link */
	const char *name;      /* infiniband: name of the device */
	const char *class;     /* pci: hexadecimal */
	const char *error;     /* pci: "BEGIN_RECOVERY", ... */
	uint32_t ifindex;      /* net; 0: none */
	pci_addr_t pci;	       /* the last PCI function of the path; PCI_NONE: none */
};

/* Takes 'len_bytes' of a message apart; whatever they are, nothing beyond them is read.  False:
 * it is none of that sender's. */
bool uevent_parse(const char *buf, size_t len_bytes, enum uevent_from from,
		  struct uevent *out);

/* A non-blocking socket, the caller's to free.  VFK_E_SYS. */
int uevents_open(struct uevents **out, enum uevent_from from,
		 struct vfk_err *err) VFK_MUST_CHECK;
void uevents_free(struct uevents *u);	 /* NULL allowed */
int uevents_fd(const struct uevents *u); /* borrowed; for LOOP_READ */

typedef void (*uevent_fn)(void *arg, const struct uevent *ev);
/* As vnl_events_read.  Messages of anybody but the kernel (or, of UEVENT_UDEV, a process of
 * uid 0) are dropped. */
int uevents_read(struct uevents *u, unsigned max, uevent_fn fn, void *arg,
		 struct vfk_err *err) VFK_MUST_CHECK;

#endif
