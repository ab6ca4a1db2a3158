// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: /sys/kernel/debug/ibvfsim/<PCI address>/, described in README. */
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "sim.h"

static struct dentry *dbg_root;

static const char *const op_names[] = {
#define X(id, name) name,
	SIM_OPS(X)
#undef X
};

/* Copies at most size - 1 bytes of what was written, as one line. */
static int get_line(char *line, size_t size, const char __user *buf, size_t n)
{
	if (n >= size)
		return -EINVAL;
	if (copy_from_user(line, buf, n))
		return -EFAULT;
	line[n] = '\0';
	strim(line);
	return 0;
}

/* ---- event: makes something happen to a port ---- */

static const struct {
	const char *word;
	enum ib_event_type type;
} events[] = {
	{ "port_err", IB_EVENT_PORT_ERR },     { "port_active", IB_EVENT_PORT_ACTIVE },
	{ "lid_change", IB_EVENT_LID_CHANGE }, { "pkey_change", IB_EVENT_PKEY_CHANGE },
	{ "sm_change", IB_EVENT_SM_CHANGE },   { "reregister", IB_EVENT_CLIENT_REREGISTER },
	{ "gid_change", IB_EVENT_GID_CHANGE }, { "fatal", IB_EVENT_DEVICE_FATAL },
};

static int event_run(struct sim_dev *d, const char *line)
{
	unsigned int i, key;

	if (!strcmp(line, "link_down")) {
		sim_link(d, false);
	} else if (!strcmp(line, "link_up")) {
		sim_link(d, true);
	} else if (!strcmp(line, "die")) {
		sim_die(d, true);
	} else if (!strcmp(line, "revive")) {
		sim_die(d, false);
	} else if (sscanf(line, "pkey %u %x", &i, &key) == 2) {
		if (i >= SIM_PKEYS || key > 0xffff)
			return -EINVAL;
		d->pkey[i] = key;
		sim_event(d, IB_EVENT_PKEY_CHANGE);
	} else {
		for (i = 0; i < ARRAY_SIZE(events); i++)
			if (!strcmp(line, events[i].word))
				break;
		if (i == ARRAY_SIZE(events))
			return -EINVAL;
		sim_event(d, events[i].type);
	}
	return 0;
}

static ssize_t event_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	char line[64];
	int r = get_line(line, sizeof(line), buf, n);

	if (r)
		return r;
	mutex_lock(&sim_mutex);
	r = event_run(f->private_data, line);
	mutex_unlock(&sim_mutex);
	return r ? r : n;
}

static const struct file_operations event_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = event_write,
};

/* ---- counters that run down: a number, or "always" ---- */

static ssize_t left_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	int left = *(int *)f->private_data, len;
	char line[16];

	if (left == SIM_ALWAYS)
		len = scnprintf(line, sizeof(line), "always\n");
	else
		len = scnprintf(line, sizeof(line), "%d\n", left);
	return simple_read_from_buffer(buf, n, pos, line, len);
}

static ssize_t left_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	char line[16];
	int left, r = get_line(line, sizeof(line), buf, n);

	if (r)
		return r;
	if (!strcmp(line, "always"))
		left = SIM_ALWAYS;
	else if (kstrtoint(line, 0, &left) || left < 0)
		return -EINVAL;
	*(int *)f->private_data = left;
	return n;
}

static const struct file_operations left_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = left_read,
	.write = left_write,
};

static int int_get(void *data, u64 *val)
{
	*val = (s64)*(int *)data;
	return 0;
}

