/* SPDX-License-Identifier: Apache-2.0 */
/* What ib-sriov-cni, sriov-cni and host-local left on the node. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/peer_cache.h"
#include "vfctl/doctor.h"
#include "vfctl/peers.h"

static void one_cache(struct doctor *d, const char *plugin, const char *dir,
		      const char *file)
{
	char path[PATH_MAX];
	const char *device, *id, *container;
	struct attachment att;
	struct doctor_vf *vf;
	struct stat st;
	bool alive;
	json_t *doc;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	peer_cache_split(file, "", &att);
	container = att.container;
	alive = doctor_is_alive(d, container);
	VFK_AUTO(free_auto) char *text = doctor_slurp(path);
	doc = text ? json_loads(text, 0, NULL) : NULL;
	if (!json_is_object(doc)) {
		doctor_say(d, "problem", "cache",
			   "look at it by hand, then remove the file",
			   "%s cannot be read: the DEL of %s would succeed and undo nothing",
			   path, plugin);
		json_decref(doc);
		return;
	}
	id = json_string_value(json_object_get(doc, "deviceID"));
	device = id ? id : "";
	vf = doctor_vf(d, device);
	if (vf) {
		vf->cached = true;
		vf->cached_alive |= alive;
	}
	if (!device[0])
		doctor_say(d, "warning", "cache", NULL,
			   "%s names no device, as some releases of %s wrote it: nothing can "
			   "be undone from it",
			   path, plugin);
	else if (!alive)
		doctor_say(d, "warning", "cache",
			   "the VF is looked at below; the file can be removed",
			   "%s is an orphan: container %.13s does not live, VF %s was its",
			   path, container, device);
	else if (!vf)
		doctor_say(d, "problem", "cache", NULL,
			   "container %.13s has VF %s by %s, which is not on the bus",
			   container, device, path);
	else if (vf->link[0])
		doctor_say(d, "warning", "cache", NULL,
			   "container %.13s has VF %s by %s, but its link %s is here",
			   container, device, path, vf->link);
	json_decref(doc);
}

static void one_directory(struct doctor *d, enum cni_dialect dialect)
{
	char path[PATH_MAX];
	const struct dirent *e;
	unsigned n = 0;

	VFK_AUTO(dir_auto) DIR *dir = opendir(peers_dir(dialect, path));
	while (dir && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		one_cache(d, peer_name(dialect), path, e->d_name);
	}
	if (n)
		doctor_say(d, "ok", "cache", "vfctl import takes over what lives",
			   "%u entries in %s", n, path);
}

/* sriov-cni: a file named by the VF with the path of the namespace that has it. */
static void allocations(struct doctor *d)
{
	char dir_path[PATH_MAX], path[PATH_MAX], netns[PATH_MAX];
	const struct dirent *e;

	snprintf(dir_path, sizeof(dir_path), "%s/var/lib/cni/sriov/pci", peers_root());
	VFK_AUTO(dir_auto) DIR *dir = opendir(dir_path);
	while (dir && (e = readdir(dir)) != NULL) {
		pci_addr_t addr;

		snprintf(path, sizeof(path), "%s/%s", dir_path, e->d_name);
		if (!pci_parse(e->d_name, &addr))
			continue;
		VFK_AUTO(free_auto) char *text = doctor_slurp(path);
		if (!text)
			continue;
		text[strcspn(text, "\n")] = '\0';
		snprintf(netns, sizeof(netns), "%s%s", peers_root(), text);
		if (text[0] == '/' && access(netns, F_OK) < 0)
			doctor_say(d, "warning", "allocation",
				   "sriov-cni takes it away at the next ADD of this VF",
				   "%s says that VF %s is in use by %s, which is gone",
				   path, e->d_name, text);
	}
}

void doctor_caches(struct doctor *d)
{
	one_directory(d, DIALECT_IB_SRIOV);
	one_directory(d, DIALECT_SRIOV);
	allocations(d);
}

/* --- host-local --- */

static void one_network(struct doctor *d, const char *dir_path, const char *network)
{
	char path[PATH_MAX], first[200] = "";
	unsigned n = 0, n_orphans = 0;
	const struct dirent *e;

	VFK_AUTO(dir_auto) DIR *dir = opendir(dir_path);
	while (dir && (e = readdir(dir)) != NULL) {
		size_t len = strlen(first);

		/* An address; the plugin's other files begin otherwise. */
		if (!strchr("0123456789abcdef:", e->d_name[0]) || !strpbrk(e->d_name, ".:"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir_path, e->d_name);
		VFK_AUTO(free_auto) char *text = doctor_slurp(path);
		if (!text)
			continue;
		n++;
		text[strcspn(text, "\r\n ")] = '\0';
		if (doctor_is_alive(d, text))
			continue;
		if (n_orphans++ < 5)
			snprintf(first + len, sizeof(first) - len, "%s%.50s",
				 len ? ", " : "", e->d_name);
	}
	if (n_orphans)
		doctor_say(d, "warning", "leases",
			   "remove the files of these addresses when no pod has them",
			   "host-local, network %s: %u of %u leases are of containers that do "
			   "not live (%s%s)",
			   network, n_orphans, n, first, n_orphans > 5 ? ", ..." : "");
	else if (n)
		doctor_say(d, "ok", "leases", NULL,
			   "host-local, network %s: %u leases, all of containers that live",
			   network, n);
}

void doctor_leases(struct doctor *d)
{
	char dir_path[PATH_MAX], path[PATH_MAX];
	const struct dirent *e;

	snprintf(dir_path, sizeof(dir_path), "%s/var/lib/cni/networks", peers_root());
	VFK_AUTO(dir_auto) DIR *dir = opendir(dir_path);
	while (dir && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir_path, e->d_name);
		one_network(d, path, e->d_name);
	}
}
