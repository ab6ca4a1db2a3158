/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

#include <stdio.h>
#include <string.h>

#include "engine/ctl_cmds.h"
#include "cover.h"
#include "engines.h"
#include "promises.h"
#include "story.h"

static bool cordoned_node, cordoned_pf[SIM_PFS], cordoned_vf[SIM_VFS];

void admin_reset(void)
{
	admin_forget();
}

void admin_forget(void)
{
	cordoned_node = false;
	memset(cordoned_pf, 0, sizeof(cordoned_pf));
	memset(cordoned_vf, 0, sizeof(cordoned_vf));
}

/* False: there is no engine to say it to, or it says no, or dies of it. */
static bool say(const char *command, const char *word, const char *more)
{
	struct ctl_request rq = { .version = CTL_VERSION, .n_args = more ? 2 : 1 };

	snprintf(rq.command, sizeof(rq.command), "%s", command);
	snprintf(rq.args[0], sizeof(rq.args[0]), "%s", word);
	if (more)
		snprintf(rq.args[1], sizeof(rq.args[1]), "%s", more);
	story("administrator: vfctl %s %s", command, word);
	return engine_says_yes(&rq);
}

void admin_release(const struct kvf *v)
{
	char addr[PCI_STRLEN];

	promise_released((unsigned)(v - vfs));
	if (say("release", pci_format(v->addr, addr), "--force"))
		cover_event(EVENT_ADMIN_RELEASE);
}

void admin_retry(const struct kvf *v)
{
	char addr[PCI_STRLEN];

	if (say("retry", pci_format(v->addr, addr), NULL))
		cover_event(EVENT_ADMIN_RETRY);
}

void admin_cordon(struct rng *r, bool on)
{
	unsigned vf = rng_below(r, n_sim_vfs), pf = rng_below(r, SIM_PFS);
	char addr[PCI_STRLEN] = "node";
	bool *is = &cordoned_node;

	if (rng_one_in(r, 3)) {
		is = &cordoned_pf[pf];
		pci_format(PF_ADDR(pf), addr);
	} else if (rng_below(r, 3)) {
		is = &cordoned_vf[vf];
		pci_format(vfs[vf].addr, addr);
	}
	if (!on)
		*is = false; /* it may be so even if nobody says so */
	if (!say(on ? "cordon" : "uncordon", addr, NULL))
		return;
	cover_event(on ? EVENT_CORDON : EVENT_UNCORDON);
	*is = on;
}

bool admin_uncordon_all(void)
{
	char addr[PCI_STRLEN];
	bool said = say("uncordon", "node", NULL);

	for (unsigned i = 0; i < SIM_PFS && said; i++)
		said = say("uncordon", pci_format(PF_ADDR(i), addr), NULL);
	for (unsigned i = 0; i < n_sim_vfs && said; i++)
		said = say("uncordon", pci_format(vfs[i].addr, addr), NULL);
	if (said)
		admin_forget();
	return said;
}

bool admin_cordon_node(void)
{
	if (!say("cordon", "node", NULL))
		return false;
	cordoned_node = true;
	return true;
}

bool admin_is_cordoned(const struct kvf *v)
{
	return cordoned_node || cordoned_pf[v->pf] || cordoned_vf[v - vfs];
}
