/* SPDX-License-Identifier: Apache-2.0 */
#include "fsm/port.h"

#include "fsm/names.h"

/* clang-format off */
#define T PORT_DO_TELL
#define R(from, event, to, todo) { PORT_##from, PORT_EV_##event, PORT_##to, todo }

const struct port_row port_rows[] = {
	R(UNKNOWN, LINK_DOWN,        DOWN,    T),
	R(UNKNOWN, LINK_INIT,        INIT,    T),
	R(UNKNOWN, LINK_ACTIVE,      ACTIVE,  T),
	R(UNKNOWN, DEVICE_FATAL,     FATAL,   T | PORT_DO_ALARM),

	R(DOWN,    LINK_INIT,        INIT,    T),
	R(DOWN,    LINK_ACTIVE,      ACTIVE,  T),
	R(DOWN,    DEVICE_FATAL,     FATAL,   T | PORT_DO_ALARM),
	R(DOWN,    LOST,             UNKNOWN, T | PORT_DO_QUERY),

	R(INIT,    LINK_DOWN,        DOWN,    T),
	R(INIT,    LINK_ACTIVE,      ACTIVE,  T),
	R(INIT,    DEVICE_FATAL,     FATAL,   T | PORT_DO_ALARM),
	R(INIT,    LOST,             UNKNOWN, T | PORT_DO_QUERY),

	R(ACTIVE,  LINK_DOWN,        DOWN,    T),
	R(ACTIVE,  LINK_INIT,        INIT,    T),
	R(ACTIVE,  DEVICE_FATAL,     FATAL,   T | PORT_DO_ALARM),
	R(ACTIVE,  LOST,             UNKNOWN, T | PORT_DO_QUERY),

	/* Link events of a dead device mean nothing: only a recovery ends FATAL. */
	R(FATAL,   DEVICE_RECOVERED, UNKNOWN, T | PORT_DO_QUERY | PORT_DO_RETRY),
	R(FATAL,   LOST,             UNKNOWN, T | PORT_DO_QUERY),
};
/* clang-format on */
const size_t port_n_rows = sizeof(port_rows) / sizeof(port_rows[0]);

bool port_step(enum port_state *state, enum port_event event, unsigned *todo)
{
	for (size_t i = 0; i < port_n_rows; i++) {
		const struct port_row *row = &port_rows[i];

		if (row->from != *state || row->event != event)
			continue;
		*state = row->to;
		*todo = row->todo;
		return true;
	}
	return false;
}

FSM_NAMES(port_state_name, port_state_valid, enum port_state, PORT_, PORT_STATES)
FSM_NAMES(port_event_name, port_event_valid, enum port_event, PORT_EV_, PORT_EVENTS)
FSM_BIT_NAMES(port_todo_name, enum port_todo, PORT_DO_, PORT_TODOS)
