/* SPDX-License-Identifier: Apache-2.0 */
/* Names and validity of an X-macro enum, so that no second list exists.  Layer: fsm. */
#ifndef VFK_FSM_NAMES_H
#define VFK_FSM_NAMES_H

/* clang-format off */
#define FSM_NAME_CASE_(name, value) case (value): return #name;
#define FSM_VALID_CASE_(name, value) case (value): return true;
#define FSM_BIT_CASE_(name, bit) case (1 << (bit)): return #name;

#define FSM_NAMES(name_fn, valid_fn, type, prefix, LIST)                                 \
	const char *name_fn(type v)                                                      \
	{                                                                                \
		switch ((int)v) {                                                        \
		LIST(FSM_NAME_CASE_)                                                     \
		}                                                                        \
		return "?";                                                              \
	}                                                                                \
	bool valid_fn(int v)                                                             \
	{                                                                                \
		switch (v) {                                                             \
		LIST(FSM_VALID_CASE_)                                                    \
		}                                                                        \
		return false;                                                            \
	}

#define FSM_BIT_NAMES(name_fn, type, prefix, LIST)                                       \
	const char *name_fn(type v)                                                      \
	{                                                                                \
		switch ((int)v) {                                                        \
		LIST(FSM_BIT_CASE_)                                                      \
		}                                                                        \
		return "?";                                                              \
	}
/* clang-format on */

#endif
