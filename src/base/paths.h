/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed paths, all moved together by VFKEEPER_ROOT (vfkeeper(8), FILES).  Layer: base. */
#ifndef VFK_BASE_PATHS_H
#define VFK_BASE_PATHS_H

#include "base/attr.h"
#include "base/err.h"

#define VFK_PATH_MAX 512

enum vfk_path {
	PATH_STATE,	   /* /var/lib/vfkeeper, 0700 */
	PATH_JOURNAL,	   /* /var/lib/vfkeeper/journal */
	PATH_SPOOL,	   /* /var/lib/vfkeeper/spool */
	PATH_IMPORTED,	   /* /var/lib/vfkeeper/imported, of vfctl import alone */
	PATH_RUN,	   /* /run/vfkeeper, 0700 */
	PATH_LOCK,	   /* /run/vfkeeper/LOCK */
	PATH_CNI_SOCK,	   /* /run/vfkeeper/cni.sock */
	PATH_CONTROL_SOCK, /* /run/vfkeeper/control.sock */
	PATH_HTTP_SOCK,	   /* /run/vfkeeper/http.sock */
	PATH_START,	   /* /run/vfkeeper/start */
	PATH_INFLIGHT,	   /* /run/vfkeeper/inflight */
	PATH_DURABLE,	   /* /run/vfkeeper/durable */
	PATH_RECENT_DEL,   /* /run/vfkeeper/recent-del */
	PATH_CONF,	   /* /etc/vfkeeper/vfkeeper.conf */
	PATH_JOURNALD,	   /* /run/systemd/journal/socket, of the journal service */
	PATH_COUNT
};

/* Returns the path in static storage, "" if VFKEEPER_ROOT is unusable (not absolute or
 * too long: paths_check says so).  Reads the environment once, at the first call. */
const char *vfk_path(enum vfk_path which);
/* 0, or VFK_E_CONFIG with one line that names VFKEEPER_ROOT. */
int paths_check(struct vfk_err *err) VFK_MUST_CHECK;
/* Makes PATH_STATE, PATH_JOURNAL, PATH_SPOOL and PATH_RUN with their parents, the leaves
 * with mode 0700; existing ones are left as they are.  VFK_E_SYS names the path. */
int paths_make(struct vfk_err *err) VFK_MUST_CHECK;

#endif
