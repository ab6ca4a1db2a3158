/* SPDX-License-Identifier: Apache-2.0 */
/* What runtimes do in a scenario. */
#include <stdio.h>
#include <string.h>

#include "callers.h"
#include "history.h"
#include "scenario.h"
#include "story.h"
#include "when.h"

#define PATIENCE (130 * SEC)
#define MAX_CALLS 40

static struct asked {
	enum cni_verb verb;
	unsigned claim, vf;
	char pod, ifname[8];
	bool ipam, told;
} asked[MAX_CALLS];
static unsigned n_asked;

void scenario_calls_reset(void)
{
	n_asked = 0;
}

/* KEY=VALUE of a step, as members of the network's configuration. */
static void members(const struct scenario_step *s, char *out, size_t cap)
{
	static const struct {
		const char *key, *fmt;
	} keys[] = {
		{ "mtu", ",\"mtu\":%s" },
		{ "vlan", ",\"vlan\":%s" },
		{ "mac", ",\"mac\":\"02:00:00:00:be:0%s\"" },
		{ "guid",
		  ",\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:00:00:ff:0%s\"}" },
		{ "state", ",\"link_state\":\"%s\"" },
		{ "spoofchk", ",\"spoofchk\":\"%s\"" },
		{ "trust", ",\"trust\":\"%s\"" },
		{ "isolated", ",\"rdmaIsolation\":true%s" },
		{ "keep", ",\"guidPolicy\":\"keep\"%s" },
	};
	size_t len = 0;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(keys); i++) {
		const char *value = scenario_value(s, keys[i].key);
		char text[100];

		if (!value)
			continue;
		snprintf(text, sizeof(text), "%s", keys[i].fmt);
		*strstr(text, "%s") = '\0';
		len += (size_t)snprintf(out + len, cap - len, "%s%s%s", text, value,
					strstr(keys[i].fmt, "%s") + 2);
		if (len >= cap)
			scenario_bad("too many members");
	}
}

static void tell(struct asked *a)
{
	int exit_code = caller_last_exit(a->claim, a->verb);

	a->told = true;
	scenario_print("%s %c %s %s: ", a->verb == CNI_ADD ? "ADD" : "DEL", a->pod,
		       scenario_vf_name(a->vf), a->ifname);
	if (exit_code == 0)
		scenario_print("ok\n");
	else if (exit_code < 0)
		scenario_print("no answer\n");
	else
		scenario_print("code %d\n", caller_last_code(a->claim, a->verb));
}

/* ... add|del POD VF [KEY=VALUE...]; the words from 'from' on. */
void scenario_call(const struct scenario_step *s, unsigned from, bool wait)
{
	int pod = s->n > from + 2 ? scenario_pod(s->word[from + 1]) : -1;
	const struct kvf *v = s->n > from + 2 ? scenario_vf(s->word[from + 2]) : NULL;
	const char *ifname = scenario_value(s, "if");
	struct asked *a = &asked[n_asked];
	struct call c = { .ipam = scenario_value(s, "ipam") };

	if (pod < 0 || !v || n_asked == MAX_CALLS ||
	    (strcmp(s->word[from], "add") != 0 && strcmp(s->word[from], "del") != 0)) {
		scenario_bad("want add or del, a pod and a VF");
		return;
	}
	scenario_keys(s, from + 3,
		      !strcmp(s->word[from], "add") ?
			      "if= mtu= vlan= mac= guid= spoofchk= trust= state= isolated keep ipam nonetns" :
			      "if= ipam nonetns");
	if (scenario_is_bad())
		return;
	c.verb = !strcmp(s->word[from], "add") ? CNI_ADD : CNI_DEL;
	c.claim = claim_of((unsigned)pod, ifname && !strcmp(ifname, "net2"));
	c.vf = (unsigned)(v - vfs);
	c.netns = !scenario_value(s, "nonetns");
	if (c.verb == CNI_ADD)
		members(s, c.members, sizeof(c.members));
	*a = (struct asked){ .verb = c.verb,
			     .claim = c.claim,
			     .vf = c.vf,
			     .pod = (char)('a' + pod),
			     .ipam = c.ipam };
	snprintf(a->ifname, sizeof(a->ifname), "%s", claims[c.claim].ifname);
	n_asked++;
	caller_start(&c);
	if (wait)
		scenario_await();
}

void scenario_await(void)
{
	for (int64_t t = 0; callers_running() && t < PATIENCE; t += 5 * MS)
		if (!world_run(5 * MS))
			return;
	for (unsigned i = 0; i < n_asked; i++)
		if (!asked[i].told)
			tell(&asked[i]);
}

/* Of whom no DEL was answered with 0 since the last ADD. */
void scenario_leave(void)
{
	unsigned n = n_asked;

	for (unsigned i = 0; i < n && n_asked < MAX_CALLS; i++) {
		bool last = true;

		for (unsigned k = i + 1; k < n; k++)
			last &= asked[k].claim != asked[i].claim;
		if (!last || (asked[i].verb == CNI_DEL &&
			      !caller_last_exit(asked[i].claim, CNI_DEL)))
			continue;
		asked[n_asked] = asked[i];
		asked[n_asked].verb = CNI_DEL;
		asked[n_asked++].told = false;
		caller_start(&(struct call){ .verb = CNI_DEL,
					     .claim = asked[i].claim,
					     .vf = asked[i].vf,
					     .ipam = asked[i].ipam });
		scenario_await();
	}
}
