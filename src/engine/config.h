/* SPDX-License-Identifier: Apache-2.0 */
/* vfkeeper.conf.  Layer: engine. */
#ifndef VFK_ENGINE_CONFIG_H
#define VFK_ENGINE_CONFIG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/log.h"
#include "drivers/driver.h"
#include "engine/sources.h"
#include "io/log_out.h"
#include "io/http.h"

struct config {
	struct drv_env env;
	/* Not of the file: what stands in machine-id beside its directory, "" if nothing. */
	char machine_id[64];
	char plugin_dirs[1024]; /* colon list of absolute directories */
	bool sync_all;
	unsigned add_timeout_s;	     /* 110 */
	unsigned del_wait_ms;	     /* 3000 */
	unsigned ipam_del_timeout_s; /* 60 */
	unsigned step_timeout_s;     /* 30: a step later than this is stuck */
	unsigned retry_min_ms; /* 500: first pause of releases and payments that failed */
	unsigned retry_max_ms; /* 60000: longest one */
	unsigned reconcile_s;  /* 30: between two rounds over all VFs */
	unsigned event_sources; /* bits by enum event_source: all of them */
	unsigned give_up_after; /* 8 attempts of a detach plan in a row, then FAULTED */
	unsigned idle_s;    /* 10: engine on demand ends after this with nothing to do */
	unsigned n_workers; /* 8, at most 32 */
	unsigned node_slice; /* this node's part of what IPAM of our own shares; UINT_MAX: none */
	char node_name[128];   /* "": as uname(2) says */
	struct http_addr http; /* AF_UNSPEC: no HTTP */
	enum log_level log_level;
	char log_modules[256]; /* "module:level ...", over log_level */
	enum log_format log_format;
	enum log_target log_target;
};

void config_default(struct config *cfg);
/* Reads the file over the defaults; a missing file is the defaults.  VFK_E_CONFIG: one line
 * with file and line number (unknown section or key, wrong value); 'cfg' then holds the
 * defaults with what was read up to there. */
int config_load(struct config *cfg, const char *path, struct vfk_err *err) VFK_MUST_CHECK;
/* The name of the i-th key, NULL behind the last one: what the man page has to explain. */
const char *config_key(unsigned i);
/* Takes over what may change while an engine runs; 'fixed' is called for each key that differs
 * and may not. */
void config_reload(struct config *now, const struct config *fresh,
		   void (*fixed)(void *arg, const char *key), void *arg);
/* Whether the i-th key is taken over by config_reload. */
bool config_live(unsigned i);
/* Levels, format and place of the log as configured; 'level' (-1: none) is above log_level. */
void config_log(const struct config *cfg, const char *program, int level);
/* Whether the directory 'dir' is one of the list (exact after realpath). */
bool config_is_plugin_dir(const struct config *cfg, const char *dir);

#endif
