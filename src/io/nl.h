/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink: the only file that sends and receives with libnl.  Messages are built by the
 * callers with libnl's nlmsg_ and nla_ functions.  A request runs inside the kernel while it
 * is sent, under the kernel's own locks: requests and dumps belong into workers; the loop
 * only reads events.  The prefix is vnl_ because libnl has the shorter one.  Layer: io. */
#ifndef VFK_IO_NL_H
#define VFK_IO_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <netlink/msg.h>

#include "base/attr.h"
#include "base/err.h"

struct vnl;	   /* a socket for requests and dumps */
struct vnl_events; /* a socket for notifications */

/* Gets one message of the kernel's.  A negative value (kind, 'err' set) ends the calls; the
 * rest of the answer is read and dropped. */
typedef int (*vnl_fn)(void *arg, const struct nlmsghdr *msg, struct vfk_err *err);

/* Opens a request socket in the network namespace 'netns_fd' (-1: the caller's).  The
 * caller is back in its own namespace on return, or the process is ended.  The socket keeps
 * its namespace alive: close it soon.  VFK_E_NETNS: 'netns_fd' is no network namespace or
 * cannot be entered.  VFK_E_SYS. */
int vnl_open(struct vnl **out, int protocol, int netns_fd,
	     struct vfk_err *err) VFK_MUST_CHECK;
void vnl_close(struct vnl *nl); /* NULL allowed */
static inline void vnl_close_auto(struct vnl **nl)
{
	vnl_close(*nl);
}

/* Runs 'fn' with the calling process in 'netns_fd', and returns its value; likewise. */
int vnl_inside(int netns_fd, int (*fn)(void *arg, struct vfk_err *err), void *arg,
	       struct vfk_err *err) VFK_MUST_CHECK;

/* A new descriptor of the namespace that the socket lives in. */
int vnl_netns_fd(const struct vnl *nl, int *fd, struct vfk_err *err) VFK_MUST_CHECK;
/* SO_NETNS_COOKIE of that namespace: never used again within a boot. */
int vnl_netns_cookie(const struct vnl *nl, uint64_t *cookie,
		     struct vfk_err *err) VFK_MUST_CHECK;
/* The index of the link 'name' (or altname) there, 0 if there is none.  Needs no lock of
 * the kernel: microseconds also while other links are being moved.  For names that are
 * expected to be there: for another the kernel looks for a module. */
uint32_t vnl_ifindex(const struct vnl *nl, const char *name);

/* A message of 'type' that begins with 'head'; NULL: out of memory. */
struct nl_msg *vnl_msg_new(int type, int flags, const void *head, size_t len_bytes);

/* Sends 'msg' (taken over and freed, NULL is VFK_E_NOMEM) and waits for the kernel's
 * acknowledgement.  'fn' (NULL allowed) gets what comes before it.  VFK_E_KERNEL: refused,
 * the errno in err->sys, with the kernel's own words where it has any.  VFK_E_SYS: could
 * not be sent, or the answer was lost (ENOBUFS): whether it was carried out is not known. */
int vnl_request(struct vnl *nl, struct nl_msg *msg, vnl_fn fn, void *arg,
		struct vfk_err *err) VFK_MUST_CHECK;

/* Likewise for a dump.  'fn' is called with NULL first, and again whenever the dump has to
 * begin anew because something changed meanwhile: forget what was given.  VFK_E_BUSY: it
 * changed too often. */
int vnl_dump(struct vnl *nl, struct nl_msg *msg, vnl_fn fn, void *arg,
	     struct vfk_err *err) VFK_MUST_CHECK;

#define VNL_OWN_NSID (-1)
/* 'nsid' is the namespace that the event happened in, VNL_OWN_NSID: the socket's own. */
typedef void (*vnl_event_fn)(void *arg, int nsid, const struct nlmsghdr *msg);

/* Opens a non-blocking socket for the multicast groups 'groups' of 'protocol'.  With
 * 'all_nsid' also events of every namespace that has an nsid here. */
int vnl_subscribe(struct vnl_events **out, int protocol, const unsigned *groups,
		  unsigned n_groups, bool all_nsid, struct vfk_err *err) VFK_MUST_CHECK;
void vnl_events_free(struct vnl_events *ev);	/* NULL allowed */
int vnl_events_fd(const struct vnl_events *ev); /* borrowed; for LOOP_READ */
/* Passes on what at most 'max' receives bring; 0 when there is no more, 1 when there may
 * be.  VFK_E_SYS with ENOBUFS: events were lost, look at everything again (the next call
 * goes on with what is left). */
int vnl_events_read(struct vnl_events *ev, unsigned max, vnl_event_fn fn, void *arg,
		    struct vfk_err *err) VFK_MUST_CHECK;

#endif
