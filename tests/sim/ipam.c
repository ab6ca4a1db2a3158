/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam.h"

#include <stdio.h>
#include <string.h>

#include "callers.h"
#include "collect.h"
#include "cni/cni.h"
#include "faults.h"
#include "fds.h"
#include "promises.h"
#include "rng.h"
#include "story.h"
#include "when.h"

#define MAX_PLUGINS 48

struct plugin {
	bool used;
	unsigned id;
	uint64_t owner, gen, lease;
	bool job, hangs;
	enum cni_verb verb;
	unsigned claim;
	enum ipam_fail fail;
	ipam_end_fn end;
	int64_t deadline_ns;	  /* of a job */
	uint64_t valid, start_ns; /* GC */
	char output[200];
};

struct address addresses[SIM_ADDRESSES];
static struct plugin plugins[MAX_PLUGINS];
static unsigned ids;
static char last_output[64][200]; /* by client */

static const char *verb_text(enum cni_verb verb)
{
	return verb == CNI_ADD ? "ADD" :
	       verb == CNI_DEL ? "DEL" :
	       verb == CNI_GC  ? "GC" :
				 "another verb";
}

void ipam_boot(void)
{
	memset(plugins, 0, sizeof(plugins));
}

void ipam_reset(void)
{
	ipam_boot();
	memset(addresses, 0, sizeof(addresses));
}

unsigned ipam_held(unsigned claim)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SIM_ADDRESSES; i++)
		n += addresses[i].used && addresses[i].claim == claim;
	return n;
}

bool ipam_lease(unsigned claim)
{
	for (unsigned i = 0; i < SIM_ADDRESSES; i++)
		if (!addresses[i].used) {
			addresses[i] = (struct address){ true, claim, when_now };
			return true;
		}
	return false;
}

void ipam_forget(unsigned claim)
{
	for (unsigned i = 0; i < SIM_ADDRESSES; i++)
		if (addresses[i].claim == claim)
			addresses[i].used = false;
}

bool ipam_runs(uint64_t lease)
{
	for (unsigned i = 0; i < MAX_PLUGINS; i++)
		if (plugins[i].used && plugins[i].lease == lease)
			return true;
	return false;
}

static struct plugin *plugin_of(uint64_t i, uint64_t id)
{
	return plugins[i].used && plugins[i].id == id ? &plugins[i] : NULL;
}

static void collect(const struct plugin *p)
{
	for (unsigned i = 0; i < SIM_ADDRESSES; i++) {
		struct address *a = &addresses[i];

		if (!a->used || a->since_ns >= (int64_t)p->start_ns ||
		    (p->valid >> a->claim & 1) ||
		    strcmp(claims[a->claim].network, claims[p->claim].network) != 0)
			continue;
		story("ipam: collects the address of %s", claims[a->claim].container);
		collect_pays(a->claim, p->start_ns);
		a->used = false;
	}
}

/* What it does to what is leased.  False: it refuses. */
static bool commit(struct plugin *p)
{
	if (p->verb == CNI_GC)
		collect(p);
	if (p->verb != CNI_ADD && p->verb != CNI_DEL)
		return true; /* STATUS and the like only look */
	if (p->verb == CNI_DEL) {
		promise_pays(p->claim, p->lease);
		ipam_forget(p->claim);
		return true;
	}
	if (ipam_held(p->claim)) /* as host-local: one for a container and interface */
		return false;
	for (unsigned i = 0; i < SIM_ADDRESSES; i++) {
		if (addresses[i].used)
			continue;
		addresses[i] = (struct address){ true, p->claim, when_now };
		snprintf(p->output, sizeof(p->output),
			 "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.1.0.%u/24\"}]}",
			 i + 1);
		return true;
	}
	return false;
}

static void ends(struct plugin *p, enum run_outcome outcome, int status)
{
	struct plugin was = *p;

	if (!was.job)
		memcpy(last_output[was.owner % 64], was.output, sizeof(was.output));
	p->used = false;
	story("ipam: %s for %s ends: %s %d", verb_text(was.verb),
	      claims[was.claim].container,
	      outcome == RUN_EXITED    ? "exit" :
	      outcome == RUN_NOT_FOUND ? "not found" :
					 "signal",
	      status);
	was.end(was.owner, was.gen, outcome, status);
}

/* A worker ends what it pays with at its deadline by itself, also where its engine is gone. */
static void late(uint64_t i, uint64_t id)
{
	struct plugin *p = plugin_of(i, id);

	if (p)
		ends(p, RUN_SIGNALLED, 9);
}

static void hangs(struct plugin *p)
{
	int64_t left = p->deadline_ns - when_now;

	p->hangs = true;
	story("ipam: %s for %s hangs", verb_text(p->verb), claims[p->claim].container);
	if (p->job)
		when_after(left > 0 ? left : MS, late, (uint64_t)(p - plugins), p->id);
}

