/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rdma/ib_user_verbs.h>
#include <rdma/mlx5-abi.h>

#include "drivers/sysfs.h"

/* Numbers of struct ib_uverbs_async_event_desc.event_type; they are for ever. */
#define EVENT_DEVICE_FATAL 8
#define EVENT_PORT_ACTIVE 9
#define EVENT_PORT_ERR 10
#define EVENT_LID_CHANGE 11
#define EVENT_PKEY_CHANGE 12
#define EVENT_SM_CHANGE 13
#define EVENT_CLIENT_REREGISTER 17
#define EVENT_GID_CHANGE 18

/* The kernel's structs end in arrays of no length, so that none can stand within another. */
union response {
	struct ib_uverbs_get_context_resp core;
	/* What a driver adds is not looked at. */
	uint8_t bytes[sizeof(struct ib_uverbs_get_context_resp) + 256];
};

/* A context is what events belong to. */
static int get_context(int device, bool mlx5, union response *resp)
{
	struct ib_uverbs_cmd_hdr hdr = { .command = IB_USER_VERBS_CMD_GET_CONTEXT };
	struct ib_uverbs_get_context cmd = { .response = (uintptr_t)resp };
	/* mlx5 refuses one without registers to ring. */
	struct mlx5_ib_alloc_ucontext_req_v2 more = { .total_num_bfregs = 4,
						      .num_low_latency_bfregs = 1 };
	_Alignas(8) uint8_t rq[sizeof(hdr) + sizeof(cmd) + sizeof(more)];
	size_t len = sizeof(rq) - (mlx5 ? 0 : sizeof(more));

	hdr.in_words = (uint16_t)(len / 4);
	hdr.out_words = sizeof(*resp) / 4;
	memcpy(rq, &hdr, sizeof(hdr));
	memcpy(rq + sizeof(hdr), &cmd, sizeof(cmd));
	memcpy(rq + sizeof(hdr) + sizeof(cmd), &more, sizeof(more));
	return write(device, rq, len) == (ssize_t)len ? 0 : -1;
}

int verbs_open(const struct drv_env *env, pci_addr_t pf, struct verbs *out,
	       struct vfk_err *err)
{
	char name[64], driver[64] = "", path[PATH_MAX];
	union response resp = { .core = { .async_fd = UINT32_MAX } };
	VFK_AUTO(fd_auto) int device = -1;
	int events, flags;

	if (!pci_first_name(env, pf, "infiniband_verbs", name, sizeof(name)))
		return vfk_err_set(err, VFK_E_GONE, 0, "it has no verbs device");
	(void)pci_link(env, pf, "driver", driver, sizeof(driver));
	snprintf(path, sizeof(path), "%s/infiniband/%s", env->dev_root, name);
	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
	if (get_context(device, !strcmp(driver, "mlx5_core"), &resp) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "get a context of %s", path);
	events = (int)resp.core.async_fd;
	flags = fcntl(events, F_GETFL);
	if (flags < 0 || fcntl(events, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(events, F_SETFD, FD_CLOEXEC) < 0) {
		vfk_err_set(err, VFK_E_SYS, errno, "listen to %s", path);
		if (events >= 0)
			close(events);
		return -VFK_E_SYS;
	}
	out->device = fd_steal(&device);
	out->events = events;
	return 0;
}

void verbs_close(struct verbs *v)
{
	if (v->events >= 0)
		close(v->events);
	if (v->device >= 0)
		close(v->device);
	v->events = v->device = -1;
}

enum verbs_event verbs_read(const struct verbs *v, unsigned *port)
{
	struct ib_uverbs_async_event_desc ev;
	ssize_t n = read(v->events, &ev, sizeof(ev));

	*port = 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return VERBS_NONE;
	if (n != (ssize_t)sizeof(ev))
		return VERBS_END;
	switch (ev.event_type) {
	case EVENT_DEVICE_FATAL:
		return VERBS_FATAL;
	case EVENT_PORT_ACTIVE:
	case EVENT_PORT_ERR:
	case EVENT_LID_CHANGE:
	case EVENT_PKEY_CHANGE:
	case EVENT_SM_CHANGE:
	case EVENT_CLIENT_REREGISTER:
	case EVENT_GID_CHANGE:
		*port = (unsigned)ev.element;
		return VERBS_PORT;
	default:
		return VERBS_OTHER;
	}
}
