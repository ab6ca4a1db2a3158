/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <stdio.h>
#include <string.h>

#include "cover.h"
#include "story.h"
#include "when.h"

#define MAX_ARMED 16

static struct {
	enum job_kind kind;
	struct job_fault fault;
} armed[MAX_ARMED];
static unsigned n_armed;

static enum ipam_fail ipam[2][MAX_ARMED];
static unsigned n_ipam[2];
static unsigned ops[OF_N];
static struct card_fault {
	char command[16];
	enum card what;
	int sys;
	unsigned times;
	int64_t until_ns; /* slow: when it is done */
	bool met;
} card;

void faults_reset(void)
{
	faults_end();
}

void faults_end(void)
{
	n_armed = n_ipam[0] = n_ipam[1] = 0;
	memset(ops, 0, sizeof(ops));
	memset(&card, 0, sizeof(card));
}

void fault_arm_card(const char *command, enum card what, int sys, unsigned times)
{
	card = (struct card_fault){ .what = what, .sys = sys, .times = times };
	snprintf(card.command, sizeof(card.command), "%s", command);
}

enum card fault_take_card(const char *command, int *sys)
{
	if (!card.times || strcmp(card.command, command) != 0)
		return CARD_DOES;
	*sys = card.sys;
	card.met = true;
	if (card.what == CARD_SLOW) {
		if (!card.until_ns)
			card.until_ns = when_now + CARD_SLOW_NS;
		if (when_now < card.until_ns)
			return CARD_SLOW;
		card.times = 0;
		return CARD_DOES;
	}
	card.times--;
	return card.what;
}

bool fault_card_met(void)
{
	return card.met;
}

void fault_arm(enum job_kind kind, enum job_fail fail, int sys, unsigned writes)
{
	if (n_armed == MAX_ARMED)
		return;
	armed[n_armed].kind = kind;
	armed[n_armed++].fault =
		(struct job_fault){ .fail = fail, .sys = sys, .writes = writes };
}

struct job_fault fault_take(enum job_kind kind)
{
	struct job_fault none = { .fail = JF_NONE };

	for (unsigned i = 0; i < n_armed; i++) {
		struct job_fault fault = armed[i].fault;

		if (armed[i].kind != kind)
			continue;
		n_armed--;
		memmove(&armed[i], &armed[i + 1], (n_armed - i) * sizeof(armed[0]));
		cover_event(EVENT_JOB_FAULT);
		cover_job(kind, fault.fail);
		return fault;
	}
	return none;
}

void fault_arm_ipam(enum ipam_fail fail, bool del)
{
	if (n_ipam[del] < MAX_ARMED)
		ipam[del][n_ipam[del]++] = fail;
}

enum ipam_fail fault_take_ipam(bool del)
{
	enum ipam_fail fail;

	if (!n_ipam[del])
		return IF_NONE;
	fail = ipam[del][0];
	n_ipam[del]--;
	memmove(&ipam[del][0], &ipam[del][1], n_ipam[del] * sizeof(ipam[del][0]));
	cover_event(EVENT_IPAM_FAULT);
	cover_ipam(fail, del);
	return fail;
}

void fault_arm_op(enum op_fail fail)
{
	ops[fail]++;
}

bool fault_take_op(enum op_fail fail)
{
	if (!ops[fail])
		return false;
	ops[fail]--;
	cover_event(EVENT_OP_FAULT);
	cover_op(fail);
	return true;
}
