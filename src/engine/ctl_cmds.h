/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of control.sock and of vfctl: one list for the engine, vfctl, its help, its
 * completion and the test of its man page.  Layer: engine. */
#ifndef VFK_ENGINE_CTL_CMDS_H
#define VFK_ENGINE_CTL_CMDS_H

#include "base/attr.h"
#include "base/err.h"
#include "io/codec.h"

enum ctl_cmd_kind {
	CTL_READ,    /* looks; without an engine vfctl answers from the journal */
	CTL_CHANGE,  /* changes something; vfctl starts an engine where none answers */
	CTL_LIVE,    /* of a running engine only; vfctl starts none for it */
	CTL_LOCAL,   /* vfctl alone, never sent */
	CTL_BOTH,    /* likewise, but vfctl asks an engine for parts of it */
	CTL_INTERNAL /* between our programs; in no help */
};

/* X(NAME, name, usage of the words that follow, least words, most words, kind, help).  An
 * option (--force, --dot) counts as a word.  VF is one word or "pod NAMESPACE/NAME". */
#define CTL_CMDS(X)                                                                        \
	X(LIST, "list", "", 0, 0, CTL_READ, "all VFs with state, age and pod")             \
	X(SHOW, "show", "VF", 1, 2, CTL_READ, "everything that is known of one VF")        \
	X(EXPLAIN, "explain", "VF", 1, 2, CTL_LOCAL,                                       \
	  "what happened to a VF or pod, step by step, and why")                           \
	X(HISTORY, "history", "[-n N] [VF]", 0, 2, CTL_LOCAL,                              \
	  "what happened, one line per record of the journal")                             \
	X(WATCH, "watch", "", 0, 0, CTL_LOCAL, "all VFs and what happens to them, live")   \
	X(STATUS, "status", "[-v]", 0, 0, CTL_READ, "the engine, its journal, and counts") \
	X(PORTS, "ports", "", 0, 0, CTL_READ, "the ports of the physical functions")       \
	X(LEASES, "leases", "", 0, 0, CTL_READ,                                            \
	  "what IPAM plugins have leased or are owed")                                     \
	X(RELEASE, "release", "VF [--force]", 1, 3, CTL_CHANGE,                            \
	  "take a VF from its owner and make it free")                                     \
	X(RETRY, "retry", "VF", 1, 2, CTL_CHANGE, "try the release of a faulted VF again") \
	X(CORDON, "cordon", "VF|PF|node [--reason TEXT]", 1, 4, CTL_CHANGE,                \
	  "serve no ADD on a VF, a PF or the node")                                        \
	X(UNCORDON, "uncordon", "VF|PF|node", 1, 2, CTL_CHANGE, "end that")                \
	X(RECONCILE, "reconcile", "[--dry-run]", 0, 1, CTL_CHANGE,                         \
	  "look at all VFs now, and act on what differs from the records")                 \
	X(IMPORT, "import", "[--dry-run] [--dialect NAME]", 0, 3, CTL_BOTH,                \
	  "take over what ib-sriov-cni and sriov-cni attached")                            \
	X(EXPORT, "export", "[--dry-run] [--dialect NAME]", 0, 3, CTL_BOTH,                \
	  "hand what is attached over to them")                                            \
	X(DOCTOR, "doctor", "", 0, 0, CTL_LOCAL,                                           \
	  "what is wrong on this node, also beside other plugins")                         \
	X(LOG, "log", "[MODULE|all LEVEL]", 0, 2, CTL_LIVE,                                \
	  "how much the running engine logs, by module")                                   \
	X(FSM, "fsm", "[--dot] [vf|lease|port]", 0, 2, CTL_LOCAL,                          \
	  "the state machines as diagrams and tables, or for Graphviz")                    \
	X(VERSION, "version", "", 0, 0, CTL_READ, "version of vfctl and of the engine")    \
	X(HELP, "help", "[COMMAND]", 0, 1, CTL_LOCAL, "this list, or one command")         \
	X(PING, "ping", "", 0, 0, CTL_INTERNAL, "whether an engine answers")               \
	X(GIVE_WAY, "give-way", "", 0, 0, CTL_INTERNAL,                                    \
	  "end within a second in favour of the caller")                                   \
	X(REPLAY_APPLY, "replay-apply", "", 0, 0, CTL_INTERNAL, "finish all that is owed") \
	X(IMPORT_DONE, "import-done", "", 0, 0, CTL_INTERNAL, "all files were looked at")  \
	X(EXPORT_LIST, "export-list", "[PLUGIN]", 0, 1, CTL_INTERNAL,                      \
	  "all that is attached, as files of another plugin")                              \
	X(EXPORT_DONE, "export-done", "VF NUMBER", 2, 2, CTL_INTERNAL,                     \
	  "the file of that attachment is written")

enum ctl_cmd_id {
#define X(NAME, name, usage, min, max, kind, help) CTL_CMD_##NAME,
	CTL_CMDS(X)
#undef X
		CTL_N_CMDS
};

struct ctl_cmd {
	enum ctl_cmd_id id;
	const char *name, *usage, *help;
	unsigned min_args, max_args;
	enum ctl_cmd_kind kind;
};

extern const struct ctl_cmd ctl_cmds[CTL_N_CMDS];

const struct ctl_cmd *ctl_cmd_find(const char *name); /* NULL: unknown */

/* For the engine: is this a command that is sent, with a possible number of words?  VFK_E_USAGE
 * with one line, or 0 and '*out'. */
int ctl_cmd_check(const struct ctl_request *rq, const struct ctl_cmd **out,
		  struct vfk_err *err) VFK_MUST_CHECK;

#endif
