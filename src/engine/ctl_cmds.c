/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ctl_cmds.h"

#include <string.h>

const struct ctl_cmd ctl_cmds[CTL_N_CMDS] = {
#define X(NAME, name, usage, min, max, kind, help)                                       \
	[CTL_CMD_##NAME] = { CTL_CMD_##NAME, name, usage, help, min, max, kind },
	CTL_CMDS(X)
#undef X
};

const struct ctl_cmd *ctl_cmd_find(const char *name)
{
	for (size_t i = 0; i < CTL_N_CMDS; i++) {
		if (!strcmp(ctl_cmds[i].name, name))
			return &ctl_cmds[i];
	}
	return NULL;
}

int ctl_cmd_check(const struct ctl_request *rq, const struct ctl_cmd **out,
		  struct vfk_err *err)
{
	const struct ctl_cmd *cmd = ctl_cmd_find(rq->command);

	if (!cmd || cmd->kind == CTL_LOCAL || cmd->kind == CTL_BOTH)
		return vfk_err_set(err, VFK_E_USAGE, 0, "unknown command %s", rq->command);
	if (rq->n_args < cmd->min_args || rq->n_args > cmd->max_args)
		return vfk_err_set(err, VFK_E_USAGE, 0, "usage: %s%s%s", cmd->name,
				   cmd->usage[0] ? " " : "", cmd->usage);
	*out = cmd;
	return 0;
}
