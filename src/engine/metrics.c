/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/metrics.h"

#include <string.h>

#include "engine/engine-internal.h"
#include "engine/view.h"
#include "fsm/lease.h"
#include "fsm/port.h"
#include "fsm/vf.h"

static const double bounds[HISTOGRAM_BUCKETS - 1] = { 0.001, 0.0025, 0.005, 0.01,
						      0.025, 0.05,   0.1,   0.25,
						      0.5,   1,	     2.5,   5,
						      10,    30,     60,    120 };
/* Those of the specification and of the plugins that were here before; the last: any other. */
static const int codes[METRIC_CODES] = { 1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51, 100, 999, 0 };

#define X(name, value) _Static_assert((value) < 64, "has its counter");
VF_EVENTS(X)
#undef X
#define X(name, value) _Static_assert((value) < 32, "has its counter");
LEASE_EVENTS(X)
#undef X
#define X(name, value) _Static_assert((value) < METRIC_JOB_KINDS, "has its counter");
JOB_KINDS(X)
#undef X

static void observe(struct histogram *h, int64_t took_ns)
{
	double s = took_ns > 0 ? (double)took_ns / (double)NS_PER_S : 0;
	size_t i = 0;

	while (i < VFK_ARRAY_SIZE(bounds) && s > bounds[i])
		i++;
	h->n[i]++;
	h->sum_s += s;
}

static unsigned verb_index(enum cni_verb verb)
{
	return verb < METRIC_VERBS ? verb : 0;
}

void metrics_request(struct metrics *m, enum cni_verb verb, int code, int64_t took_ns)
{
	size_t i = 0;

	observe(&m->requests[verb_index(verb)][code != 0], took_ns);
	if (!code)
		return;
	while (i < METRIC_CODES - 1 && codes[i] != code)
		i++;
	m->errors[verb_index(verb)][i]++;
}

void metrics_job(struct metrics *m, enum job_kind kind, bool rebind, bool ok,
		 int64_t took_ns)
{
	observe(&m->jobs[kind][!ok], took_ns);
	if (rebind)
		observe(&m->rebind, took_ns);
}

void metrics_ipam(struct metrics *m, enum cni_verb verb, bool ok, int64_t took_ns)
{
	observe(&m->ipam[verb_index(verb)][!ok], took_ns);
}

/* --- text --- */

enum metric {
#define X(NAME, name, type, help) METRIC_##NAME,
	METRICS(X)
#undef X
};

static const char *const names[] = {
#define X(NAME, name, type, help) [METRIC_##NAME] = name,
	METRICS(X)
#undef X
};

static void begin(struct strbuf *out, enum metric m)
{
	static const char *const heads[] = {
#define X(NAME, name, type, help)                                                        \
	[METRIC_##NAME] = "# HELP " name " " help "\n# TYPE " name " " type "\n",
		METRICS(X)
#undef X
	};

	strbuf_adds(out, heads[m]);
}

static void plain(struct strbuf *out, enum metric m, double value)
{
	begin(out, m);
	strbuf_addf(out, "%s %.15g\n", names[m], value);
}

/* A label's value: names of links may have quotes in them. */
static void label(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			strbuf_adds(out, "\\n");
		else if (*text == '"' || *text == '\\')
			strbuf_addf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x80)
			strbuf_add(out, text, 1);
		else
			strbuf_adds(out, "?");
	}
}

static uint64_t total(const struct histogram *h)
{
	uint64_t n = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += h->n[i];
	return n;
}

/* 'labels' without braces. */
static void histogram(struct strbuf *out, enum metric m, const struct histogram *h,
		      const char *labels)
{
	const char *comma = labels[0] ? "," : "";
	uint64_t n = 0;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(bounds); i++) {
		n += h->n[i];
		strbuf_addf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", names[m], labels,
			    comma, bounds[i], (unsigned long long)n);
	}
	n += h->n[VFK_ARRAY_SIZE(bounds)];
	strbuf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", names[m], labels, comma,
		    (unsigned long long)n);
	strbuf_addf(out, "%s_sum%s%s%s %.9g\n", names[m], labels[0] ? "{" : "", labels,
		    labels[0] ? "}" : "", h->sum_s);
	strbuf_addf(out, "%s_count%s%s%s %llu\n", names[m], labels[0] ? "{" : "", labels,
		    labels[0] ? "}" : "", (unsigned long long)n);
}

static const char *verb_label(unsigned verb)
{
	return verb ? verb_name((enum cni_verb)verb) : "unknown";
}

static const char *const results[] = { "ok", "error" };

/* The verbs that an engine serves are there from the start, at 0. */
static bool shown(unsigned verb, const struct histogram *h)
{
	return (verb && verb != CNI_VERSION) || total(h);
}

