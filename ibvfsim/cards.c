// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_cards: SR-IOV capable PCI cards made of memory.
 *
 * Every card is a PCI host bridge with a domain of its own (0001, 0002, ...) and one root
 * bus.  Its functions are byte arrays that answer configuration cycles: physical functions
 * with a PCI Express and an SR-IOV capability, and virtual functions that answer only while
 * VF Enable is set and their number is below NumVFs.  The kernel's own PCI core does the
 * rest.  There are no BARs, no interrupts and no DMA; a driver that wants none of them
 * (ibvfsim_driver) works as on a real card. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define MAX_CARDS 64
#define CAP_EXP	  0x40
#define CAP_PM	  0x80
#define CAP_SRIOV 0x100
#define CFG_BYTES 0x140 /* what a function really has; the rest of its 4 KiB reads 0 */

static int cards = 1;
module_param(cards, int, 0444);
MODULE_PARM_DESC(cards, "number of cards (1 to 64)");

/* One value per card; the last one given counts for all further cards. */
static int ports[MAX_CARDS] = { 1 };
static int n_ports = 1;
module_param_array(ports, int, &n_ports, 0444);
MODULE_PARM_DESC(ports, "physical functions per card (1 to 8)");

static int totalvfs[MAX_CARDS] = { 64 };
static int n_totalvfs = 1;
module_param_array(totalvfs, int, &n_totalvfs, 0444);
MODULE_PARM_DESC(totalvfs, "virtual functions per physical function (1 to 1024)");

static uint class[MAX_CARDS] = { 0x020700 };
static int n_class = 1;
module_param_array(class, uint, &n_class, 0444);
MODULE_PARM_DESC(class, "class: 0x020700 InfiniBand, 0x020000 Ethernet");

static int node[MAX_CARDS] = { NUMA_NO_NODE };
static int n_node = 1;
module_param_array(node, int, &n_node, 0444);
MODULE_PARM_DESC(node, "NUMA node (-1: none)");

static int domain = 1;
module_param(domain, int, 0444);
MODULE_PARM_DESC(domain, "PCI domain of the first card");

static int busno = 0x3b;
module_param(busno, int, 0444);
MODULE_PARM_DESC(busno, "number of the root bus of every card");

static uint vendor = 0x15b3, pf_device = 0x101b, vf_device = 0x101c;
module_param(vendor, uint, 0444);
module_param(pf_device, uint, 0444);
module_param(vf_device, uint, 0444);

/* User-Mode Linux (used for KASAN and lockdep) has neither PCI domains nor pci_sysdata:
 * there the cards share domain 0 and sit on bus numbers of their own. */
#ifdef CONFIG_UML
struct card_sysdata {
	int node;
};
#define BUS_STEP 8
#else
#define card_sysdata pci_sysdata
#define BUS_STEP 0
#endif

struct card {
	struct card_sysdata sd;
	struct pci_bus *bus;
	struct resource busres;
	struct dentry *dir;
	u8 *cfg;
	int ports, totalvfs, n_fns, busno;
	bool gone; /* pulled out: every read answers all ones */
};

static struct card *card;
static struct dentry *dbg_root;

static struct card *to_card(struct pci_bus *bus)
{
	return container_of((struct card_sysdata *)bus->sysdata, struct card, sd);
}

static u8 *fn_cfg(struct card *c, int fn)
{
	return c->cfg + fn * CFG_BYTES;
}

static u16 fn_word(struct card *c, int fn, int where)
{
	u16 v;

	memcpy(&v, fn_cfg(c, fn) + where, sizeof(v));
	return v;
}

/* Returns the function that answers at this place, -1 for none. */
static int fn_find(struct pci_bus *bus, unsigned int devfn)
{
	struct card *c = to_card(bus);
	int rid = (bus->number - c->busno) * 256 + devfn, pf;

	if (c->gone || rid < 0 || rid >= c->n_fns)
		return -1;
	if (rid < c->ports)
		return rid;
	pf = (rid - c->ports) / c->totalvfs;
	if (!(fn_word(c, pf, CAP_SRIOV + PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_VFE))
		return -1;
	if ((rid - c->ports) % c->totalvfs >= fn_word(c, pf, CAP_SRIOV + PCI_SRIOV_NUM_VF))
		return -1;
	return rid;
}

static int cfg_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	struct card *c = to_card(bus);
	int fn = fn_find(bus, devfn);

	*val = ~0U;
	if (fn < 0)
		return PCIBIOS_DEVICE_NOT_FOUND;
	/* A VF has no vendor id of its own: that is how a bus scan overlooks it. */
	if (fn >= c->ports && where < 4) {
		*val >>= 32 - 8 * size;
		return PCIBIOS_SUCCESSFUL;
	}
	*val = 0;
	if (where + size <= CFG_BYTES)
		memcpy(val, fn_cfg(c, fn) + where, size);
	return PCIBIOS_SUCCESSFUL;
}

