/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/rdma.h"

#include <string.h>

#include <rdma/rdma_netlink.h>

static struct nl_msg *message(int cmd)
{
	return vnl_msg_new(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, cmd), 0, NULL, 0);
}

static int take_mode(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct nlattr *tb[RDMA_NLDEV_ATTR_MAX + 1];

	(void)err;
	if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, 0, tb, RDMA_NLDEV_ATTR_MAX,
			NULL) >= 0 &&
	    tb[RDMA_NLDEV_SYS_ATTR_NETNS_MODE])
		*(bool *)arg = !nla_get_u8(tb[RDMA_NLDEV_SYS_ATTR_NETNS_MODE]);
	return 0;
}

int rdma_exclusive(struct vnl *nl, bool *exclusive, struct vfk_err *err)
{
	int rc;

	*exclusive = false;
	rc = vnl_request(nl, message(RDMA_NLDEV_CMD_SYS_GET), take_mode, exclusive, err);
	return rc < 0 ? vfk_err_wrap(err, "ask for the mode of RDMA devices") : 0;
}

struct find {
	const char *name;
	struct rdma_dev *out;
	bool found;
};

static int take_device(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct nlattr *tb[RDMA_NLDEV_ATTR_MAX + 1];
	struct find *find = arg;

	(void)err;
	if (!msg) {
		find->found = false;
		return 0;
	}
	if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, 0, tb, RDMA_NLDEV_ATTR_MAX,
			NULL) < 0 ||
	    !tb[RDMA_NLDEV_ATTR_DEV_INDEX] || !tb[RDMA_NLDEV_ATTR_DEV_NAME] ||
	    strcmp(nla_get_string(tb[RDMA_NLDEV_ATTR_DEV_NAME]), find->name) != 0)
		return 0;
	find->found = true;
	find->out->index = nla_get_u32(tb[RDMA_NLDEV_ATTR_DEV_INDEX]);
	find->out->node_guid = tb[RDMA_NLDEV_ATTR_NODE_GUID] ?
				       nla_get_u64(tb[RDMA_NLDEV_ATTR_NODE_GUID]) :
				       0;
	nla_strlcpy(find->out->name, tb[RDMA_NLDEV_ATTR_DEV_NAME], sizeof(find->out->name));
	return 0;
}

int rdma_find(struct vnl *nl, const char *name, struct rdma_dev *out, struct vfk_err *err)
{
	struct find find = { .name = name, .out = out };
	int rc;

	memset(out, 0, sizeof(*out));
	rc = vnl_dump(nl, message(RDMA_NLDEV_CMD_GET), take_device, &find, err);
	return rc < 0 ? vfk_err_wrap(err, "list the RDMA devices") : find.found;
}

int rdma_to_netns(struct vnl *nl, uint32_t index, int netns_fd, struct vfk_err *err)
{
	struct nl_msg *msg = message(RDMA_NLDEV_CMD_SET);

	if (msg && (nla_put_u32(msg, RDMA_NLDEV_ATTR_DEV_INDEX, index) ||
		    nla_put_u32(msg, RDMA_NLDEV_NET_NS_FD, (uint32_t)netns_fd))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return vnl_request(nl, msg, NULL, NULL, err);
}

int rdma_set_name(struct vnl *nl, uint32_t index, const char *name, struct vfk_err *err)
{
	struct nl_msg *msg = message(RDMA_NLDEV_CMD_SET);

	if (msg && (nla_put_u32(msg, RDMA_NLDEV_ATTR_DEV_INDEX, index) ||
		    nla_put_string(msg, RDMA_NLDEV_ATTR_DEV_NAME, name))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return vnl_request(nl, msg, NULL, NULL, err);
}
