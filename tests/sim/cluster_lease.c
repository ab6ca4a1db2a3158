/* SPDX-License-Identifier: Apache-2.0 */
/* The model that the engines are held against: an IPAM plugin that elects itself leader of the
 * whole cluster for each address, for ADD and DEL alike.
 *
 * Of such a plugin: the lease is asked for every 0.5 s and up to 1.2 times as much again; what
 * holds it makes 9 round trips to the API server, each of 4 to 16 ms; an ADD gives up after
 * 120 s, a DEL after 60 s (and is then a success that has released nothing).  Of its callers:
 * the attachments of a pod come one after the other; where one fails, all of the sandbox get a
 * DEL, and 11 to 18 s later another sandbox begins with the first.  Left out in its favour: the
 * load of all who ask for the lease, the limit of 240 s on a sandbox, and locks of the node. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "cluster.h"
#include "rng.h"

#define ROUND_TRIPS 9
#define ADD_LIMIT_NS (120 * NS_PER_S)
#define DEL_LIMIT_NS (60 * NS_PER_S)
#define PLAYED_NS (6 * 3600 * NS_PER_S)

enum what { SANDBOX_BEGINS, LEASE_ASKED, CALL_ENDS };

struct sandbox {
	unsigned n_up, n_del; /* attachments with an address; DELs still to come */
	bool del;	      /* the call under way */
	int64_t began_ns;
};

struct lease_world {
	struct agenda agenda;
	struct sandbox *pods;
	struct rng rng;
	int64_t held_until_ns;
	struct lease_figures *out;
};

static int64_t between(struct rng *r, int64_t from_ns, int64_t to_ns)
{
	return from_ns + (int64_t)(rng_next(r) % (uint64_t)(to_ns - from_ns + 1));
}

static void call(struct lease_world *w, unsigned pod, int64_t now, bool del)
{
	w->pods[pod].del = del;
	w->pods[pod].began_ns = now;
	agenda_put(&w->agenda, now, pod, LEASE_ASKED, 0);
}

/* The sandbox goes on: the next of its DELs, another sandbox, or the next ADD. */
static void next(struct lease_world *w, unsigned pod, int64_t now)
{
	struct sandbox *s = &w->pods[pod];

	if (s->n_del) {
		s->n_del--;
		call(w, pod, now, true);
	} else if (s->del) {
		s->n_up = 0;
		agenda_put(&w->agenda, now + between(&w->rng, 11 * NS_PER_S, 18 * NS_PER_S),
			   pod, SANDBOX_BEGINS, 0);
	} else if (s->n_up < VFS_OF_A_POD) {
		call(w, pod, now, false);
	} else {
		w->out->n_pods_up++;
		w->out->all_up_ns = now;
	}
}

static void ended(struct lease_world *w, unsigned pod, int64_t now, bool good)
{
	struct sandbox *s = &w->pods[pod];

	if (!s->del) {
		waits_add(&w->out->add, now - s->began_ns, now);
		if (good) {
			s->n_up++;
		} else {
			w->out->n_timeouts++;
			s->n_del = s->n_up + 1;
		}
	}
	next(w, pod, now);
}

static void ask(struct lease_world *w, unsigned pod, int64_t now)
{
	struct sandbox *s = &w->pods[pod];
	int64_t held = 0;

	if (now - s->began_ns >= (s->del ? DEL_LIMIT_NS : ADD_LIMIT_NS)) {
		ended(w, pod, now, false);
		return;
	}
	if (now < w->held_until_ns) {
		agenda_put(&w->agenda,
			   now + between(&w->rng, NS_PER_S / 2, NS_PER_S * 11 / 10), pod,
			   LEASE_ASKED, 0);
		return;
	}
	for (unsigned i = 0; i < ROUND_TRIPS; i++)
		held += between(&w->rng, 4 * NS_PER_MS, 16 * NS_PER_MS);
	w->held_until_ns = now + held;
	agenda_put(&w->agenda, now + held, pod, CALL_ENDS, 0);
}

void lease_cluster(unsigned n_nodes, uint64_t seed, struct lease_figures *out)
{
	unsigned n_pods = n_nodes * PODS;
	struct lease_world w = { .pods = calloc(n_pods, sizeof(*w.pods)),
				 .rng = { seed },
				 .out = out };
	struct entry e;

	memset(out, 0, sizeof(*out));
	if (!w.pods)
		abort();
	for (unsigned i = 0; i < n_pods; i++)
		agenda_put(&w.agenda, pod_begins_ns(seed, i / PODS, i % PODS), i,
			   SANDBOX_BEGINS, 0);
	while (agenda_next(&w.agenda, &e) && e.at_ns < PLAYED_NS) {
		switch ((enum what)e.what) {
		case SANDBOX_BEGINS:
			w.pods[e.node].del = false;
			next(&w, e.node, e.at_ns);
			break;
		case LEASE_ASKED:
			ask(&w, e.node, e.at_ns);
			break;
		case CALL_ENDS:
			ended(&w, e.node, e.at_ns, true);
			break;
		}
	}
	if (out->n_pods_up < n_pods)
		out->all_up_ns = 0;
	agenda_free(&w.agenda);
	free(w.pods);
}
