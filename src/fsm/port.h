/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of one PF port.  STATUS and the admission of an ADD read it.  Pure.
 * Layer: fsm.
 *
 * Drawn from the rows by 'vfctl fsm port':
 *
 * begin port diagram
 *   UNKNOWN
 *     +-- LINK_DOWN --------------> DOWN
 *     +-- LINK_INIT --------------> INIT
 *     +-- LINK_ACTIVE ------------> ACTIVE
 *     +-- DEVICE_FATAL -----------> FATAL
 *   DOWN
 *     +-- LOST -------------------> UNKNOWN
 *     +-- LINK_INIT --------------> INIT
 *     +-- LINK_ACTIVE ------------> ACTIVE
 *     +-- DEVICE_FATAL -----------> FATAL
 *   INIT
 *     +-- LOST -------------------> UNKNOWN
 *     +-- LINK_DOWN --------------> DOWN
 *     +-- LINK_ACTIVE ------------> ACTIVE
 *     +-- DEVICE_FATAL -----------> FATAL
 *   ACTIVE
 *     +-- LOST -------------------> UNKNOWN
 *     +-- LINK_DOWN --------------> DOWN
 *     +-- LINK_INIT --------------> INIT
 *     +-- DEVICE_FATAL -----------> FATAL
 *   FATAL
 *     +-- DEVICE_RECOVERED, LOST -> UNKNOWN
 * end port diagram
 */
#ifndef VFK_FSM_PORT_H
#define VFK_FSM_PORT_H

#include <stdbool.h>
#include <stddef.h>

#define PORT_STATES(X)                                                                   \
	X(UNKNOWN, 1) /* not asked yet, or the PF is being reset */                      \
	X(DOWN, 2)                                                                       \
	X(INIT, 3) /* link is up, the subnet manager has not made it active */           \
	X(ACTIVE, 4)                                                                     \
	X(FATAL, 5) /* the device is dead until it is reset: no ADD */

#define PORT_EVENTS(X)                                                                   \
	X(LINK_DOWN, 1)                                                                  \
	X(LINK_INIT, 2)                                                                  \
	X(LINK_ACTIVE, 3)                                                                \
	X(DEVICE_FATAL, 4)                                                               \
	X(DEVICE_RECOVERED, 5) /* devlink health or a reset says that it works again */  \
	X(LOST, 6)	       /* the PF or the source of its events is gone */

enum port_state {
#define X(name, value) PORT_##name = (value),
	PORT_STATES(X)
#undef X
};

enum port_event {
#define X(name, value) PORT_EV_##name = (value),
	PORT_EVENTS(X)
#undef X
};

#define PORT_TODOS(X)                                                                    \
	X(TELL, 0)  /* STATUS, metrics and log change */                                 \
	X(ALARM, 1) /* a person has to know */                                           \
	X(QUERY, 2) /* ask the kernel for the state */                                   \
	X(RETRY, 3) /* faulted VFs of this PF get PF_RECOVERED */

enum port_todo {
#define X(name, bit) PORT_DO_##name = 1 << (bit),
	PORT_TODOS(X)
#undef X
};

struct port_row {
	enum port_state from;
	enum port_event event;
	enum port_state to;
	unsigned todo;
};

extern const struct port_row port_rows[];
extern const size_t port_n_rows;

/* False: no such row, nothing is changed. */
bool port_step(enum port_state *state, enum port_event event, unsigned *todo);

const char *port_state_name(enum port_state state);
const char *port_event_name(enum port_event event);
const char *port_todo_name(enum port_todo bit);
bool port_state_valid(int value);
bool port_event_valid(int value);

#endif
