/* SPDX-License-Identifier: Apache-2.0 */
#include "vfctl/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/paths.h"
#include "cni/peer_cache.h"
#include "io/file.h"

#define FILE_MAX (1024u * 1024)
#define LOCK_WAIT_NS (10 * NS_PER_S)
#define NAMES_MAX 1000

const char *peers_root(void)
{
	static const char suffix[] = "/etc/vfkeeper/vfkeeper.conf";
	static char root[VFK_PATH_MAX];
	const char *conf = vfk_path(PATH_CONF);

	snprintf(root, sizeof(root), "%.*s", (int)(strlen(conf) - strlen(suffix)), conf);
	return root;
}

const char *peers_dir(enum cni_dialect dialect, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/var/lib/cni/%s", peers_root(), peer_name(dialect));
	return out;
}

const char *peers_allocation(pci_addr_t addr, char out[PATH_MAX])
{
	char text[PCI_STRLEN];

	snprintf(out, PATH_MAX, "%s/var/lib/cni/sriov/pci/%s", peers_root(),
		 pci_format(addr, text));
	return out;
}

/* What is no plain file, or gone again, is none of the plugin's attachments. */
static int add_file(struct peer_files *files, enum cni_dialect dialect, DIR *dir,
		    const char *dir_path, const char *name, struct vfk_err *err)
{
	struct peer_file *bigger, *f;
	struct stat st;

	if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 :
					 vfk_err_set(err, VFK_E_SYS, errno,
						     "look at %s/%s", dir_path, name);
	if (!S_ISREG(st.st_mode))
		return 0;
	bigger = realloc(files->all, (files->n + 1) * sizeof(*bigger));
	if (!bigger)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "list %s", dir_path);
	files->all = bigger;
	f = &files->all[files->n];
	f->dialect = dialect;
	f->device = PCI_NONE;
	f->mtime_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	snprintf(f->name, sizeof(f->name), "%s", name);
	if (snprintf(f->path, sizeof(f->path), "%s/%s", dir_path, name) >=
	    (int)sizeof(f->path))
		return vfk_err_set(err, VFK_E_SYS, ENAMETOOLONG, "list %s", dir_path);
	files->n++;
	return 0;
}

int peers_list(struct peer_files *files, enum cni_dialect dialect, struct vfk_err *err)
{
	char dir_path[PATH_MAX];
	VFK_AUTO(dir_auto) DIR *dir = opendir(peers_dir(dialect, dir_path));
	const struct dirent *e;

	if (!dir)
		return errno == ENOENT ?
			       0 :
			       vfk_err_set(err, VFK_E_SYS, errno, "list %s", dir_path);
	while ((errno = 0, e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' &&
		    add_file(files, dialect, dir, dir_path, e->d_name, err) < 0)
			return -err->kind;
	return errno ? vfk_err_set(err, VFK_E_SYS, errno, "list %s", dir_path) : 0;
}

void peers_free(struct peer_files *files)
{
	free(files->all);
	files->all = NULL;
	files->n = 0;
}

int peers_read(const char *path, char **text, size_t *len, struct vfk_err *err)
{
	int rc = file_read(path, O_NOFOLLOW, FILE_MAX, text, len);

	return rc == 0 ? 0 :
			 vfk_err_set(err, rc == -ENOENT ? VFK_E_GONE : VFK_E_SYS, -rc,
				     "it cannot be read");
}

/* --- the runtime's own cache --- */

/* A name of Kubernetes: nothing that could end a value of CNI_ARGS. */
static bool is_name(const char *text)
{
	return text && *text && strlen(text) < 254 &&
	       !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")];
}

static const char *arg_of(const json_t *doc, const char *key)
{
	json_t *pair;
	size_t i;

	json_array_foreach(json_object_get(doc, "cniArgs"), i, pair) {
		const char *name = json_string_value(json_array_get(pair, 0));

		if (name && !strcmp(name, key))
			return json_string_value(json_array_get(pair, 1));
	}
	return NULL;
}

void peers_pod(const struct attachment *att, char out[PEERS_ARGS_MAX])
{
	static const char *const dirs[] = { "results", "multus/results" };

	out[0] = '\0';
	for (size_t i = 0; i < VFK_ARRAY_SIZE(dirs) && !out[0]; i++) {
		VFK_AUTO(free_auto) char *text = NULL;
		struct vfk_err ignored;
		const char *ns, *name;
		char path[PATH_MAX];
		json_t *doc;
		size_t len;

		if (snprintf(path, sizeof(path), "%s/var/lib/cni/%s/%s-%s-%s",
			     peers_root(), dirs[i], att->network, att->container,
			     att->ifname) >= (int)sizeof(path) ||
		    peers_read(path, &text, &len, &ignored) < 0)
			continue;
		doc = json_loadb(text, len, 0, NULL);
		ns = arg_of(doc, "K8S_POD_NAMESPACE");
		name = arg_of(doc, "K8S_POD_NAME");
		if (is_name(ns) && is_name(name))
			snprintf(out, PEERS_ARGS_MAX,
				 "IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s",
				 ns, name);
		json_decref(doc);
	}
}

/* --- locks --- */

/* Makes a directory with its parents; the last one is for the superuser alone. */
static int make_dirs(const char *path, struct vfk_err *err)
{
	char part[PATH_MAX];
	struct stat st;

	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		if (stat(part, &st) < 0 && mkdir(part, 0755) < 0 && errno != EEXIST)
			return vfk_err_set(err, VFK_E_SYS, errno, "mkdir %s", part);
	}
	if (stat(path, &st) < 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
		return vfk_err_set(err, VFK_E_SYS, errno, "mkdir %s", path);
	return 0;
}

/* ib-sriov-cni has one for the node.  sriov-cni has one per VF since 2.10, where its directory
 * tells that there is such a release. */
static int lock_path(enum cni_dialect dialect, pci_addr_t addr, char out[PATH_MAX],
		     struct vfk_err *err)
{
	char dir[PATH_MAX - 64], text[PCI_STRLEN];
	struct stat st;

	if (dialect == DIALECT_IB_SRIOV) {
		snprintf(dir, sizeof(dir), "%s/var/run/cni/ib-sriov", peers_root());
		snprintf(out, PATH_MAX, "%s/cni.lock", dir);
		return make_dirs(dir, err);
	}
	snprintf(dir, sizeof(dir), "%s/var/lib/cni/sriov/pci/vf_lock", peers_root());
	if (stat(dir, &st) < 0)
		out[0] = '\0';
	else
		snprintf(out, PATH_MAX, "%s/%s.lock", dir, pci_format(addr, text));
	return 0;
}

int peers_lock(enum cni_dialect dialect, pci_addr_t addr, int *fd, struct vfk_err *err)
{
	const struct timespec pause = { 0, 10 * NS_PER_MS };
	int64_t until_ns = clock_boot_ns() + LOCK_WAIT_NS;
	char path[PATH_MAX];

	*fd = -1;
	if (lock_path(dialect, addr, path, err) < 0)
		return -err->kind;
	if (!path[0])
		return 0;
	VFK_AUTO(fd_auto) int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
	while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return vfk_err_set(err, VFK_E_SYS, errno, "lock %s", path);
		if (clock_boot_ns() >= until_ns)
			return vfk_err_set(err, VFK_E_BUSY, 0, "%s is at work: it holds %s",
					   peer_name(dialect), path);
		nanosleep(&pause, NULL);
	}
	*fd = fd_steal(&lock);
	return 0;
}