static void requests(struct strbuf *out, const struct engine *e)
{
	const struct metrics *m = &e->metrics;
	unsigned in_flight[METRIC_VERBS] = { 0 };
	char labels[64];

	begin(out, METRIC_REQUESTS);
	for (unsigned v = 0; v < METRIC_VERBS; v++)
		for (unsigned r = 0; r < 2; r++)
			if (shown(v, &m->requests[v][r]))
				strbuf_addf(out, "%s{verb=\"%s\",result=\"%s\"} %llu\n",
					    names[METRIC_REQUESTS], verb_label(v),
					    results[r],
					    (unsigned long long)total(&m->requests[v][r]));
	begin(out, METRIC_ERRORS);
	for (unsigned v = 0; v < METRIC_VERBS; v++)
		for (unsigned i = 0; i < METRIC_CODES; i++) {
			if (!m->errors[v][i])
				continue;
			strbuf_addf(out, "%s{verb=\"%s\",code=\"", names[METRIC_ERRORS],
				    verb_label(v));
			if (codes[i])
				strbuf_addf(out, "%d", codes[i]);
			else
				strbuf_adds(out, "other");
			strbuf_addf(out, "\"} %llu\n", (unsigned long long)m->errors[v][i]);
		}
	list_each(it, &e->requests) {
		const struct request *rq = list_entry(it, struct request, link);

		in_flight[rq->parsed ? verb_index(rq->cni.verb) : 0]++;
	}
	begin(out, METRIC_IN_FLIGHT);
	for (unsigned v = CNI_ADD; v < CNI_VERSION; v++)
		strbuf_addf(out, "%s{verb=\"%s\"} %u\n", names[METRIC_IN_FLIGHT],
			    verb_label(v), in_flight[v]);
	begin(out, METRIC_REQUEST_S);
	for (unsigned v = 0; v < METRIC_VERBS; v++)
		for (unsigned r = 0; r < 2; r++) {
			if (!shown(v, &m->requests[v][r]))
				continue;
			snprintf(labels, sizeof(labels), "verb=\"%s\",result=\"%s\"",
				 verb_label(v), results[r]);
			histogram(out, METRIC_REQUEST_S, &m->requests[v][r], labels);
		}
}

static void vf_counts(struct strbuf *out, const struct engine *e)
{
	static const struct {
		int state;
		const char *name;
	} states[] = {
#define X(name, value) { VF_##name, #name },
		VF_STATES(X)
#undef X
	};
	const struct node *n = e->node;
	double oldest_s = 0;
	unsigned stuck = 0;
	char addr[PCI_STRLEN];

	begin(out, METRIC_VFS);
	/* A PF that went is where its VFs say they were. */
	for (size_t i = 0; i < n->n_vfs; i++) {
		pci_addr_t pf = n->vfs[i]->rec.pf;
		unsigned counts[VFK_ARRAY_SIZE(states)] = { 0 };
		bool told = false;

		for (size_t k = 0; k < i && !told; k++)
			told = n->vfs[k]->rec.pf == pf;
		if (told)
			continue;
		for (size_t k = i; k < n->n_vfs; k++)
			for (size_t s = 0; s < VFK_ARRAY_SIZE(states); s++)
				counts[s] += n->vfs[k]->rec.pf == pf &&
					     (int)n->vfs[k]->fsm.state == states[s].state;
		for (size_t s = 0; s < VFK_ARRAY_SIZE(states); s++)
			strbuf_addf(out, "%s{pf=\"%s\",state=\"%s\"} %u\n",
				    names[METRIC_VFS],
				    pf == PCI_NONE ? "" : pci_format(pf, addr),
				    states[s].name, counts[s]);
	}
	for (size_t i = 0; i < n->n_vfs; i++) {
		const struct vf *vf = n->vfs[i];
		double age_s = (double)(now_ns(e) - vf->since_boot_ns) / (double)NS_PER_S;

		stuck += vf->stuck;
		if ((vf->fsm.state == VF_RESERVED || vf->fsm.state == VF_DETACHING) &&
		    age_s > oldest_s)
			oldest_s = age_s;
	}
	plain(out, METRIC_VFS_STUCK, stuck);
	plain(out, METRIC_VF_PENDING, oldest_s);
}