static int cfg_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	struct card *c = to_card(bus);
	int fn = fn_find(bus, devfn);

	if (fn < 0)
		return PCIBIOS_DEVICE_NOT_FOUND;
	switch (where) {
	case CAP_EXP + PCI_EXP_DEVCTL:
		val &= ~PCI_EXP_DEVCTL_BCR_FLR; /* a function level reset is over at once */
		break;
	case PCI_COMMAND:
	case PCI_INTERRUPT_LINE:
	case PCI_CACHE_LINE_SIZE:
	case PCI_LATENCY_TIMER:
	case CAP_PM + PCI_PM_CTRL:
	case CAP_EXP + PCI_EXP_LNKCTL:
	case CAP_EXP + PCI_EXP_DEVCTL2:
		break;
	case CAP_SRIOV + PCI_SRIOV_CTRL:
	case CAP_SRIOV + PCI_SRIOV_NUM_VF:
	case CAP_SRIOV + PCI_SRIOV_SYS_PGSIZE:
		if (fn < c->ports)
			break;
		return PCIBIOS_SUCCESSFUL;
	default: /* read only */
		return PCIBIOS_SUCCESSFUL;
	}
	memcpy(fn_cfg(c, fn) + where, &val, size);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops cfg_ops = { .read = cfg_read, .write = cfg_write };

static void put8(u8 *p, int where, u8 v)
{
	p[where] = v;
}

static void put16(u8 *p, int where, u16 v)
{
	memcpy(p + where, &v, sizeof(v));
}

static void put32(u8 *p, int where, u32 v)
{
	memcpy(p + where, &v, sizeof(v));
}

