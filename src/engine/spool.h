/* SPDX-License-Identifier: Apache-2.0 */
/* DELs that a client left in /var/lib/vfkeeper/spool because no engine could be had (R5).
 * Layer: engine. */
#ifndef VFK_ENGINE_SPOOL_H
#define VFK_ENGINE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct spool_entry {
	char file[64]; /* name inside the spool directory */
	char boot_id[40];
	uint16_t dialect;
	uint64_t start_ns;
	char *env, *stdin_text; /* of the entry, gone after 'fn'; a NUL follows each */
	size_t env_len, stdin_len;
};

/* Passes each whole entry of 'dir' to 'fn', renamed from ".del" to ".now" before so that no
 * client replaces it meanwhile; what is damaged is renamed to "<name>.bad" with one log line, ".tmp" files older than a minute are removed.  A missing directory is an
 * empty one.  Stops at fn's first negative value and returns it. */
int spool_read(const char *dir,
	       int (*fn)(void *arg, const struct spool_entry *entry, struct vfk_err *err),
	       void *arg, struct vfk_err *err) VFK_MUST_CHECK;
/* Unlinks an entry after its record is written. */
int spool_done(const char *dir, const char *file, struct vfk_err *err) VFK_MUST_CHECK;

#endif
