/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/strbuf.h"
#include "cni/cni.h"
#include "cni/json_print.h"
#include "engine/page.h"
#include "engine/view.h"

#define RECENT 200 /* events that a new listener is told first */
#define BIND_AGAIN_NS (5 * NS_PER_S)
/* However many look, the loop builds a document at most so often. */
#define FRESH_NS (500 * NS_PER_MS)
#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json"

enum doc_id { DOC_VFS, DOC_STATUS, DOC_LEASES, DOC_METRICS, N_DOCS };

struct doc {
	char *text;
	size_t len;
	int64_t made_ns; /* 0: never */
};

struct web {
	struct http_addr addr;
	struct web_host host;
	struct http *http; /* NULL: the address is taken */
	int64_t bind_at_ns;
	bool complained;
	struct doc docs[N_DOCS];
	/* Whole events as they are sent; event n is in recent[n % RECENT]. */
	char *recent[RECENT];
	uint64_t n_events;	  /* the number of the next one */
	unsigned long long epoch; /* tells the events of one engine from those of another */
};

/* --- documents --- */

static void facts_of(struct web *w, struct view_status *facts)
{
	memset(facts, 0, sizeof(*facts));
	w->host.facts(w->host.arg, facts);
}

static int make_doc(struct web *w, enum doc_id id, struct vfk_err *err)
{
	static const char *const commands[] = {
		[DOC_VFS] = "list", [DOC_STATUS] = "status", [DOC_LEASES] = "leases"
	};
	struct doc *doc = &w->docs[id];
	struct view_status facts;
	struct strbuf text = { 0 };
	pci_addr_t pending;
	char *json = NULL;
	int rc;

	facts_of(w, &facts);
	if (id == DOC_METRICS) {
		engine_metrics(w->host.engine, &facts, &text);
		json = strbuf_steal(&text);
		rc = json ? 0 : vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
	} else {
		struct ctl_request rq = { 0 };

		snprintf(rq.command, sizeof(rq.command), "%s", commands[id]);
		rc = engine_admin(w->host.engine, &rq, &facts, &json, &pending, err);
	}
	if (rc < 0)
		return rc;
	free(doc->text);
	doc->text = json;
	doc->len = strlen(json);
	doc->made_ns = clock_boot_ns();
	return 0;
}

static void answer_doc(struct web *w, struct http_call *call, enum doc_id id,
		       const char *type)
{
	struct doc *doc = &w->docs[id];
	struct vfk_err err = { 0 };

	if ((!doc->made_ns || clock_boot_ns() - doc->made_ns >= FRESH_NS) &&
	    make_doc(w, id, &err) < 0) {
		http_answer(call, 503, TEXT, err.msg, strlen(err.msg));
		return;
	}
	http_answer(call, 200, type, doc->text, doc->len);
}

/* --- events --- */

static void web_told(struct web *w, enum record_type type, const void *rec, uint64_t seq)
{
	static struct view_record r; /* large; one at a time */
	static const char *const names[] = {
		[REC_VF] = "vf", [REC_LEASE] = "lease", [REC_NODE] = "node"
	};
	struct strbuf out = { 0 };
	json_t *obj;
	char *json;

	r.seq = seq;
	r.type = type;
	if (type == REC_VF)
		r.vf = *(const struct rec_vf *)rec;
	else if (type == REC_LEASE)
		r.lease = *(const struct rec_lease *)rec;
	else if (type == REC_NODE)
		r.node = *(const struct rec_node *)rec;
	else
		return;
	obj = view_event(&r, NULL);
	json = json_print(obj, JSON_COMPACT);
	json_decref(obj);
	strbuf_addf(&out, "id: %llx-%llu\nevent: %s\ndata: ", w->epoch,
		    (unsigned long long)w->n_events, names[type]);
	strbuf_adds(&out, json ? json : "{}");
	strbuf_adds(&out, "\n\n");
	free(json);
	if (out.failed) {
		strbuf_free(&out);
		return;
	}
	if (w->http && http_streams(w->http))
		http_send_all(w->http, out.data, out.len);
	free(w->recent[w->n_events % RECENT]);
	w->recent[w->n_events++ % RECENT] = strbuf_steal(&out);
}