static void finish(uint64_t i, uint64_t id)
{
	struct plugin *p = plugin_of(i, id);
	bool done = true;

	if (!p)
		return;
	if (p->hangs) { /* what made it hang is over: it fails */
		ends(p, RUN_EXITED, 1);
		return;
	}
	if (p->fail != IF_FAILS && p->fail != IF_DIES && p->fail != IF_HANGS &&
	    p->fail != IF_MISSING)
		done = commit(p);
	switch (p->fail) {
	case IF_HANGS:
	case IF_HANGS_LATE:
		hangs(p);
		return;
	case IF_DIES:
	case IF_DIES_LATE:
		ends(p, RUN_SIGNALLED, 9);
		return;
	case IF_MISSING:
		ends(p, RUN_NOT_FOUND, 0);
		return;
	case IF_FAILS:
	case IF_FAILS_LATE:
		snprintf(p->output, sizeof(p->output), "{\"code\":11,\"msg\":\"no\"}");
		ends(p, RUN_EXITED, 1);
		return;
	case IF_LIES:
		snprintf(p->output, sizeof(p->output),
			 "{\"ips\":[{\"address\":\"nonsense\"}");
		break;
	case IF_EMPTY:
		snprintf(p->output, sizeof(p->output), "{\"cniVersion\":\"1.1.0\"}");
		break;
	default:
		break;
	}
	if (!done)
		snprintf(p->output, sizeof(p->output),
			 "{\"code\":7,\"msg\":\"none left\"}");
	ends(p, RUN_EXITED, done ? 0 : 1);
}

static void start(struct plugin plugin)
{
	for (unsigned i = 0; i < MAX_PLUGINS; i++) {
		struct plugin *p = &plugins[i];

		if (p->used)
			continue;
		*p = plugin;
		p->used = true;
		p->id = ++ids;
		p->fail = p->verb == CNI_ADD || p->verb == CNI_DEL ?
				  fault_take_ipam(p->verb == CNI_DEL) :
				  IF_NONE;
		story("ipam: %s for %s begins, lease %llu", verb_text(p->verb),
		      claims[p->claim].container, (unsigned long long)p->lease);
		when_after(p->fail == IF_SLOW ? when_jitter(20 * SEC) : when_jitter(2 * MS),
			   finish, i, p->id);
		return;
	}
	broken("P8", "more than %u plugins run", MAX_PLUGINS);
}

void ipam_start(uint64_t owner, uint64_t gen, enum cni_verb verb, uint64_t lease,
		unsigned claim, ipam_end_fn end)
{
	start((struct plugin){ .owner = owner,
			       .gen = gen,
			       .verb = verb,
			       .lease = lease,
			       .claim = claim,
			       .end = end });
}

void ipam_start_gc(uint64_t owner, uint64_t gen, unsigned claim, uint64_t valid,
		   uint64_t start_ns, ipam_end_fn end)
{
	start((struct plugin){ .owner = owner,
			       .gen = gen,
			       .verb = CNI_GC,
			       .claim = claim,
			       .valid = valid,
			       .start_ns = start_ns,
			       .end = end });
}

void ipam_start_job(uint64_t owner, uint64_t gen, const struct job_req *rq,
		    const int *fds, unsigned n_fds, ipam_end_fn end)
{
	size_t len = 0, text_len = 0;
	const char *env = n_fds > 2 ? fd_text(fds[2], &len) : NULL;
	const char *text = n_fds > 1 ? fd_text(fds[1], &text_len) : NULL;
	const char *container = env ? cni_env_get(env, len, "CNI_CONTAINERID") : NULL;
	const char *ifname = env ? cni_env_get(env, len, "CNI_IFNAME") : NULL;
	unsigned claim = claim_find(container ? container : "", ifname ? ifname : "");
	uint64_t lease = rq->lease_id;

	if (claim == SIM_CLAIMS) {
		broken("P8", "IPAM DEL is run for nobody: its environment names %s",
		       container ? container : "no container");
		end(owner, gen, RUN_EXITED, 1);
		return;
	}
	promise_runs(lease, claim, true, text);
	start((struct plugin){ .owner = owner,
			       .gen = gen,
			       .verb = CNI_DEL,
			       .job = true,
			       .lease = lease,
			       .claim = claim,
			       .deadline_ns = rq->deadline_boot_ns,
			       .end = end });
}

static void kill_of(uint64_t owner, uint64_t gen, bool job)
{
	for (unsigned i = 0; i < MAX_PLUGINS; i++) {
		struct plugin *p = &plugins[i];

		if (!p->used || p->job != job || p->gen != gen ||
		    (!job && p->owner != owner))
			continue;
		story("ipam: %s for %s is killed", verb_text(p->verb),
		      claims[p->claim].container);
		p->used = false;
	}
}

void ipam_kill(uint64_t owner, uint64_t gen)
{
	kill_of(owner, gen, false);
}

void ipam_kill_job(uint64_t gen)
{
	kill_of(0, gen, true);
}

const char *ipam_output(uint64_t owner)
{
	return last_output[owner % 64];
}

void ipam_release(void)
{
	for (unsigned i = 0; i < MAX_PLUGINS; i++)
		if (plugins[i].used && plugins[i].hangs)
			when_after(when_jitter(MS), finish, i, plugins[i].id);
}

uint64_t ipam_hash(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < MAX_PLUGINS; i++)
		if (plugins[i].used)
			sum += rng_mix(plugins[i].claim * 8 + plugins[i].verb * 2 +
				       plugins[i].job);
	for (unsigned i = 0; i < SIM_ADDRESSES; i++)
		if (addresses[i].used)
			sum += rng_mix(1000 + addresses[i].claim);
	return sum;
}
