// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: sriov/N/{node,port,policy} below the PCI device of a PF, as the
 * out-of-tree driver of the vendor has them.  GUIDs are eight octets with colons, the
 * policy is Follow, Up or Down; all pass the same gate as the rtnetlink commands. */
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include "sim.h"

struct sim_vendor_vf {
	struct kobject kobj;
	struct sim_pf *pf;
	int vf;
};

struct vendor_attr {
	struct attribute attr;
	enum { NODE, PORT, POLICY } what;
};

static const char *const policies[] = {
	[IFLA_VF_LINK_STATE_AUTO] = "Follow",
	[IFLA_VF_LINK_STATE_ENABLE] = "Up",
	[IFLA_VF_LINK_STATE_DISABLE] = "Down",
};

static struct sim_vendor_vf *to_vf(struct kobject *k)
{
	return container_of(k, struct sim_vendor_vf, kobj);
}

static ssize_t vendor_show(struct kobject *k, struct attribute *a, char *buf)
{
	struct sim_vendor_vf *v = to_vf(k);
	struct sim_vfcfg *c = &v->pf->vf[v->vf];
	struct vendor_attr *va = container_of(a, struct vendor_attr, attr);
	__be64 guid;

	if (va->what == POLICY)
		return sysfs_emit(buf, "%s\n", policies[c->policy]);
	guid = cpu_to_be64(va->what == NODE ? c->node_guid : c->port_guid);
	return sysfs_emit(buf, "%8phC\n", &guid);
}

static ssize_t vendor_store(struct kobject *k, struct attribute *a, const char *buf, size_t n)
{
	struct sim_vendor_vf *v = to_vf(k);
	struct vendor_attr *va = container_of(a, struct vendor_attr, attr);
	u8 o[8];
	u64 guid = 0;
	int i, r;

	if (va->what == POLICY) {
		i = __sysfs_match_string(policies, ARRAY_SIZE(policies), buf);
		r = i < 0 ? i : sim_set_policy(v->pf, v->vf, i);
		return r ? r : n;
	}
	if (sscanf(buf, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &o[0], &o[1], &o[2],
		   &o[3], &o[4], &o[5], &o[6], &o[7]) != 8)
		return -EINVAL;
	for (i = 0; i < 8; i++)
		guid = guid << 8 | o[i];
	r = sim_set_guid(v->pf, v->vf, guid,
			 va->what == NODE ? IFLA_VF_IB_NODE_GUID : IFLA_VF_IB_PORT_GUID);
	return r ? r : n;
}

static struct vendor_attr attr_node = { { .name = "node", .mode = 0644 }, NODE };
static struct vendor_attr attr_port = { { .name = "port", .mode = 0644 }, PORT };
static struct vendor_attr attr_policy = { { .name = "policy", .mode = 0644 }, POLICY };
static struct attribute *vendor_attrs[] = { &attr_node.attr, &attr_port.attr,
					    &attr_policy.attr, NULL };
ATTRIBUTE_GROUPS(vendor);

static const struct sysfs_ops vendor_sysfs_ops = { .show = vendor_show, .store = vendor_store };

static void vendor_release(struct kobject *k)
{
	kfree(to_vf(k));
}

static const struct kobj_type vendor_type = {
	.release = vendor_release,
	.sysfs_ops = &vendor_sysfs_ops,
	.default_groups = vendor_groups,
};

void sim_vendor_drop(struct sim_pf *pf)
{
	while (pf->n_vendor_vf) {
		struct kobject *k = &pf->vendor_vf[--pf->n_vendor_vf]->kobj;

		kobject_del(k);
		kobject_put(k);
	}
	kfree(pf->vendor_vf);
	pf->vendor_vf = NULL;
	if (pf->vendor_dir) {
		kobject_del(pf->vendor_dir);
		kobject_put(pf->vendor_dir);
		pf->vendor_dir = NULL;
	}
}

int sim_vendor_add(struct sim_pf *pf, int n)
{
	int i, r;

	pf->vendor_vf = kcalloc(n, sizeof(*pf->vendor_vf), GFP_KERNEL);
	pf->vendor_dir = kobject_create_and_add("sriov", &pf->dev->pdev->dev.kobj);
	if (!pf->vendor_vf || !pf->vendor_dir) {
		sim_vendor_drop(pf);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++) {
		struct sim_vendor_vf *v = kzalloc(sizeof(*v), GFP_KERNEL);

		if (!v) {
			sim_vendor_drop(pf);
			return -ENOMEM;
		}
		v->pf = pf;
		v->vf = i;
		r = kobject_init_and_add(&v->kobj, &vendor_type, pf->vendor_dir, "%d", i);
		if (r) {
			kobject_put(&v->kobj);
			sim_vendor_drop(pf);
			return r;
		}
		pf->vendor_vf[pf->n_vendor_vf++] = v;
	}
	return 0;
}
