/* SPDX-License-Identifier: Apache-2.0 */
/* What the service shows over HTTP: metrics, health, VFs, live events and a status page; see
 * vfkeeper-http(7).  It looks and changes nothing.  An interface of its own, so that the engine
 * on demand links none of it.  Layer: engine. */
#ifndef VFK_ENGINE_WEB_H
#define VFK_ENGINE_WEB_H

#include "engine/engine.h"
#include "io/http.h"
#include "io/loop.h"

struct web;

struct web_host {
	void *arg;
	struct loop *loop;
	struct engine *engine;
	void (*facts)(void *arg, struct view_status *facts); /* the owner's part of them */
};

struct web_ops {
	/* Never fails for an address that is taken: it is tried again every few seconds.
	 * VFK_E_NOMEM. */
	int (*open)(struct web **out, const struct http_addr *addr,
		    const struct web_host *host, struct vfk_err *err);
	void (*close)(struct web *w); /* NULL allowed */
	void (*turn)(struct web *w);  /* once per turn of the loop */
	/* engine_ops.told. */
	void (*told)(struct web *w, enum record_type type, const void *rec, uint64_t seq);
};

extern const struct web_ops web_service;

#endif
