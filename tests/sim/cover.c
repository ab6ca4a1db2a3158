/* SPDX-License-Identifier: Apache-2.0 */
#include "cover.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "fsm/lease.h"
#include "fsm/port.h"
#include "fsm/vf.h"

#define MAX_ROWS 64
#define N_KINDS (JOB_IMPORT + 1) /* of jobs, from 1 */

static struct counts {
	uint32_t vf[MAX_ROWS], lease[MAX_ROWS], port[MAX_ROWS];
	uint32_t job[N_KINDS][JF_N];
	uint32_t ipam[2][IF_N], op[OF_N], event[EVENT_N];
} counts;

const unsigned cover_bytes = sizeof(counts);

static const char *const job_fails[] = { "",
#define X(name, text) #name,
					 JOB_FAILS(X)
#undef X
};
static const char *const ipam_fails[] = { "",
#define X(name, text) #name,
					  IPAM_FAILS(X)
#undef X
};
static const char *const op_fails[] = {
#define X(name, text) #name,
	OP_FAILS(X)
#undef X
};

/* Rows, and kinds of jobs, that no history comes to, and why.  One that is reached all the
 * same is a failure: then it belongs here no longer. */
static const struct {
	const char *row, *why;
} unreachable[] = {
	{ "RESERVED FATAL", "no driver tells it: a port does, and that bars FREE VFs" },
	{ "DETACHING FATAL", "likewise" },
	{ "RESERVED NETNS_GONE", "an ADD holds a descriptor of its namespace" },
	{ "ASKED NETNS_GONE", "likewise" },
	{ "DETACHING TIMEOUT", "a release has rounds, not a deadline (GAVE_UP)" },
	{ "NONE ANSWERED", "R9: a late result is not used; if it were, a promise breaks" },
	{ "OWED ANSWERED", "likewise" },
	{ "CHECK", "no caller here calls CHECK, which changes nothing: test_engine_verbs" },
};

bool __wrap_vf_step(struct vf_fsm *vf, enum vf_event event, unsigned *todo);
bool __real_vf_step(struct vf_fsm *vf, enum vf_event event, unsigned *todo);
bool __wrap_lease_step(enum lease_state *state, enum lease_event event, unsigned *todo);
bool __real_lease_step(enum lease_state *state, enum lease_event event, unsigned *todo);
bool __wrap_port_step(enum port_state *state, enum port_event event, unsigned *todo);
bool __real_port_step(enum port_state *state, enum port_event event, unsigned *todo);

bool __wrap_vf_step(struct vf_fsm *vf, enum vf_event event, unsigned *todo)
{
	for (size_t i = 0; i < vf_n_rows; i++)
		if (vf_rows[i].from == vf->state && vf_rows[i].event == event &&
		    (!vf_rows[i].guard || vf_rows[i].guard(vf))) {
			counts.vf[i]++;
			break;
		}
	return __real_vf_step(vf, event, todo);
}

bool __wrap_lease_step(enum lease_state *state, enum lease_event event, unsigned *todo)
{
	for (size_t i = 0; i < lease_n_rows; i++)
		if (lease_rows[i].from == *state && lease_rows[i].event == event)
			counts.lease[i]++;
	return __real_lease_step(state, event, todo);
}

bool __wrap_port_step(enum port_state *state, enum port_event event, unsigned *todo)
{
	for (size_t i = 0; i < port_n_rows; i++)
		if (port_rows[i].from == *state && port_rows[i].event == event)
			counts.port[i]++;
	return __real_port_step(state, event, todo);
}

void cover_job(enum job_kind kind, enum job_fail fail)
{
	counts.job[kind][fail]++;
}

void cover_ipam(enum ipam_fail fail, bool del)
{
	counts.ipam[del][fail]++;
}

void cover_op(enum op_fail fail)
{
	counts.op[fail]++;
}

void cover_event(enum event_kind kind)
{
	counts.event[kind]++;
}

void *cover_data(void)
{
	return &counts;
}

void cover_add(const void *data)
{
	const uint32_t *from = data;
	uint32_t *to = (uint32_t *)(void *)&counts;

	for (size_t i = 0; i < sizeof(counts) / sizeof(*to); i++)
		to[i] += from[i];
}

/* As good as never among some thousand histories: nobody asks for it. */
static bool is_rare(const char *state, const char *event)
{
	/* What somebody else took comes back with a GUID of an attachment. */
	return !strcmp(state, "FAULTED") && !strcmp(event, "STALE");
}

static bool is_unreachable(const char *what, const char *a, const char *b)
{
	char row[64];

	if (!strcmp(what, "job"))
		snprintf(row, sizeof(row), "%s", a);
	else
		snprintf(row, sizeof(row), "%s %s", a, b);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(unreachable); i++)
		if (!strcmp(unreachable[i].row, row))
			return true;
	return false;
}

static unsigned missing, all;

static void item(uint32_t n, const char *what, const char *a, const char *b)
{
	bool out_of_reach = is_unreachable(what, a, b);

	if (!n && is_rare(a, b))
		return;
	all += !out_of_reach;
	if (!n == out_of_reach)
		return;
	missing++;
	printf("coverage: %s: %s %s %s\n",
	       out_of_reach ? "reached, but said to be out of reach" : "never", what, a, b);
}

unsigned cover_report(unsigned *n_all)
{
	missing = all = 0;
	for (size_t i = 0; i < vf_n_rows; i++)
		item(counts.vf[i], "vf row", vf_state_name(vf_rows[i].from),
		     vf_event_name(vf_rows[i].event));
	for (size_t i = 0; i < lease_n_rows; i++)
		item(counts.lease[i], "lease row", lease_state_name(lease_rows[i].from),
		     lease_event_name(lease_rows[i].event));
	for (size_t i = 0; i < port_n_rows; i++)
		item(counts.port[i], "port row", port_state_name(port_rows[i].from),
		     port_event_name(port_rows[i].event));
	for (unsigned kind = 1; kind < N_KINDS; kind++)
		for (unsigned fail = 1; fail < JF_N; fail++)
			item(counts.job[kind][fail], "job",
			     job_kind_name((enum job_kind)kind), job_fails[fail]);
	for (unsigned del = 0; del < 2; del++)
		for (unsigned fail = 1; fail < IF_N; fail++)
			item(counts.ipam[del][fail], del ? "IPAM DEL" : "IPAM ADD",
			     ipam_fails[fail], "");
	for (unsigned i = 0; i < OF_N; i++)
		item(counts.op[i], "engine lacks", op_fails[i], "");
	for (unsigned i = 0; i < EVENT_N; i++)
		item(counts.event[i], "event", event_name((enum event_kind)i), "");
	*n_all = all;
	return missing;
}
