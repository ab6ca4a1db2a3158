/* SPDX-License-Identifier: Apache-2.0 */
#include "base/paths.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

static const char *const suffix[PATH_COUNT] = {
	[PATH_STATE] = "/var/lib/vfkeeper",
	[PATH_JOURNAL] = "/var/lib/vfkeeper/journal",
	[PATH_SPOOL] = "/var/lib/vfkeeper/spool",
	[PATH_IMPORTED] = "/var/lib/vfkeeper/imported",
	[PATH_RUN] = "/run/vfkeeper",
	[PATH_LOCK] = "/run/vfkeeper/LOCK",
	[PATH_CNI_SOCK] = "/run/vfkeeper/cni.sock",
	[PATH_CONTROL_SOCK] = "/run/vfkeeper/control.sock",
	[PATH_HTTP_SOCK] = "/run/vfkeeper/http.sock",
	[PATH_START] = "/run/vfkeeper/start",
	[PATH_INFLIGHT] = "/run/vfkeeper/inflight",
	[PATH_DURABLE] = "/run/vfkeeper/durable",
	[PATH_RECENT_DEL] = "/run/vfkeeper/recent-del",
	[PATH_CONF] = "/etc/vfkeeper/vfkeeper.conf",
	[PATH_JOURNALD] = "/run/systemd/journal/socket",
};

/* The longest name that is bound: it has to fit sockaddr_un with its NUL. */
#define ROOT_MAX                                                                         \
	(sizeof(((struct sockaddr_un *)0)->sun_path) -                                   \
	 sizeof("/run/vfkeeper/control.sock"))
_Static_assert(ROOT_MAX + sizeof("/var/lib/vfkeeper/journal") < VFK_PATH_MAX, "paths fit");

enum root_state { ROOT_UNREAD, ROOT_GOOD, ROOT_RELATIVE, ROOT_LONG };

static enum root_state root_state;
static char paths[PATH_COUNT][ROOT_MAX + 32];

static void read_root(void)
{
	const char *root = getenv("VFKEEPER_ROOT");
	size_t len = root ? strlen(root) : 0;

	while (len && root[len - 1] == '/')
		len--;
	root_state = ROOT_GOOD;
	if (root && *root && *root != '/')
		root_state = ROOT_RELATIVE;
	else if (len > ROOT_MAX)
		root_state = ROOT_LONG;
	for (size_t i = 0; root_state == ROOT_GOOD && i < PATH_COUNT; i++) {
		memcpy(paths[i], root ? root : "", len);
		memcpy(paths[i] + len, suffix[i], strlen(suffix[i]) + 1);
	}
}

const char *vfk_path(enum vfk_path which)
{
	if (root_state == ROOT_UNREAD)
		read_root();
	return paths[which];
}

int paths_check(struct vfk_err *err)
{
	if (root_state == ROOT_UNREAD)
		read_root();
	if (root_state == ROOT_RELATIVE)
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "VFKEEPER_ROOT is not an absolute path");
	if (root_state == ROOT_LONG)
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "VFKEEPER_ROOT is longer than %zu bytes", ROOT_MAX);
	return 0;
}

static int make_one(const char *path, mode_t mode, struct vfk_err *err)
{
	struct stat st;

	/* stat first: mkdir on a read-only filesystem fails even where the name exists.
	 */
	if (stat(path, &st) < 0) {
		if (mkdir(path, mode) == 0 || errno == EEXIST)
			return 0;
		return vfk_err_set(err, VFK_E_SYS, errno, "mkdir %s", path);
	}
	if (!S_ISDIR(st.st_mode))
		return vfk_err_set(err, VFK_E_SYS, ENOTDIR, "%s", path);
	return 0;
}

static int make_with_parents(const char *path, struct vfk_err *err)
{
	char part[VFK_PATH_MAX];
	size_t len = strlen(path);

	for (size_t i = 1; i < len; i++) {
		int rc;

		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		rc = make_one(part, 0755, err);
		if (rc < 0)
			return rc;
	}
	return make_one(path, 0700, err);
}

int paths_make(struct vfk_err *err)
{
	/* PATH_RUN first: without it no engine can be started, while one runs without a
	 * writable PATH_STATE (P10).  PATH_STATE before what is in it, so that it is
	 * made as a leaf and not as a parent. */
	static const enum vfk_path dirs[] = { PATH_RUN, PATH_STATE, PATH_JOURNAL,
					      PATH_SPOOL };
	int rc = paths_check(err);

	for (size_t i = 0; rc == 0 && i < VFK_ARRAY_SIZE(dirs); i++)
		rc = make_with_parents(vfk_path(dirs[i]), err);
	return rc;
}
