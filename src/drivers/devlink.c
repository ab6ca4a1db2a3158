/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/devlink.h"

#include <stdlib.h>
#include <string.h>

#include <linux/devlink.h>
#include <linux/genetlink.h>

#include "base/log.h"

#define BUS "pci"

static bool parse(const struct nlmsghdr *msg, struct nlattr *tb[], int max)
{
	return nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, GENL_HDRLEN, tb, max,
			   NULL) >= 0;
}

/* --- the family ------------------------------------------------------------------- */

static void take_group(struct nlattr *group, struct devlink_family *out)
{
	struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1];

	if (nla_parse_nested(tb, CTRL_ATTR_MCAST_GRP_MAX, group, NULL) >= 0 &&
	    tb[CTRL_ATTR_MCAST_GRP_NAME] && tb[CTRL_ATTR_MCAST_GRP_ID] &&
	    !nla_strcmp(tb[CTRL_ATTR_MCAST_GRP_NAME], DEVLINK_GENL_MCGRP_CONFIG_NAME))
		out->group = nla_get_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
}

static int take_family(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1], *group;
	struct devlink_family *out = arg;
	int left;

	(void)err;
	if (!parse(msg, tb, CTRL_ATTR_MAX) || !tb[CTRL_ATTR_FAMILY_ID] ||
	    !tb[CTRL_ATTR_MCAST_GROUPS])
		return 0;
	out->type = nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	nla_for_each_nested(group, tb[CTRL_ATTR_MCAST_GROUPS], left) take_group(group, out);
	return 0;
}

int devlink_family(struct vnl *nl, struct devlink_family *out, struct vfk_err *err)
{
	const struct genlmsghdr head = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	struct nl_msg *msg = vnl_msg_new(GENL_ID_CTRL, NLM_F_ACK, &head, sizeof(head));

	memset(out, 0, sizeof(*out));
	if (msg && nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, DEVLINK_GENL_NAME)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return vnl_request(nl, msg, take_family, out, err);
}

/* --- a PF ------------------------------------------------------------------------- */

static bool is_of(struct nlattr *tb[], pci_addr_t pf)
{
	char pci[PCI_STRLEN];

	/* A kernel before 6.5 lists the ports of every device. */
	return tb[DEVLINK_ATTR_BUS_NAME] && tb[DEVLINK_ATTR_DEV_NAME] &&
	       !nla_strcmp(tb[DEVLINK_ATTR_BUS_NAME], BUS) &&
	       !nla_strcmp(tb[DEVLINK_ATTR_DEV_NAME], pci_format(pf, pci));
}

static bool is_rep(const struct nlattr *flavour)
{
	switch (nla_get_u16(flavour)) {
	case DEVLINK_PORT_FLAVOUR_PCI_PF:
	case DEVLINK_PORT_FLAVOUR_PCI_VF:
	case DEVLINK_PORT_FLAVOUR_PCI_SF:
		return true;
	}
	return false;
}

static bool add_rep(struct devlink_ports *ports, uint32_t ifindex)
{
	if (ports->n_reps == ports->cap_reps) {
		size_t cap = ports->cap_reps ? ports->cap_reps * 2 : 32;
		uint32_t *grown = realloc(ports->reps, cap * sizeof(*grown));

		if (!grown)
			return false;
		ports->reps = grown;
		ports->cap_reps = cap;
	}
	ports->reps[ports->n_reps++] = ifindex;
	return true;
}

bool devlink_take(struct devlink_ports *ports, pci_addr_t pf, const struct nlmsghdr *msg)
{
	struct nlattr *tb[DEVLINK_ATTR_MAX + 1];

	if (!parse(msg, tb, DEVLINK_ATTR_MAX) || !is_of(tb, pf))
		return true;
	if (tb[DEVLINK_ATTR_ESWITCH_MODE]) {
		ports->known = true;
		ports->switchdev = nla_get_u16(tb[DEVLINK_ATTR_ESWITCH_MODE]) ==
				   DEVLINK_ESWITCH_MODE_SWITCHDEV;
	}
	if (!tb[DEVLINK_ATTR_PORT_FLAVOUR] || !tb[DEVLINK_ATTR_PORT_NETDEV_IFINDEX] ||
	    !is_rep(tb[DEVLINK_ATTR_PORT_FLAVOUR]))
		return true;
	return add_rep(ports, nla_get_u32(tb[DEVLINK_ATTR_PORT_NETDEV_IFINDEX]));
}

struct look {
	struct devlink_ports *out;
	pci_addr_t pf;
};

static int take(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct look *look = arg;

	if (!msg) { /* a list from its beginning */
		look->out->n_reps = 0;
		return 0;
	}
	return devlink_take(look->out, look->pf, msg) ?
		       0 :
		       vfk_err_set(err, VFK_E_NOMEM, 0, "list the ports of a PF");
}

static struct nl_msg *message(uint16_t type, uint8_t cmd, pci_addr_t pf)
{
	const struct genlmsghdr head = { .cmd = cmd, .version = DEVLINK_GENL_VERSION };
	struct nl_msg *msg = vnl_msg_new(type, 0, &head, sizeof(head));
	char pci[PCI_STRLEN];

	if (msg && (nla_put_string(msg, DEVLINK_ATTR_BUS_NAME, BUS) ||
		    nla_put_string(msg, DEVLINK_ATTR_DEV_NAME, pci_format(pf, pci)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

void devlink_look(pci_addr_t pf, struct devlink_ports *out)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct look look = { out, pf };
	struct devlink_family family;
	struct vfk_err err;
	char pci[PCI_STRLEN];
	int rc = vnl_open(&nl, NETLINK_GENERIC, -1, &err);

	memset(out, 0, sizeof(*out));
	if (rc >= 0)
		rc = devlink_family(nl, &family, &err);
	if (rc >= 0)
		rc = vnl_request(nl, message(family.type, DEVLINK_CMD_ESWITCH_GET, pf),
				 take, &look, &err);
	if (rc >= 0 && out->switchdev)
		rc = vnl_dump(nl, message(family.type, DEVLINK_CMD_PORT_GET, pf), take,
			      &look, &err);
	if (rc >= 0)
		return;
	log_debug("ethernet", "pf=%s: %s", pci_format(pf, pci), err.msg);
	devlink_free(out);
}

void devlink_free(struct devlink_ports *ports)
{
	free(ports->reps);
	memset(ports, 0, sizeof(*ports));
}

bool devlink_is_rep(const struct devlink_ports *ports, uint32_t ifindex)
{
	for (size_t i = 0; i < ports->n_reps; i++)
		if (ports->reps[i] == ifindex)
			return true;
	return false;
}
