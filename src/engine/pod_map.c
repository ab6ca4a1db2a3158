/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pod_map.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "drivers/link.h"
#include "io/file.h"
#include "io/nl.h"

#define CGROUP_MAX (1u << 20)

static int take_link(void *arg, const struct link *link, struct vfk_err *err)
{
	struct pod_netns *pod = arg;
	const char *name = link && !strcmp(link->parent_bus, "pci") ? link->parent_dev :
			   link					    ? link->alias :
								      "";
	pci_addr_t addr, *bigger;

	if (!link) /* from the beginning */
		pod->n_vfs = 0;
	if (!pci_parse(name, &addr))
		return 0;
	bigger = realloc(pod->vfs, (pod->n_vfs + 1) * sizeof(*bigger));
	if (!bigger)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "links of a namespace");
	pod->vfs = bigger;
	pod->vfs[pod->n_vfs++] = addr;
	return 0;
}

static void pod_free(struct pod_netns *pod)
{
	free(pod->vfs);
	strbuf_free(&pod->cgroups);
}

static struct pod_netns *find(const struct pod_map *map, const struct stat *st)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->all[i].device == st->st_dev && map->all[i].inode == st->st_ino)
			return &map->all[i];
	return NULL;
}

/* The namespace at 'path', known already or new; NULL: it is none, or gone, or 'err' is set. */
static struct pod_netns *add(struct pod_map *map, const char *path,
			     const struct stat *own, struct vfk_err *err)
{
	VFK_AUTO(fd_auto)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct pod_netns *bigger, pod = { .n_vfs = 0 };
	struct link_walk walk = { take_link, &pod };
	struct vfk_err ignored;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    (st.st_dev == own->st_dev && st.st_ino == own->st_ino))
		return NULL;
	if (find(map, &st))
		return find(map, &st);
	pod.device = st.st_dev;
	pod.inode = st.st_ino;
	snprintf(pod.path, sizeof(pod.path), "%s", path);
	if (vnl_open(&nl, NETLINK_ROUTE, fd, &ignored) < 0 ||
	    vnl_netns_cookie(nl, &pod.cookie, &ignored) < 0 ||
	    link_each(nl, LINK_HERE, &walk, &ignored) < 0) {
		pod_free(&pod);
		return NULL;
	}
	bigger = realloc(map->all, (map->n + 1) * sizeof(*bigger));
	if (!bigger) {
		pod_free(&pod);
		vfk_err_set(err, VFK_E_NOMEM, 0, "map of the namespaces");
		return NULL;
	}
	map->all = bigger;
	map->all[map->n] = pod;
	return &map->all[map->n++];
}

static void add_cgroup(struct pod_netns *pod, const char *proc_root, const char *pid)
{
	VFK_AUTO(free_auto) char *text = NULL;
	char path[400];
	size_t len;

	snprintf(path, sizeof(path), "%s/%s/cgroup", proc_root, pid);
	if (file_read(path, 0, CGROUP_MAX, &text, &len) == 0)
		strbuf_add(&pod->cgroups, text, len);
}

static int read_processes(struct pod_map *map, const char *proc_root,
			  const struct stat *own, struct vfk_err *err)
{
	VFK_AUTO(dir_auto) DIR *dir = opendir(proc_root);
	const struct dirent *e;
	char path[400];

	if (!dir)
		return vfk_err_set(err, VFK_E_SYS, errno, "list %s", proc_root);
	while ((e = readdir(dir)) != NULL) {
		struct pod_netns *pod;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/%s/ns/net", proc_root, e->d_name);
		pod = add(map, path, own, err);
		if (err->kind)
			return -err->kind;
		if (pod)
			add_cgroup(pod, proc_root, e->d_name);
	}
	return 0;
}

int pod_map_read(struct pod_map *out, const char *proc_root, struct vfk_err *err)
{
	/* A name stays as long as the namespace, a process may not. */
	static const char *const dirs[] = { "/run/netns", "/run/docker/netns" };
	struct stat own;
	char path[400];

	memset(out, 0, sizeof(*out));
	memset(err, 0, sizeof(*err));
	if (stat("/proc/self/ns/net", &own) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "own network namespace");
	for (size_t i = 0; i < VFK_ARRAY_SIZE(dirs); i++) {
		VFK_AUTO(dir_auto) DIR *dir = opendir(dirs[i]);
		const struct dirent *e;

		while (dir && (e = readdir(dir)) != NULL) {
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", dirs[i], e->d_name);
			(void)add(out, path, &own, err);
			if (err->kind)
				return -err->kind;
		}
	}
	return read_processes(out, proc_root, &own, err);
}

void pod_map_free(struct pod_map *map)
{
	for (size_t i = 0; i < map->n; i++)
		pod_free(&map->all[i]);
	free(map->all);
	memset(map, 0, sizeof(*map));
}

bool pod_has_vf(const struct pod_netns *pod, pci_addr_t addr)
{
	for (size_t i = 0; i < pod->n_vfs; i++)
		if (pod->vfs[i] == addr)
			return true;
	return false;
}

bool pod_has_container(const struct pod_netns *pod, const char *container)
{
	return pod->cgroups.data && strstr(pod->cgroups.data, container);
}

const struct pod_netns *pod_map_cookie(const struct pod_map *map, uint64_t cookie)
{
	for (size_t i = 0; i < map->n; i++)
		if (cookie && map->all[i].cookie == cookie)
			return &map->all[i];
	return NULL;
}