/* Puts function 'fn' into its state after power on. */
static void fn_power_on(struct card *c, int fn, u32 cls)
{
	u8 *p = fn_cfg(c, fn);
	bool pf = fn < c->ports;

	memset(p, 0, CFG_BYTES);
	put16(p, PCI_VENDOR_ID, vendor);
	put16(p, PCI_DEVICE_ID, pf ? pf_device : vf_device);
	put16(p, PCI_STATUS, PCI_STATUS_CAP_LIST);
	put32(p, PCI_CLASS_REVISION, cls << 8);
	put8(p, PCI_HEADER_TYPE, pf && c->ports > 1 ? 0x80 : 0);
	put16(p, PCI_SUBSYSTEM_VENDOR_ID, vendor);
	put16(p, PCI_SUBSYSTEM_ID, 0x0007);
	put8(p, PCI_CAPABILITY_LIST, CAP_EXP);
	put8(p, CAP_EXP, PCI_CAP_ID_EXP);
	put8(p, CAP_EXP + 1, CAP_PM);
	put16(p, CAP_EXP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(p, CAP_EXP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER);
	put32(p, CAP_EXP + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_16_0GB | 16 << 4);
	put16(p, CAP_EXP + PCI_EXP_LNKSTA, PCI_EXP_LNKCAP_SLS_16_0GB | 16 << 4);
	put8(p, CAP_PM, PCI_CAP_ID_PM);
	put16(p, CAP_PM + PCI_PM_PMC, 3);
	if (!pf)
		return;
	put32(p, CAP_SRIOV, PCI_EXT_CAP_ID_SRIOV | 1 << 16);
	put16(p, CAP_SRIOV + PCI_SRIOV_INITIAL_VF, c->totalvfs);
	put16(p, CAP_SRIOV + PCI_SRIOV_TOTAL_VF, c->totalvfs);
	put8(p, CAP_SRIOV + PCI_SRIOV_FUNC_LINK, fn);
	put16(p, CAP_SRIOV + PCI_SRIOV_VF_OFFSET, c->ports + fn * c->totalvfs - fn);
	put16(p, CAP_SRIOV + PCI_SRIOV_VF_STRIDE, 1);
	put16(p, CAP_SRIOV + PCI_SRIOV_VF_DID, vf_device);
	put32(p, CAP_SRIOV + PCI_SRIOV_SUP_PGSIZE, 0x553);
	put32(p, CAP_SRIOV + PCI_SRIOV_SYS_PGSIZE, 1);
}

static u32 card_class(int i)
{
	return class[min(i, n_class - 1)];
}

static void card_power_on(struct card *c)
{
	int fn;

	for (fn = 0; fn < c->n_fns; fn++)
		fn_power_on(c, fn, card_class(c - card));
}

/* debugfs "present": 0 pulls the card out without a word to its driver, 1 plugs it in. */
static int present_get(void *data, u64 *val)
{
	*val = !((struct card *)data)->gone;
	return 0;
}

static int present_set(void *data, u64 val)
{
	struct card *c = data;
	struct pci_dev *dev, *tmp;

	pci_lock_rescan_remove();
	if (!val && !c->gone) {
		c->gone = true;
		/* backwards: the VFs of a PF go with it, and they come after it */
		list_for_each_entry_safe_reverse(dev, tmp, &c->bus->devices, bus_list)
			if (!dev->is_virtfn)
				pci_stop_and_remove_bus_device(dev);
	} else if (val && c->gone) {
		card_power_on(c);
		c->gone = false;
		pci_rescan_bus(c->bus);
	}
	pci_unlock_rescan_remove();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(present_fops, present_get, present_set, "%llu\n");

static int card_add(struct card *c, int i)
{
	char name[12];
	LIST_HEAD(res);

	c->ports = ports[min(i, n_ports - 1)];
	c->totalvfs = totalvfs[min(i, n_totalvfs - 1)];
	if (c->ports < 1 || c->ports > 8 || c->totalvfs < 1 || c->totalvfs > 1024)
		return -EINVAL;
	c->busno = busno + i * BUS_STEP;
	c->n_fns = c->ports * (1 + c->totalvfs);
	if (c->busno < 0 || c->busno + (c->n_fns - 1) / 256 > 0xff)
		return -EINVAL;
	c->cfg = vzalloc(array_size(c->n_fns, CFG_BYTES));
	if (!c->cfg)
		return -ENOMEM;
	card_power_on(c);
#ifndef CONFIG_UML
	c->sd.domain = domain + i;
#endif
	c->sd.node = node[min(i, n_node - 1)];
	c->busres = (struct resource){
		.name = "ibvfsim card",
		.start = c->busno,
		.end = BUS_STEP ? c->busno + BUS_STEP - 1 : 0xff,
		.flags = IORESOURCE_BUS,
	};
	pci_add_resource(&res, &c->busres);
	pci_lock_rescan_remove();
	c->bus = pci_create_root_bus(NULL, c->busno, &cfg_ops, &c->sd, &res);
	if (c->bus) {
		pci_scan_child_bus(c->bus);
		pci_bus_add_devices(c->bus);
	}
	pci_unlock_rescan_remove();
	if (!c->bus) {
		pci_free_resource_list(&res);
		vfree(c->cfg);
		return -ENODEV;
	}
	snprintf(name, sizeof(name), "%d", i);
	c->dir = debugfs_create_dir(name, dbg_root);
	debugfs_create_file("present", 0600, c->dir, c, &present_fops);
	return 0;
}

static void card_drop(struct card *c)
{
	debugfs_remove_recursive(c->dir);
	pci_lock_rescan_remove();
	pci_stop_root_bus(c->bus);
	pci_remove_root_bus(c->bus);
	pci_unlock_rescan_remove();
	vfree(c->cfg);
}

static int __init cards_init(void)
{
	int i, r;

	if (cards < 1 || cards > MAX_CARDS)
		return -EINVAL;
	card = kcalloc(cards, sizeof(*card), GFP_KERNEL);
	if (!card)
		return -ENOMEM;
	dbg_root = debugfs_create_dir("ibvfsim_cards", NULL);
	for (i = 0; i < cards; i++) {
		r = card_add(card + i, i);
		if (r)
			goto fail;
	}
	return 0;
fail:
	while (i-- > 0)
		card_drop(card + i);
	debugfs_remove_recursive(dbg_root);
	kfree(card);
	return r;
}

static void __exit cards_exit(void)
{
	int i;

	for (i = 0; i < cards; i++)
		card_drop(card + i);
	debugfs_remove_recursive(dbg_root);
	kfree(card);
}

module_init(cards_init);
module_exit(cards_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("SR-IOV capable PCI cards made of memory, for tests");
