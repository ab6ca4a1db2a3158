/* SPDX-License-Identifier: Apache-2.0 */
#include "fsm/lease.h"

#include "fsm/names.h"

/* clang-format off */
#define J LEASE_DO_JOURNAL
#define R(from, event, to, todo) { LEASE_##from, LEASE_EV_##event, LEASE_##to, todo }

const struct lease_row lease_rows[] = {
	/*  from  event          to     to do, in bit order */
	R(NONE,  ASK,           ASKED, J | LEASE_DO_SYNC | LEASE_DO_RUN),
	/* The answer of a plugin that was given up and paid for: it may have leased since (R9). */
	R(NONE,  ANSWERED,      OWED,  J | LEASE_DO_PAY),
	R(NONE,  ADOPT,         OWED,  J | LEASE_DO_PAY),
	R(NONE,  IMPORTED,      HELD,  J),

	R(ASKED, ANSWERED,      HELD,  J),
	R(ASKED, NOT_RUN,       NONE,  J | LEASE_DO_FORGET),
	R(ASKED, FAILED,        OWED,  J | LEASE_DO_PAY),
	R(ASKED, TIMEOUT,       OWED,  J | LEASE_DO_PAY),
	R(ASKED, DEL,           OWED,  J | LEASE_DO_PAY),
	R(ASKED, CALLER_GONE,   OWED,  J | LEASE_DO_PAY),
	R(ASKED, REPLAY,        OWED,  J | LEASE_DO_PAY),
	R(ASKED, SETUP_FAILED,  OWED,  J | LEASE_DO_PAY),
	R(ASKED, GC,            OWED,  J | LEASE_DO_PAY),
	R(ASKED, NETNS_GONE,    OWED,  J | LEASE_DO_PAY),
	R(ASKED, ADMIN_RELEASE, OWED,  J | LEASE_DO_PAY),
	R(ASKED, REBOOT,        OWED,  J),

	R(HELD,  SETUP_FAILED,  OWED,  J | LEASE_DO_PAY),
	R(HELD,  TIMEOUT,       OWED,  J | LEASE_DO_PAY),
	R(HELD,  DEL,           OWED,  J | LEASE_DO_PAY),
	R(HELD,  GC,            OWED,  J | LEASE_DO_PAY),
	R(HELD,  NETNS_GONE,    OWED,  J | LEASE_DO_PAY),
	R(HELD,  CALLER_GONE,   OWED,  J | LEASE_DO_PAY),
	R(HELD,  REPLAY,        OWED,  J | LEASE_DO_PAY),
	R(HELD,  ADMIN_RELEASE, OWED,  J | LEASE_DO_PAY),
	R(HELD,  REBOOT,        OWED,  J),
	R(HELD,  EXPORTED,      NONE,  J | LEASE_DO_FORGET),

	/* Likewise late: a payment that began before it counts for nothing. */
	R(OWED,  ANSWERED,      OWED,  J | LEASE_DO_PAY),
	R(OWED,  PAID,          NONE,  J | LEASE_DO_FORGET),
	R(OWED,  UNPAID,        OWED,  J | LEASE_DO_BACK_OFF),
};
/* clang-format on */
const size_t lease_n_rows = sizeof(lease_rows) / sizeof(lease_rows[0]);

bool lease_step(enum lease_state *state, enum lease_event event, unsigned *todo)
{
	for (size_t i = 0; i < lease_n_rows; i++) {
		const struct lease_row *row = &lease_rows[i];

		if (row->from != *state || row->event != event)
			continue;
		*state = row->to;
		*todo = row->todo;
		return true;
	}
	return false;
}

FSM_NAMES(lease_state_name, lease_state_valid, enum lease_state, LEASE_, LEASE_STATES)
FSM_NAMES(lease_event_name, lease_event_valid, enum lease_event, LEASE_EV_, LEASE_EVENTS)
FSM_BIT_NAMES(lease_todo_name, enum lease_todo, LEASE_DO_, LEASE_TODOS)
