/* SPDX-License-Identifier: Apache-2.0 */
/* What is promised of IPAM: P1, P8, R9, R11. */
#include "promises.h"

#include <stdio.h>
#include <string.h>

#include "callers.h"
#include "fds.h"
#include "io/inflight.h"
#include "ipam.h"
#include "shadow.h"
#include "story.h"
#include "when.h"

#define MAX_ASKED 256

/* Leases that a plugin was told to ask for. */
static struct {
	uint64_t id;
	unsigned claim;
	char text[500]; /* configuration of its ADD */
	int64_t began;
} asked[MAX_ASKED];
static unsigned n_asked;

/* Leases, also imported ones, whose IPAM DEL was wanted when nothing could be recorded. */
static uint64_t unrecorded[MAX_ASKED];
static unsigned n_unrecorded;

void promise_asked_forget(void)
{
	n_asked = n_unrecorded = 0;
}

static int asked_place(uint64_t id)
{
	for (unsigned i = 0; i < n_asked; i++)
		if (asked[i].id == id)
			return (int)i;
	return -1;
}

bool promise_asked_lately(uint64_t lease)
{
	int i = asked_place(lease);

	return i >= 0 && when_now - asked[i].began < 130 * SEC;
}

/* P10: the release before it is forgotten by the next engine, which settles it later. */
static bool pays_unrecorded(uint64_t lease)
{
	for (unsigned i = 0; i < n_unrecorded; i++)
		if (unrecorded[i] == lease)
			return true;
	return false;
}

void promise_pay_wanted(uint64_t lease)
{
	bool was = pays_unrecorded(lease);

	if (promise_excused() && !was && n_unrecorded < MAX_ASKED)
		unrecorded[n_unrecorded++] = lease;
	for (unsigned i = 0; i < n_unrecorded && was && !promise_excused(); i++)
		if (unrecorded[i] == lease)
			unrecorded[i] = unrecorded[--n_unrecorded];
}

void promise_run(unsigned claim, uint64_t nonce, const struct frame_run *run,
		 const int *fds, unsigned n_fds)
{
	const struct shadow_lease *l = shadow_lease(run->run_id);
	int i = asked_place(run->run_id);

	(void)nonce;
	if (!n_fds || fd_kind_of(fds[0]) != FD_BYTE)
		broken("R9",
		       "a client is told to run a plugin without the byte of its lease");
	if (run->verb == CNI_DEL)
		promise_pay_wanted(run->run_id);
	if (run->verb != CNI_ADD)
		return;
	if (n_fds && fd_number(fds[0]) != inflight_lease(run->run_id))
		broken("R9", "IPAM ADD is run with another lease's byte");
	if (!l || l->rec.state != LEASE_ASKED)
		broken("P1", "IPAM is asked for %s before ASKED is written",
		       claims[claim].container);
	else if (!shadow_synced(&l->at))
		broken("P1", "IPAM is asked for %s before ASKED is synced",
		       claims[claim].container);
	if (i >= 0)
		broken("R9", "IPAM ADD is asked twice for lease %llu",
		       (unsigned long long)run->run_id);
}

void promise_runs(uint64_t lease, unsigned claim, bool del, const char *text)
{
	const struct kvf *v = shadow_vf_of_lease(lease);
	int i = asked_place(lease);

	if (ipam_runs(lease) && promise_asked_lately(lease))
		broken("R9", "two plugins run for lease %llu at a time",
		       (unsigned long long)lease);
	if (!del) {
		if (n_asked < MAX_ASKED && text) {
			asked[n_asked].id = lease;
			asked[n_asked].claim = claim;
			asked[n_asked].began = when_now;
			snprintf(asked[n_asked++].text, sizeof(asked[0].text), "%s", text);
		}
		return;
	}
	if (i >= 0) { /* else it is imported, or the DEL has its own configuration */
		asked[i].began = when_now;
		if (asked[i].claim != claim)
			broken("R11", "the lease of %s is paid for %s",
			       claims[asked[i].claim].container, claims[claim].container);
		/* It cannot be read back where no journal can be opened. */
		if ((!text || strcmp(text, asked[i].text) != 0) && !promise_excused() &&
		    !shadow_conf_lost(lease))
			broken("P8",
			       "IPAM DEL of %s does not get the configuration of its ADD",
			       claims[claim].container);
	}
	if (v && !promise_excused() && v->link.ifindex && v->link.ns > HOME &&
	    netns_reachable(v->link.ns) && !v->moved_by_others)
		broken("R11", "IPAM DEL of %s begins while vf%u is in its namespace",
		       claims[claim].container, (unsigned)(v - vfs));
}

void promise_pays(unsigned claim, uint64_t lease)
{
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		const struct shadow_vf *s = &shadow.vf[i];

		if (!s->have || s->rec.state != VF_ATTACHED ||
		    promise_owner(&vfs[i]) != claim || !s->rec.lease_id ||
		    promise_excused() || promise_damaged() || /* that it was paid is lost */
		    (s->rec.lease_id == lease && pays_unrecorded(lease)))
			continue;
		broken(s->rec.lease_id == lease ? "R11" : "P8",
		       "the address of %s is given back while vf%u is attached with it",
		       claims[claim].container, i);
	}
}