/* --- writing, and putting away --- */

static int sync_name(const char *path, struct vfk_err *err)
{
	int rc = file_sync_name(path);

	return rc < 0 ? vfk_err_set(err, VFK_E_SYS, -rc, "sync the directory of %s", path) :
			0;
}

static int write_all(const char *path, const char *text, size_t len, struct vfk_err *err)
{
	int rc = file_write(path, text, len);

	return rc < 0 ? vfk_err_set(err, VFK_E_SYS, -rc, "write %s", path) : 0;
}

int peers_write(const char *path, const char *text, struct vfk_err *err)
{
	const char *slash = strrchr(path, '/');
	VFK_AUTO(free_auto) char *is = NULL;
	char dir[PATH_MAX], tmp[PATH_MAX];
	size_t len;

	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	if (make_dirs(dir, err) < 0)
		return -err->kind;
	if (peers_read(path, &is, &len, err) == 0) {
		if (!strcmp(is, text))
			return sync_name(path, err); /* of an export that ended half way */
		return vfk_err_set(err, VFK_E_EXISTS, 0,
				   "another %s is there: move it away", path);
	}
	if (err->kind != VFK_E_GONE)
		return vfk_err_wrap(err, "%s", path);
	/* A name that the plugin never asks for. */
	if (snprintf(tmp, sizeof(tmp), "%s/.vfctl-export", dir) >= (int)sizeof(tmp))
		return vfk_err_set(err, VFK_E_SYS, ENAMETOOLONG, "%s", path);
	if (write_all(tmp, text, strlen(text), err) < 0)
		return -err->kind;
	if (rename(tmp, path) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "rename %s", tmp);
	return sync_name(path, err);
}

/* To another file system. */
static int copy_away(const char *from, const char *to, struct vfk_err *err)
{
	VFK_AUTO(free_auto) char *text = NULL;
	char tmp[PATH_MAX];
	size_t len;

	if (snprintf(tmp, sizeof(tmp), "%s.new", to) >= (int)sizeof(tmp))
		return vfk_err_set(err, VFK_E_SYS, ENAMETOOLONG, "%s", to);
	if (peers_read(from, &text, &len, err) < 0)
		return vfk_err_wrap(err, "%s", from);
	if (write_all(tmp, text, len, err) < 0)
		return -err->kind;
	if (renameat2(AT_FDCWD, tmp, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "rename %s", tmp);
	if (sync_name(to, err) < 0)
		return -err->kind;
	return unlink(from) < 0 ? vfk_err_set(err, VFK_E_SYS, errno, "unlink %s", from) : 0;
}

int peers_retire(enum cni_dialect dialect, const char *path, const char *name,
		 struct vfk_err *err)
{
	char dir[VFK_PATH_MAX + 64], to[PATH_MAX];
	int rc = -1;

	snprintf(dir, sizeof(dir), "%s/%s", vfk_path(PATH_IMPORTED), peer_name(dialect));
	if (make_dirs(dir, err) < 0)
		return -err->kind;
	/* Nothing that was put away before is lost. */
	for (unsigned i = 0; rc < 0 && i < NAMES_MAX; i++) {
		if (i)
			snprintf(to, sizeof(to), "%s/%s~%u", dir, name, i);
		else
			snprintf(to, sizeof(to), "%s/%s", dir, name);
		rc = renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE);
		if (rc < 0 && errno == EXDEV) {
			struct stat st;

			if (stat(to, &st) == 0)
				continue;
			rc = copy_away(path, to, err);
			if (rc < 0)
				return rc;
		}
		if (rc < 0 && errno != EEXIST)
			break;
	}
	if (rc < 0 && errno == ENOENT)
		return 0;
	if (rc < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "move %s to %s", path, dir);
	rc = sync_name(to, err);
	return rc < 0 ? rc : sync_name(path, err);
}
