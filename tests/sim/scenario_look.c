/* SPDX-License-Identifier: Apache-2.0 */
/* The list: what an observer sees of VFs, leases and addresses, in words that do not depend on
 * which numbers and addresses a world happens to have. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "callers.h"
#include "engines.h"
#include "ipam.h"
#include "promises.h"
#include "scenario.h"
#include "shadow.h"

static struct vf_baseline own[SIM_VFS];
static char own_name[SIM_VFS][16];

void scenario_take_own(unsigned vf)
{
	kernel_look(&vfs[vf], &own[vf]);
	if (vfs[vf].link.ifindex)
		snprintf(own_name[vf], sizeof(own_name[vf]), "%s", vfs[vf].link.name);
}

const char *scenario_own_name(unsigned vf)
{
	return own_name[vf];
}

static void letter(char out[16], const char *key, bool is_own, bool is_given, unsigned last)
{
	if (is_own)
		snprintf(out, 16, "%s=own", key);
	else if (is_given)
		snprintf(out, 16, "%s=%c", key, 'A' + (int)(last - 10));
	else
		snprintf(out, 16, "%s=other", key);
}

/* GUIDs and addresses that scenarios give end in 0a to 0f. */
static void guid(char out[16], const char *key, uint64_t value, uint64_t mine)
{
	unsigned last = value & 0xff;

	letter(out, key, value == mine,
	       value >> 8 == UINT64_C(0x020000000000ff) && last >= 10 && last < 16, last);
}

static void mac(char out[16], const char *key, const uint8_t *value, const uint8_t *mine)
{
	static const uint8_t given[5] = { 2, 0, 0, 0, 0xbe };

	letter(out, key, !memcmp(value, mine, 6),
	       !memcmp(value, given, 5) && value[5] >= 10 && value[5] < 16, value[5]);
}

static const char *name(unsigned vf)
{
	const char *is = vfs[vf].link.name;
	size_t word = strcspn(is, "0123456789");
	static char out[16];

	if (!strcmp(is, own_name[vf]))
		return "own";
	if (strncmp(is, "vfk", 3) && strncmp(is, "dev", 3) && strncmp(is, "eth", 3) &&
	    strncmp(is, "ib", 2))
		return is;
	snprintf(out, sizeof(out), "%.*sN", (int)word, is); /* the kernel's, or ours */
	return out;
}

static void where(unsigned vf)
{
	const struct link *l = &vfs[vf].link;

	if (!vfs[vf].present) {
		scenario_print(" gone");
		return;
	}
	if (!l->ifindex) {
		scenario_print(vfs[vf].bound ? " no-link" : " unbound");
		return;
	}
	if (l->ns == HOME) {
		scenario_print(" home");
	} else {
		unsigned pod = 0;

		while (pod < SIM_PODS && !((int)pods[pod].ns == l->ns && spaces[l->ns].path))
			pod++;
		if (pod == SIM_PODS) {
			scenario_print(" elsewhere");
			return;
		}
		scenario_print(" pod-%c", 'a' + (int)pod);
	}
	scenario_print(" %s %s", name(vf), l->up ? "up" : "down");
	if (l->mtu_bytes == own[vf].set.mtu_bytes)
		scenario_print(" mtu=own");
	else
		scenario_print(" mtu=%u", l->mtu_bytes);
}

static void on_pf(unsigned vf)
{
	static const char *const states[] = { "auto", "enable", "disable" };
	const struct vf_settings *now = &vfs[vf].set, *mine = &own[vf].set;
	const struct link *l = &vfs[vf].link;
	char text[16];

	if (l->hwaddr_len == 6 && (l->ns == HOME || spaces[l->ns].path)) {
		mac(text, "mac", l->hwaddr, own[vf].hwaddr);
		scenario_print(" %s", text);
	} else if (l->hwaddr_len == 20 && (l->ns == HOME || spaces[l->ns].path)) {
		guid(text, "guid", vfs[vf].guid, mine->port_guid);
		scenario_print(" %s", text);
	}
	scenario_print(" |");
	if (vfs[vf].kind == KIND_INFINIBAND) {
		guid(text, "node", now->node_guid, mine->node_guid);
		scenario_print(" %s", text);
		guid(text, "port", now->port_guid, mine->port_guid);
		scenario_print(" %s", text);
	} else {
		mac(text, "mac", now->mac, mine->mac);
		scenario_print(" %s", text);
		if (now->vlan != mine->vlan)
			scenario_print(" vlan=%u", now->vlan);
		if (now->spoofchk != mine->spoofchk)
			scenario_print(" spoofchk=%s", now->spoofchk ? "on" : "off");
		if (now->trust != mine->trust)
			scenario_print(" trust=%s", now->trust ? "on" : "off");
	}
	if (now->link_state != mine->link_state)
		scenario_print(" state=%s", states[now->link_state % 3]);
}

static void rdma(unsigned vf)
{
	if (vfs[vf].kind != KIND_INFINIBAND || !vfs[vf].bound)
		return;
	scenario_print(" rdma=%s", vfs[vf].rdma_ns == HOME ? "home" : "away");
}

/* The attachments that there can be, in order. */
static unsigned claim_at(unsigned i)
{
	return claim_find(pods[i / 2].container, i % 2 ? "net2" : "net1");
}

static void leases(unsigned i)
{
	for (unsigned k = 0; k < SHADOW_LEASES; k++) {
		const struct shadow_lease *l = &shadow.lease[k];

		if (l->have && l->rec.state != LEASE_NONE && claim_at(i) < SIM_CLAIMS &&
		    claim_find(l->rec.owner.container, l->rec.owner.ifname) == claim_at(i))
			scenario_print("lease of %c net%u %s\n", 'a' + i / 2, 1 + i % 2,
				       lease_state_name(l->rec.state));
	}
}

void scenario_look(void)
{
	static const unsigned order[] = { 0, 2, 1, 3 };

	for (unsigned n = 0; n < 4; n++) {
		unsigned i = order[n], claim = promise_owner(&vfs[i]);
		const struct shadow_vf *s = &shadow.vf[i];

		scenario_print("%s %s%s", scenario_vf_name(i),
			       s->have ? vf_state_name(s->rec.state) : "UNKNOWN",
			       s->have && s->rec.foreign ? "(foreign)" : "");
		if (claim < SIM_CLAIMS)
			scenario_print(" of %c %s", claims[claim].container[1] - '0' + 'a',
				       claims[claim].ifname);
		where(i);
		if (vfs[i].present) {
			on_pf(i);
			rdma(i);
		}
		scenario_print("\n");
	}
	for (unsigned i = 0; i < 2 * SIM_PODS; i++)
		leases(i);
	for (unsigned i = 0; i < 2 * SIM_PODS; i++)
		if (claim_at(i) < SIM_CLAIMS && ipam_held(claim_at(i)))
			scenario_print("address of %c net%u\n", 'a' + i / 2, 1 + i % 2);
}
