// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: late and missing uevents, and renumbering at a rebind.
 *
 * The driver core asks a device's type for additional variables before it sends a uevent,
 * and sends nothing when the type refuses.  All RDMA devices and network links of our
 * functions, those that ib_ipoib makes too, get a type that can refuse. */
#include <linux/delay.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include "sim.h"

static int uevent_drop;
module_param(uevent_drop, int, 0644);
MODULE_PARM_DESC(uevent_drop, "this many next \"add\" uevents are lost, -1: all");

static int uevent_delay_ms;
module_param(uevent_delay_ms, int, 0644);
MODULE_PARM_DESC(uevent_delay_ms, "\"add\" uevents are this late");

int sim_renumber;
module_param_named(renumber, sim_renumber, int, 0644);
MODULE_PARM_DESC(renumber, "this many next VF probes find the lowest names and numbers taken, -1: all");

struct late {
	struct delayed_work work;
	struct list_head node;
	struct device *dev;
	bool due; /* sending now: let it pass */
};

static DEFINE_MUTEX(late_lock);
static LIST_HEAD(lates);

static void send_late(struct work_struct *w)
{
	struct late *l = container_of(w, struct late, work.work);

	mutex_lock(&late_lock);
	l->due = true;
	mutex_unlock(&late_lock);
	if (device_is_registered(l->dev))
		kobject_uevent(&l->dev->kobj, KOBJ_ADD);
	mutex_lock(&late_lock);
	list_del(&l->node);
	mutex_unlock(&late_lock);
	put_device(l->dev);
	kfree(l);
}

/* Returns whether the event goes out now. */
static bool pass(struct device *dev)
{
	struct late *l;
	bool due = false;

	mutex_lock(&late_lock);
	list_for_each_entry(l, &lates, node)
		due |= l->dev == dev && l->due;
	mutex_unlock(&late_lock);
	if (due)
		return true;
	if (sim_take(&uevent_drop))
		return false;
	if (uevent_delay_ms <= 0)
		return true;
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return true;
	l->dev = get_device(dev);
	INIT_DELAYED_WORK(&l->work, send_late);
	mutex_lock(&late_lock);
	list_add(&l->node, &lates);
	mutex_unlock(&late_lock);
	queue_delayed_work(sim_wq, &l->work, msecs_to_jiffies(uevent_delay_ms));
	return false;
}

static int filter(const struct device *dev, struct kobj_uevent_env *env)
{
	/* Reading the file "uevent" comes here as well, without an action. */
	if (!env->envp_idx || strcmp(env->envp[0], "ACTION=add"))
		return 0;
	return pass((struct device *)dev) ? 0 : -EAGAIN;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
static const struct device_type type = { .uevent = filter };
#else
static int filter_6_1(struct device *dev, struct kobj_uevent_env *env)
{
	return filter(dev, env);
}
static const struct device_type type = { .uevent = filter_6_1 };
#endif

void sim_uevent_attach(struct device *dev)
{
	if (!dev->type)
		dev->type = &type;
}

/* The last moment before the link gets into sysfs. */
static int netdev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *n = netdev_notifier_info_to_dev(ptr);
	struct sim_dev *d;

	if (event != NETDEV_POST_INIT || !n->dev.parent)
		return NOTIFY_DONE;
	mutex_lock(&sim_mutex);
	list_for_each_entry(d, &sim_devs, node)
		if (n->dev.parent == &d->pdev->dev)
			sim_uevent_attach(&n->dev);
	mutex_unlock(&sim_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block netdev_nb = { .notifier_call = netdev_event };

int sim_uevent_init(void)
{
	return register_netdevice_notifier(&netdev_nb);
}

void sim_uevent_exit(void)
{
	unregister_netdevice_notifier(&netdev_nb);
	for (;;) {
		struct late *l;
		bool ours;

		mutex_lock(&late_lock);
		l = list_first_entry_or_null(&lates, struct late, node);
		ours = l && cancel_delayed_work(&l->work);
		if (ours)
			list_del(&l->node);
		mutex_unlock(&late_lock);
		if (!l)
			break;
		if (ours) {
			put_device(l->dev);
			kfree(l);
		}
		flush_workqueue(sim_wq); /* those that are being sent */
	}
	flush_workqueue(sim_wq);
}
