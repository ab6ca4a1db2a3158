/* SPDX-License-Identifier: Apache-2.0 */
/* The node by itself: kernel, RDMA mode, VFs and their GUIDs, from sysfs. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "vfctl/doctor.h"

#define KB_PER_NETNS 21 /* of kernel memory, for each RDMA device in shared mode */

void doctor_kernel(struct doctor *d)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return;
	if (major > 5 || (major == 5 && minor >= 14))
		doctor_say(d, "ok", "kernel", NULL, "Linux %s", name.release);
	else
		doctor_say(d, "problem", "kernel", "boot a newer kernel",
			   "Linux %s is too old: vfkeeper needs 5.14", name.release);
}

/* The first entry of a directory that does not begin with a dot, into 'out'; how many. */
static unsigned entries(const char *path, char *out, size_t cap)
{
	VFK_AUTO(dir_auto) DIR *dir = opendir(path);
	const struct dirent *e;
	unsigned n = 0;

	if (cap)
		out[0] = '\0';
	while (dir && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (n++ == 0 && cap)
			snprintf(out, cap, "%.*s", (int)cap - 1, e->d_name);
	}
	return n;
}

void doctor_rdma(struct doctor *d)
{
	const char *sysfs = d->config.env.sysfs_root;
	char path[PATH_MAX];
	unsigned n;

	snprintf(path, sizeof(path), "%s/class/infiniband", sysfs);
	n = entries(path, NULL, 0);
	snprintf(path, sizeof(path), "%s/module/ib_core/parameters/netns_mode", sysfs);
	VFK_AUTO(free_auto) char *mode = doctor_slurp(path);
	if (!mode || !n)
		doctor_say(d, "ok", "rdma", NULL, "no RDMA devices");
	else if (mode[0] == 'Y' || mode[0] == '1')
		doctor_say(d, "warning", "rdma",
			   "options ib_core netns_mode=0 in /etc/modprobe.d, then boot: it "
			   "cannot be changed while pods run",
			   "RDMA devices are shared by all namespaces: rdmaIsolation cannot "
			   "work, and every pod costs %u KB of kernel memory (%d KB for each "
			   "of %u devices)",
			   n * KB_PER_NETNS, KB_PER_NETNS, n);
	else
		doctor_say(d, "ok", "rdma", NULL, "exclusive mode, %u devices", n);
}

/* --- VFs --- */

static void link_name(const char *path, char *out, size_t cap)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	out[0] = '\0';
	if (n <= 0)
		return;
	target[n] = '\0';
	slash = strrchr(target, '/');
	snprintf(out, cap, "%.*s", (int)cap - 1, slash ? slash + 1 : target);
}

/* 16 hexadecimal digits, whatever stands between them, as "00:11:..."; false: not so many. */
static bool normal_guid(const char *text, char out[24])
{
	char digits[17];
	size_t n = 0;

	for (; *text && *text != '\n' && n < 16; text++)
		if (isxdigit((unsigned char)*text))
			digits[n++] = (char)tolower((unsigned char)*text);
	if (n != 16)
		return false;
	for (size_t i = 0; i < 8; i++)
		snprintf(out + 3 * i, 4, "%.2s%s", digits + 2 * i, i < 7 ? ":" : "");
	return true;
}

static bool guid_of_file(const char *path, char out[24])
{
	VFK_AUTO(free_auto) char *text = doctor_slurp(path);

	return text && normal_guid(text, out);
}

/* Its number in its PF. */
static int index_of(const char *vf_path)
{
	char link[PATH_MAX], name[32], want[32];
	const char *slash = strrchr(vf_path, '/');

	snprintf(want, sizeof(want), "%.31s", slash ? slash + 1 : vf_path);
	for (int i = 0; i < 4096; i++) {
		snprintf(link, sizeof(link), "%s/physfn/virtfn%d", vf_path, i);
		link_name(link, name, sizeof(name));
		if (!name[0])
			return -1;
		if (!strcmp(name, want))
			return i;
	}
	return -1;
}

