/* SPDX-License-Identifier: Apache-2.0 */
#include "vfctl/local.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/ctl_cmds.h"
#include "engine/view.h"
#include "fsm/graph.h"

void help_print(void)
{
	printf("Usage: vfctl [-hjV] [-o table|json] [-s SOCKET] COMMAND [ARGUMENT...]\n"
	       "Shows and changes what vfkeeper knows of the virtual functions of this node.\n"
	       "\nCommands:\n");
	for (size_t i = 0; i < CTL_N_CMDS; i++) {
		const struct ctl_cmd *cmd = &ctl_cmds[i];
		char usage[80];

		if (cmd->kind == CTL_INTERNAL)
			continue;
		snprintf(usage, sizeof(usage), "%s%s%s", cmd->name,
			 cmd->usage[0] ? " " : "", cmd->usage);
		printf("  %-29s %s\n", usage, cmd->help);
	}
	printf("\nOptions:\n"
	       "  -h, --help                    this help\n"
	       "  -j, --json                    the same as -o json\n"
	       "  -o, --output table|json       how answers are printed (default: table)\n"
	       "  -s, --socket SOCKET           ask the engine at SOCKET, and only that one\n"
	       "  -V, --version                 the version of vfctl\n"
	       "\nA VF is named by its PCI address, PF/index, netdev, GUID, CID/IFNAME, or by\n"
	       "'pod NAMESPACE/NAME'.\n"
	       "\nExit status: 0 done, 1 failed, 2 usage, 3 the journal has a torn tail,\n"
	       "4 the journal is damaged or of an unknown version, 5 busy.\n");
}

static const char *kind_text(enum ctl_cmd_kind kind)
{
	switch (kind) {
	case CTL_READ:
		return "Asks the engine; where none answers it reads the journal.";
	case CTL_CHANGE:
	case CTL_BOTH:
		return "Needs an engine; where none answers one is started.";
	case CTL_LIVE:
		return "Asks the engine that runs; none is started.";
	case CTL_LOCAL:
	case CTL_INTERNAL:
		return "Needs no engine.";
	}
	return "";
}

int help_command(const char *name, struct vfk_err *err)
{
	const struct ctl_cmd *cmd = ctl_cmd_find(name);

	if (!cmd || cmd->kind == CTL_INTERNAL)
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "unknown command %s (see vfctl help)", name);
	printf("Usage: vfctl %s%s%s\n\n  %s\n  %s\n", cmd->name, cmd->usage[0] ? " " : "",
	       cmd->usage, cmd->help, kind_text(cmd->kind));
	return 0;
}

static void put(void *arg, const char *text, size_t len_bytes)
{
	fwrite(text, 1, len_bytes, arg);
}

static json_t *machine_json(enum fsm_machine m)
{
	json_t *doc = json_object(), *states = json_array(), *events = json_array();
	json_t *rows = json_array();

	for (size_t i = 0; i < fsm_n_states(m); i++)
		json_array_append_new(states, json_string(fsm_state(m, i)));
	for (size_t i = 0; i < fsm_n_events(m); i++)
		json_array_append_new(events, json_string(fsm_event(m, i)));
	for (size_t i = 0; i < fsm_n_edges(m); i++) {
		json_t *row = json_object(), *todo = json_array();
		struct fsm_edge e;

		fsm_edge(m, i, &e);
		for (unsigned k = 0; k < e.n_todo; k++)
			json_array_append_new(todo, json_string(e.todo[k]));
		json_object_set_new(row, "from", json_string(e.from));
		json_object_set_new(row, "event", json_string(e.event));
		json_object_set_new(row, "guard",
				    e.guard ? json_string(e.guard) : json_null());
		json_object_set_new(row, "to", json_string(e.to));
		json_object_set_new(row, "todo", todo);
		json_array_append_new(rows, row);
	}
	json_object_set_new(doc, "name", json_string(fsm_machine_name(m)));
	json_object_set_new(doc, "states", states);
	json_object_set_new(doc, "events", events);
	json_object_set_new(doc, "rows", rows);
	return doc;
}

int fsm_print(const char *machine, bool dot, bool json, struct vfk_err *err)
{
	json_t *doc = json ? json_object() : NULL, *list = json ? json_array() : NULL;
	enum fsm_machine only = FSM_VF;
	bool first = true;
	char *text = NULL;
	int rc = 0;

	if (machine && !fsm_machine_find(machine, &only))
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "unknown machine %s (there are vf, lease and port)",
				   machine);
	for (int i = 0; i < FSM_N_MACHINES; i++) {
		enum fsm_machine m = (enum fsm_machine)i;

		if (machine && m != only)
			continue;
		if (json) {
			json_array_append_new(list, machine_json(m));
			continue;
		}
		if (dot) {
			fsm_dot(m, put, stdout);
			continue;
		}
		printf("%sMachine %s\n\n", first ? "" : "\n", fsm_machine_name(m));
		fsm_diagram(m, put, stdout);
		printf("\n");
		fsm_table(m, put, stdout);
		first = false;
	}
	if (json) {
		json_object_set_new(doc, "machines", list);
		rc = view_dump(doc, &text, err);
		if (rc == 0)
			fputs(text, stdout);
		free(text);
	}
	return rc;
}