static void pfs(struct strbuf *out, const struct engine *e)
{
	static const enum port_state states[] = {
#define X(name, value) PORT_##name,
		PORT_STATES(X)
#undef X
	};
	char addr[PCI_STRLEN];

	begin(out, METRIC_PF_INFO);
	for (size_t i = 0; i < e->node->n_pfs; i++) {
		const struct pf *pf = &e->node->pfs[i];

		strbuf_addf(out, "%s{pf=\"%s\",netdev=\"", names[METRIC_PF_INFO],
			    pci_format(pf->addr, addr));
		label(out, pf->ifname);
		strbuf_adds(out, "\",driver=\"");
		label(out, pf->driver);
		strbuf_adds(out, "\"} 1\n");
	}
	begin(out, METRIC_PORT);
	for (size_t i = 0; i < e->node->n_pfs; i++) {
		const struct pf *pf = &e->node->pfs[i];

		for (unsigned p = 0; p < pf->n_ports && p < VFK_ARRAY_SIZE(pf->ports); p++)
			for (size_t s = 0; s < VFK_ARRAY_SIZE(states); s++)
				strbuf_addf(out,
					    "%s{pf=\"%s\",port=\"%u\",state=\"%s\"} %d\n",
					    names[METRIC_PORT], pci_format(pf->addr, addr),
					    p + 1, port_state_name(states[s]),
					    pf->ports[p] == states[s]);
	}
}

static void port_transitions(struct strbuf *out, const struct engine *e)
{
	char addr[PCI_STRLEN];

	begin(out, METRIC_PORT_TRANSITIONS);
	for (size_t i = 0; i < e->node->n_pfs; i++) {
		const struct pf *pf = &e->node->pfs[i];

#define X(name, value)                                                                   \
	strbuf_addf(out, "%s{pf=\"%s\",state=\"" #name "\"} %llu\n",                     \
		    names[METRIC_PORT_TRANSITIONS], pci_format(pf->addr, addr),          \
		    (unsigned long long)pf->n_came_to[value]);
		PORT_STATES(X)
#undef X
	}
}

/* What the kernel says, and what becomes of it.  An engine without sources has none to show. */
static void sources(struct strbuf *out, const struct engine *e,
		    const struct event_count *counts)
{
	begin(out, METRIC_SOURCE_OPEN);
	for (unsigned i = 0; counts && i < N_EVENT_SOURCES; i++)
		strbuf_addf(out, "%s{source=\"%s\"} %d\n", names[METRIC_SOURCE_OPEN],
			    event_source_name(i), counts[i].open);
	begin(out, METRIC_SOURCE_EVENTS);
	for (unsigned i = 0; counts && i < N_EVENT_SOURCES; i++)
		strbuf_addf(out, "%s{source=\"%s\"} %llu\n", names[METRIC_SOURCE_EVENTS],
			    event_source_name(i), (unsigned long long)counts[i].n);
	begin(out, METRIC_SOURCE_OVERRUNS);
	for (unsigned i = 0; counts && i < N_EVENT_SOURCES; i++)
		strbuf_addf(out, "%s{source=\"%s\"} %llu\n", names[METRIC_SOURCE_OVERRUNS],
			    event_source_name(i), (unsigned long long)counts[i].n_overruns);
	plain(out, METRIC_HINTS, (double)e->metrics.hints);
	plain(out, METRIC_HINTS_COALESCED, (double)e->metrics.hints_coalesced);
	plain(out, METRIC_LOOKS, (double)e->n_looks);
}

static void transitions(struct strbuf *out, const struct engine *e)
{
	static const enum vf_event vf_events[] = {
#define X(name, value) VF_EV_##name,
		VF_EVENTS(X)
#undef X
	};
	static const enum lease_event lease_events[] = {
#define X(name, value) LEASE_EV_##name,
		LEASE_EVENTS(X)
#undef X
	};
	const char *name = names[METRIC_TRANSITIONS];

	begin(out, METRIC_TRANSITIONS);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(vf_events); i++)
		strbuf_addf(out, "%s{machine=\"vf\",event=\"%s\"} %llu\n", name,
			    vf_event_name(vf_events[i]),
			    (unsigned long long)e->metrics.vf_events[vf_events[i]]);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(lease_events); i++)
		strbuf_addf(out, "%s{machine=\"lease\",event=\"%s\"} %llu\n", name,
			    lease_event_name(lease_events[i]),
			    (unsigned long long)e->metrics.lease_events[lease_events[i]]);
	plain(out, METRIC_REFUSED, (double)e->dropped_events);
	plain(out, METRIC_REPAIRS, (double)e->metrics.repairs);
}