/* What the PF has set, else what the VF's own device has, else its IPoIB address. */
static void find_guid(const char *path, const struct doctor_vf *vf, char out[24])
{
	char file[PATH_MAX], name[64];
	const char *tail;

	out[0] = '\0';
	snprintf(file, sizeof(file), "%s/physfn/sriov/%d/port", path, index_of(path));
	if (guid_of_file(file, out))
		return;
	snprintf(file, sizeof(file), "%s/infiniband", path);
	if (entries(file, name, sizeof(name))) {
		snprintf(file, sizeof(file), "%s/infiniband/%s/node_guid", path, name);
		if (guid_of_file(file, out))
			return;
	}
	if (!vf->link[0])
		return;
	snprintf(file, sizeof(file), "%s/net/%s/address", path, vf->link);
	VFK_AUTO(free_auto) char *text = doctor_slurp(file);
	/* 20 octets: the GUID is the last 8. */
	if (!text || strcspn(text, "\n") != 59)
		return;
	tail = text + 36;
	(void)normal_guid(tail, out);
}

void doctor_find_vfs(struct doctor *d)
{
	char path[PATH_MAX], sub[PATH_MAX];
	VFK_AUTO(dir_auto) DIR *dir = NULL;
	const struct dirent *e;

	snprintf(path, sizeof(path), "%s/bus/pci/devices", d->config.env.sysfs_root);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL) {
		struct doctor_vf vf = { .addr = PCI_NONE }, *bigger;

		snprintf(path, sizeof(path), "%s/bus/pci/devices/%s",
			 d->config.env.sysfs_root, e->d_name);
		snprintf(sub, sizeof(sub), "%s/physfn", path);
		if (!pci_parse(e->d_name, &vf.addr) || access(sub, F_OK) < 0)
			continue;
		snprintf(sub, sizeof(sub), "%s/driver", path);
		link_name(sub, vf.driver, sizeof(vf.driver));
		snprintf(sub, sizeof(sub), "%s/net", path);
		entries(sub, vf.link, sizeof(vf.link));
		find_guid(path, &vf, vf.guid);
		bigger = realloc(d->vfs, (d->n_vfs + 1) * sizeof(*bigger));
		if (!bigger)
			return;
		d->vfs = bigger;
		d->vfs[d->n_vfs++] = vf;
	}
	doctor_say(d, "ok", "vfs", NULL, "%zu virtual functions on the bus", d->n_vfs);
}

void doctor_guids(struct doctor *d)
{
	for (size_t i = 0; i < d->n_vfs; i++) {
		const struct doctor_vf *vf = &d->vfs[i];
		char addr[PCI_STRLEN], other[PCI_STRLEN];

		if (!vf->guid[0])
			continue;
		pci_format(vf->addr, addr);
		if (!strcmp(vf->guid, "00:00:00:00:00:00:00:00") ||
		    !strcmp(vf->guid, "ff:ff:ff:ff:ff:ff:ff:ff")) {
			doctor_say(d, "warning", "guid",
				   "give the VF a GUID when it is made, or every pod one",
				   "VF %s has the GUID %s, which no pod can use", addr,
				   vf->guid);
			continue;
		}
		for (size_t k = i + 1; k < d->n_vfs; k++)
			if (!strcmp(vf->guid, d->vfs[k].guid))
				doctor_say(d, "problem", "guid",
					   "the subnet manager lets only one of them work",
					   "VFs %s and %s have the same GUID %s", addr,
					   pci_format(d->vfs[k].addr, other), vf->guid);
	}
}

/* Drivers that hand the whole device to a program: there is no link to look for. */
static bool is_user_space(const char *driver)
{
	return !strcmp(driver, "vfio-pci") || !strcmp(driver, "uio_pci_generic") ||
	       !strcmp(driver, "igb_uio");
}

void doctor_leaks(struct doctor *d)
{
	for (size_t i = 0; i < d->n_vfs; i++) {
		const struct doctor_vf *vf = &d->vfs[i];
		char addr[PCI_STRLEN];

		pci_format(vf->addr, addr);
		if (!vf->driver[0])
			doctor_say(d, "problem", "leak",
				   "bind it: echo its address to the drivers_probe of its bus",
				   "VF %s is bound to no driver", addr);
		else if (!is_user_space(vf->driver) && !vf->link[0] && !vf->cached_alive)
			doctor_say(d, "problem", "leak",
				   "vfkeeper frees it when the namespace has ended; at once: "
				   "vfctl release ADDRESS --force",
				   "VF %s is leaked: its link is in another namespace, and no "
				   "container that lives owns it by any record",
				   addr);
	}
}