static int int_set(void *data, u64 val)
{
	*(int *)data = (int)(s64)val;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(int_fops, int_get, int_set, "%lld\n");

/* ---- vfs: what the card holds for every VF ---- */

static int vfs_show(struct seq_file *s, void *unused)
{
	struct sim_pf *pf = s->private;
	int i, n = pci_num_vf(pf->dev->pdev);

	for (i = 0; i < n; i++) {
		struct sim_vfcfg *c = &pf->vf[i];

		seq_printf(s, "%d node=%016llx port=%016llx policy=%d", i, c->node_guid,
			   c->port_guid, c->policy);
		seq_printf(s, " mac=%pM vlan=%u qos=%u proto=%04x", c->eth.mac, c->eth.vlan,
			   c->eth.qos, ntohs(c->eth.vlan_proto));
		seq_printf(s, " spoofchk=%u trust=%u min=%u max=%u rss=%u\n",
			   c->eth.spoofchk, c->eth.trusted, c->eth.min_tx_rate,
			   c->eth.max_tx_rate, c->eth.rss_query_en);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vfs);

static int port_show(struct seq_file *s, void *unused)
{
	struct sim_dev *d = s->private;
	int i;

	seq_printf(s, "rdma=%s node=%016llx port=%016llx lid=%u link=%u dead=%u active=%u\n",
		   dev_name(&d->ibdev.dev), d->node_guid, d->port_guid, d->lid, d->link_up,
		   d->dead, sim_state(d) == IB_PORT_ACTIVE);
	for (i = 0; i < SIM_PKEYS; i++)
		if (d->pkey[i])
			seq_printf(s, "pkey %d %04x\n", i, d->pkey[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(port);

#ifdef IBVFSIM_PLANTED_BUGS
/* Only in a build that is to show that KASAN and lockdep look at this code. */
static ssize_t plant_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	struct sim_dev *d = f->private_data;
	char line[32], *p;
	int r = get_line(line, sizeof(line), buf, n);

	if (r)
		return r;
	if (!strcmp(line, "use-after-free")) {
		p = kmalloc(sizeof(line), GFP_KERNEL);
		if (!p)
			return -ENOMEM;
		memcpy(p, line, sizeof(line));
		kfree(p);
		d->pkey[SIM_PKEYS - 1] = READ_ONCE(p[1]) ? 0 : 0;
	} else if (!strcmp(line, "lock-order")) {
		mutex_lock(&sim_mutex); /* everybody else takes them the other way round */
		rtnl_lock();
		rtnl_unlock();
		mutex_unlock(&sim_mutex);
	} else {
		return -EINVAL;
	}
	return n;
}

static const struct file_operations plant_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = plant_write,
};
#endif

static void ops_add(struct sim_pf *pf, struct dentry *fn_dir)
{
	struct dentry *all = debugfs_create_dir("ops", fn_dir), *dir;
	struct sim_op *op;
	int i;

	for (i = 0; i < SIM_N_OPS; i++) {
		op = &pf->ops[i];
		dir = debugfs_create_dir(op_names[i], all);
		debugfs_create_u32("delay_ms", 0600, dir, &op->delay_ms);
		debugfs_create_u32("errno", 0600, dir, &op->err);
		debugfs_create_u32("count", 0600, dir, &op->count);
		debugfs_create_file("fail", 0600, dir, &op->fail, &left_fops);
		debugfs_create_file("ignore", 0600, dir, &op->ignore, &left_fops);
		debugfs_create_file("vf", 0600, dir, &op->vf, &int_fops);
	}
}

void sim_knobs_add(struct sim_dev *d)
{
	d->dir = debugfs_create_dir(pci_name(d->pdev), dbg_root);
	debugfs_create_file("event", 0200, d->dir, d, &event_fops);
	debugfs_create_file("port", 0400, d->dir, d, &port_fops);
#ifdef IBVFSIM_PLANTED_BUGS
	debugfs_create_file("plant", 0200, d->dir, d, &plant_fops);
#endif
	if (d->vf >= 0)
		return;
	debugfs_create_file("vfs", 0400, d->dir, d->pf, &vfs_fops);
	ops_add(d->pf, d->dir);
}

void sim_knobs_init(void)
{
	BUILD_BUG_ON(ARRAY_SIZE(op_names) != SIM_N_OPS);
	dbg_root = debugfs_create_dir("ibvfsim", NULL);
}

void sim_knobs_exit(void)
{
	debugfs_remove_recursive(dbg_root);
}
