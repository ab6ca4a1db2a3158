/* SPDX-License-Identifier: Apache-2.0 */
#include "collect.h"

#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "promises.h"
#include "shadow.h"
#include "story.h"

static uint64_t old_list; /* what the GC before this one was right to say */
/* When the newest GC of a network began that does not name a claim. */
static uint64_t doomed_ns[2][SIM_CLAIMS];

void collect_reset(void)
{
	old_list = 0;
	memset(doomed_ns, 0, sizeof(doomed_ns));
}

static unsigned network_of(unsigned claim)
{
	return claims[claim].network[1] == '1';
}

/* Every attachment of a pod that is there. */
static uint64_t living(void)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < SIM_CLAIMS && claims[i].used; i++)
		for (unsigned p = 0; p < SIM_PODS; p++)
			if (!strcmp(claims[i].container, pods[p].container))
				mask |= UINT64_C(1) << i;
	return mask;
}

struct call collect_call(struct rng *r)
{
	struct call c = { .verb = CNI_GC,
			  .claim = claim_any(r),
			  .ipam = rng_below(r, 3) > 0,
			  .listed = rng_below(r, 4) > 0,
			  .valid = living() };

	if (rng_one_in(r, 4)) {
		uint64_t now = c.valid;

		c.valid = old_list;
		old_list = now;
	} else {
		old_list = c.valid;
	}
	return c;
}

static void name(char *out, size_t cap, unsigned claim)
{
	snprintf(out, cap, "{\"containerID\":\"%s\",\"ifname\":\"%s\"}",
		 claims[claim].container, claims[claim].ifname);
}

void collect_list(char *out, size_t cap, const struct call *call)
{
	size_t n;

	out[0] = '\0';
	if (!call->listed)
		return;
	n = (size_t)snprintf(out, cap, ",\"cni.dev/valid-attachments\":[");
	for (unsigned i = 0; i < SIM_CLAIMS && n + 80 < cap; i++) {
		if (!(call->valid >> i & 1))
			continue;
		if (out[n - 1] == '}')
			out[n++] = ',';
		name(out + n, cap - n, i);
		n += strlen(out + n);
	}
	snprintf(out + n, cap - n, "]");
}

uint64_t collect_named(const char *text)
{
	uint64_t mask = 0;
	char one[80];

	for (unsigned i = 0; i < SIM_CLAIMS && claims[i].used; i++) {
		name(one, sizeof(one), i);
		if (strstr(text, one))
			mask |= UINT64_C(1) << i;
	}
	return mask;
}

static bool is_about(const struct call *call, unsigned claim)
{
	return claims[claim].used && call->listed && !(call->valid >> claim & 1) &&
	       !strcmp(claims[claim].network, claims[call->claim].network);
}

void collect_begins(struct call *call, uint64_t start_ns)
{
	uint64_t *doomed = doomed_ns[network_of(call->claim)];

	for (unsigned i = 0; i < SIM_CLAIMS && call->listed; i++)
		if (!(call->valid >> i & 1) && doomed[i] < start_ns)
			doomed[i] = start_ns; /* also one whose pod is still to come */
	/* An ADD that is under way the runtime should have held back: it may be late for this,
	 * also where it attaches what was attached before. */
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		unsigned claim = promise_owner(&vfs[i]);

		if (claim < SIM_CLAIMS && is_about(call, claim) && promise_attached(&vfs[i]))
			call->takes[i] = shadow.vf[i].rec.attach_seq;
	}
}

bool collect_may_take(unsigned claim, uint64_t add_start_ns)
{
	return doomed_ns[network_of(claim)][claim] >= add_start_ns;
}

void collect_answered(const struct call *call, uint64_t start_ns, int exit_code)
{
	for (unsigned i = 0; i < n_sim_vfs && !exit_code; i++) {
		const struct shadow_vf *s = &shadow.vf[i];
		unsigned claim = promise_owner(&vfs[i]);

		if (claim < SIM_CLAIMS && call->takes[i] == s->rec.attach_seq &&
		    promise_attached(&vfs[i]) && s->rec.client_start_ns <= start_ns &&
		    !promise_excused())
			broken("P2",
			       "a GC that does not name %s succeeds and its vf%u is %s",
			       claims[claim].container, i, vf_state_name(s->rec.state));
	}
}

void collect_pays(unsigned claim, uint64_t gc_start_ns)
{
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		const struct shadow_vf *s = &shadow.vf[i];

		if (s->have && s->rec.state == VF_ATTACHED && s->rec.lease_id &&
		    promise_owner(&vfs[i]) == claim &&
		    (s->rec.client_start_ns ? s->rec.client_start_ns :
					      claims[claim].imported_ns) <= gc_start_ns &&
		    !promise_excused())
			broken("P8", "IPAM GC takes the address of %s, which has vf%u",
			       claims[claim].container, i);
	}
}
