/* SPDX-License-Identifier: Apache-2.0 */
#include "fsm/vf.h"

#include "fsm/names.h"

static bool is_foreign(const struct vf_fsm *vf)
{
	return vf->foreign;
}

static bool is_ours(const struct vf_fsm *vf)
{
	return !vf->foreign;
}

/* clang-format off */
#define J VF_DO_JOURNAL
#define R(from, event, to, todo) { VF_##from, VF_EV_##event, NULL, NULL, VF_##to, todo }
#define RG(from, event, guard, to, todo)                                                 \
	{ VF_##from, VF_EV_##event, guard, #guard, VF_##to, todo }

const struct vf_row vf_rows[] = {
	/*  from      event           to         to do, in bit order */
	R(FREE,      ADD,           RESERVED,  J | VF_DO_SETUP),
	R(FREE,      ADOPT,         DETACHING, J | VF_DO_RESTORE),
	/* It lost its name and MTU: they are put back as after any attachment. */
	R(FREE,      RETURNED,      DETACHING, J | VF_DO_RESTORE),
	R(FREE,      BASELINE,      FREE,      J),
	RG(FREE,     TAKEN,         is_foreign, FAULTED, J | VF_DO_ALARM),
	R(FREE,      IMPORTED,      ATTACHED,  J),
	R(FREE,      VANISHED,      ABSENT,    J | VF_DO_FORGET),
	R(FREE,      REBOOT,        ABSENT,    J | VF_DO_FORGET),

	R(RESERVED,  STEP,          RESERVED,  J),
	R(RESERVED,  SETUP_DONE,    ATTACHED,  J | VF_DO_REPLY),
	R(RESERVED,  SETUP_FAILED,  DETACHING, J | VF_DO_RESTORE),
	/* The caller's time is over: it cannot wait for the end of the release. */
	R(RESERVED,  TIMEOUT,       DETACHING, J | VF_DO_RESTORE | VF_DO_REPLY),
	R(RESERVED,  DEL,           DETACHING, J | VF_DO_RESTORE | VF_DO_REPLY),
	R(RESERVED,  GC,            DETACHING, J | VF_DO_RESTORE | VF_DO_REPLY),
	R(RESERVED,  CALLER_GONE,   DETACHING, J | VF_DO_RESTORE),
	R(RESERVED,  REPLAY,        DETACHING, J | VF_DO_RESTORE),
	R(RESERVED,  NETNS_GONE,    DETACHING, J | VF_DO_RESTORE | VF_DO_REPLY),
	R(RESERVED,  ADMIN_RELEASE, DETACHING, J | VF_DO_RESTORE | VF_DO_REPLY),
	R(RESERVED,  FATAL,         DETACHING, J | VF_DO_RESTORE),
	/* A DEL that finds its VF ABSENT succeeds only because of this alarm (P2). */
	R(RESERVED,  VANISHED,      ABSENT,    J | VF_DO_ALARM | VF_DO_REPLY | VF_DO_FORGET),
	R(RESERVED,  REBOOT,        ABSENT,    J | VF_DO_FORGET),

	R(ATTACHED,  DEL,           DETACHING, J | VF_DO_RESTORE),
	R(ATTACHED,  GC,            DETACHING, J | VF_DO_RESTORE),
	R(ATTACHED,  NETNS_GONE,    DETACHING, J | VF_DO_RESTORE),
	R(ATTACHED,  RETURNED,      DETACHING, J | VF_DO_RESTORE),
	R(ATTACHED,  ADMIN_RELEASE, DETACHING, J | VF_DO_RESTORE),
	RG(ATTACHED, EXPORTED,      is_foreign, FAULTED, J | VF_DO_ALARM | VF_DO_FORGET),
	R(ATTACHED,  VANISHED,      ABSENT,    J | VF_DO_ALARM | VF_DO_FORGET),
	R(ATTACHED,  REBOOT,        ABSENT,    J | VF_DO_FORGET),

	R(DETACHING, STEP,          DETACHING, J),
	R(DETACHING, RESTORE_DONE,  FREE,      J | VF_DO_REPLY | VF_DO_FORGET),
	R(DETACHING, GAVE_UP,       FAULTED,   J | VF_DO_ALARM | VF_DO_REPLY),
	R(DETACHING, FATAL,         FAULTED,   J | VF_DO_ALARM | VF_DO_REPLY),
	R(DETACHING, TIMEOUT,       FAULTED,   J | VF_DO_ALARM | VF_DO_REPLY),
	R(DETACHING, VANISHED,      ABSENT,    J | VF_DO_ALARM | VF_DO_REPLY | VF_DO_FORGET),
	R(DETACHING, REBOOT,        ABSENT,    J | VF_DO_FORGET),

	/* What somebody else uses is never taken by a retry, not even by an administrator's:
	 * only its owner's DEL, an explicit release, or its own way home frees it (R14). */
	RG(FAULTED,  RETRY,         is_ours,    DETACHING, J | VF_DO_RESTORE),
	RG(FAULTED,  ADMIN_RETRY,   is_ours,    DETACHING, J | VF_DO_RESTORE),
	RG(FAULTED,  PF_RECOVERED,  is_ours,    DETACHING, J | VF_DO_RESTORE),
	R(FAULTED,   DEL,           DETACHING, J | VF_DO_RESTORE),
	R(FAULTED,   GC,            DETACHING, J | VF_DO_RESTORE),
	R(FAULTED,   ADMIN_RELEASE, DETACHING, J | VF_DO_RESTORE),
	R(FAULTED,   ADOPT,         DETACHING, J | VF_DO_RESTORE),
	RG(FAULTED,  HOME,          is_foreign, FREE, J | VF_DO_CAPTURE),
	RG(FAULTED,  IMPORTED,      is_foreign, ATTACHED, J),
	R(FAULTED,   VANISHED,      ABSENT,    J | VF_DO_FORGET),
	R(FAULTED,   REBOOT,        ABSENT,    J | VF_DO_FORGET),
	RG(FAULTED,  STALE,         is_foreign, DETACHING, J | VF_DO_CAPTURE | VF_DO_RESTORE),

	RG(ABSENT,   APPEARED,      is_foreign, FAULTED, J | VF_DO_ALARM),
	R(ABSENT,    APPEARED,      FREE,      J | VF_DO_CAPTURE),
	/* Cards set a GUID again that a VF had before it went: it is undone as any other. */
	R(ABSENT,    STALE,         DETACHING, J | VF_DO_CAPTURE | VF_DO_RESTORE),
};
/* clang-format on */
const size_t vf_n_rows = sizeof(vf_rows) / sizeof(vf_rows[0]);

bool vf_step(struct vf_fsm *vf, enum vf_event event, unsigned *todo)
{
	for (size_t i = 0; i < vf_n_rows; i++) {
		const struct vf_row *row = &vf_rows[i];

		if (row->from != vf->state || row->event != event)
			continue;
		if (row->guard && !row->guard(vf))
			continue;
		vf->state = row->to;
		if (row->to != VF_FAULTED)
			vf->foreign = false;
		*todo = row->todo;
		return true;
	}
	return false;
}

FSM_NAMES(vf_state_name, vf_state_valid, enum vf_state, VF_, VF_STATES)
FSM_NAMES(vf_event_name, vf_event_valid, enum vf_event, VF_EV_, VF_EVENTS)
FSM_BIT_NAMES(vf_todo_name, enum vf_todo, VF_DO_, VF_TODOS)