/* The number of the first event that somebody has not seen who says that 'last' was its last. */
static uint64_t first_unseen(const struct web *w, const char *last)
{
	uint64_t oldest = w->n_events > RECENT ? w->n_events - RECENT : 0;
	unsigned long long epoch, n;

	if (!last || strlen(last) > 40 || sscanf(last, "%llx-%llu", &epoch, &n) != 2 ||
	    epoch != w->epoch || n >= w->n_events || n + 1 < oldest)
		return oldest;
	return n + 1;
}

static void answer_events(struct web *w, struct http_call *call)
{
	struct strbuf out = { 0 };

	strbuf_adds(&out, "retry: 2000\n\n");
	for (uint64_t n = first_unseen(w, http_header(call, "Last-Event-ID"));
	     n < w->n_events; n++)
		strbuf_adds(&out, w->recent[n % RECENT]);
	if (out.failed)
		http_answer(call, 503, TEXT, "out of memory\n", 14);
	else
		http_stream(call, "text/event-stream", out.data, out.len);
	strbuf_free(&out);
}

/* --- the rest --- */

static void answer_ready(struct web *w, struct http_call *call)
{
	struct cni_fail why;
	char text[sizeof(why.msg) + 2];

	if (engine_serves_add(w->host.engine, &why)) {
		http_answer(call, 200, TEXT, "ready\n", 6);
		return;
	}
	snprintf(text, sizeof(text), "%s\n", why.msg);
	http_answer(call, 503, TEXT, text, strlen(text));
}

static void on_call(void *arg, struct http_call *call, const char *path)
{
	static const char none[] = "There is /, /metrics, /healthz, /readyz, /v1/vfs, "
				   "/v1/status, /v1/leases and /v1/events.\n";
	struct web *w = arg;

	if (!strcmp(path, "/"))
		http_answer(call, 200, "text/html; charset=utf-8", page_html,
			    sizeof(page_html));
	else if (!strcmp(path, "/metrics"))
		answer_doc(w, call, DOC_METRICS,
			   "text/plain; version=0.0.4; charset=utf-8");
	else if (!strcmp(path, "/healthz")) /* the loop turns, or nobody would say so */
		http_answer(call, 200, TEXT, "ok\n", 3);
	else if (!strcmp(path, "/readyz"))
		answer_ready(w, call);
	else if (!strcmp(path, "/v1/vfs"))
		answer_doc(w, call, DOC_VFS, JSON);
	else if (!strcmp(path, "/v1/status"))
		answer_doc(w, call, DOC_STATUS, JSON);
	else if (!strcmp(path, "/v1/leases"))
		answer_doc(w, call, DOC_LEASES, JSON);
	else if (!strcmp(path, "/v1/events"))
		answer_events(w, call);
	else
		http_answer(call, 404, TEXT, none, sizeof(none) - 1);
}

static void web_turn(struct web *w)
{
	struct vfk_err err = { 0 };
	int64_t now = clock_boot_ns();

	if (w->http) {
		http_turn(w->http);
		return;
	}
	if (now < w->bind_at_ns)
		return;
	w->bind_at_ns = now + BIND_AGAIN_NS;
	if (http_open(&w->http, w->host.loop, &w->addr, vfk_path(PATH_HTTP_SOCK), on_call,
		      w, &err) < 0 &&
	    !w->complained) {
		log_error("http", "%s; it is tried again", err.msg);
		w->complained = true;
	}
}

static int web_open(struct web **out, const struct http_addr *addr,
		    const struct web_host *host, struct vfk_err *err)
{
	struct web *w = calloc(1, sizeof(*w));

	if (!w)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "HTTP");
	w->addr = *addr;
	w->host = *host;
	w->epoch = (unsigned long long)clock_wall_ns();
	web_turn(w);
	*out = w;
	return 0;
}

static void web_close(struct web *w)
{
	if (!w)
		return;
	http_close(w->http);
	for (size_t i = 0; i < N_DOCS; i++)
		free(w->docs[i].text);
	for (size_t i = 0; i < RECENT; i++)
		free(w->recent[i]);
	free(w);
}

const struct web_ops web_service = { web_open, web_close, web_turn, web_told };