static void leases(struct strbuf *out, const struct engine *e)
{
	static const enum lease_state states[] = { LEASE_ASKED, LEASE_HELD, LEASE_OWED };
	int64_t now = e->ops.wall_ns(e->ops.ctx);
	unsigned counts[VFK_ARRAY_SIZE(states)] = { 0 };
	double oldest_s = 0;
	char labels[64];

	list_each(it, &e->node->leases) {
		const struct lease *l = list_entry(it, struct lease, link);
		double age_s = (double)(now - l->rec.meta.wall_ns) / (double)NS_PER_S;

		for (size_t i = 0; i < VFK_ARRAY_SIZE(states); i++)
			counts[i] += l->state == states[i];
		if (l->state == LEASE_OWED && age_s > oldest_s)
			oldest_s = age_s;
	}
	begin(out, METRIC_LEASES);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(states); i++)
		strbuf_addf(out, "%s{state=\"%s\"} %u\n", names[METRIC_LEASES],
			    lease_state_name(states[i]), counts[i]);
	plain(out, METRIC_LEASE_OWED, oldest_s);
	begin(out, METRIC_IPAM_S);
	for (unsigned v = 0; v < METRIC_VERBS; v++)
		for (unsigned r = 0; r < 2; r++) {
			if (!total(&e->metrics.ipam[v][r]))
				continue;
			snprintf(labels, sizeof(labels), "verb=\"%s\",result=\"%s\"",
				 verb_label(v), results[r]);
			histogram(out, METRIC_IPAM_S, &e->metrics.ipam[v][r], labels);
		}
}

static void jobs(struct strbuf *out, const struct engine *e, const struct view_status *facts)
{
	unsigned running = 0, waiting = 0, stuck = 0;
	char labels[64];

	list_each(it, &e->jobs_running) {
		bool late = list_entry(it, struct job, link)->late;

		running += !late;
		stuck += late;
	}
	list_each(it, &e->jobs_waiting)
		waiting++;
	begin(out, METRIC_JOBS);
	strbuf_addf(out, "%s{state=\"waiting\"} %u\n", names[METRIC_JOBS], waiting);
	strbuf_addf(out, "%s{state=\"running\"} %u\n", names[METRIC_JOBS], running);
	strbuf_addf(out, "%s{state=\"stuck\"} %u\n", names[METRIC_JOBS], stuck);
	begin(out, METRIC_JOB_S);
	for (unsigned k = JOB_SYNC; k < METRIC_JOB_KINDS; k++)
		for (unsigned r = 0; r < 2; r++) {
			if (!total(&e->metrics.jobs[k][r]))
				continue;
			snprintf(labels, sizeof(labels), "kind=\"%s\",result=\"%s\"",
				 job_kind_name((enum job_kind)k), results[r]);
			histogram(out, METRIC_JOB_S, &e->metrics.jobs[k][r], labels);
		}
	begin(out, METRIC_REBIND_S);
	histogram(out, METRIC_REBIND_S, &e->metrics.rebind, "");
	plain(out, METRIC_WORKERS, facts->n_workers);
	plain(out, METRIC_WORKER_STARTS, (double)facts->n_worker_starts);
	plain(out, METRIC_CLIENTS, facts->n_clients);
}

static void journal(struct strbuf *out, const struct engine *e)
{
	const struct metrics *m = &e->metrics;

	plain(out, METRIC_RECORDS, (double)m->n_records);
	plain(out, METRIC_BYTES, (double)m->record_bytes);
	begin(out, METRIC_SYNCS);
	for (unsigned r = 0; r < 2; r++)
		strbuf_addf(out, "%s{result=\"%s\"} %llu\n", names[METRIC_SYNCS],
			    results[r], (unsigned long long)total(&m->jobs[JOB_SYNC][r]));
	plain(out, METRIC_JOURNAL_WORKS, engine_can_record(e));
	plain(out, METRIC_MISSING, e->node->rec.records_missing);
	plain(out, METRIC_LAST, (double)journal_last_or_zero(e));
	plain(out, METRIC_DURABLE, e->journal ? (double)journal_durable(e->journal) : 0);
}

void engine_metrics(struct engine *e, const struct view_status *facts, struct strbuf *out)
{
	struct cni_fail why;
	int64_t up_ns = now_ns(e) - facts->started_boot_ns;

	begin(out, METRIC_BUILD_INFO);
	strbuf_addf(out, "%s{version=\"" PACKAGE_VERSION "\"} 1\n",
		    names[METRIC_BUILD_INFO]);
	plain(out, METRIC_START,
	      (double)((e->ops.wall_ns(e->ops.ctx) - up_ns) / NS_PER_MS) / 1000.0);
	plain(out, METRIC_READY, engine_serves_add(e, &why));
	vf_counts(out, e);
	pfs(out, e);
	requests(out, e);
	transitions(out, e);
	port_transitions(out, e);
	sources(out, e, facts->events);
	leases(out, e);
	jobs(out, e, facts);
	journal(out, e);
}
