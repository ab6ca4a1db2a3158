/* SPDX-License-Identifier: Apache-2.0 */
/* The DELs of the last minutes, kept in /run/vfkeeper/recent-del, so that an ADD that began
 * before a DEL of its attachment is refused however late it comes (R12).  A ring of 16,384
 * places of 24 bytes in a mapped file, equal keys in one place; written by the engine
 * only.  Layer: engine. */
#ifndef VFK_ENGINE_RECENT_DEL_H
#define VFK_ENGINE_RECENT_DEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attachment.h"
#include "base/attr.h"
#include "base/err.h"

struct recent_del;

/* Maps (creates, or makes anew if it is not one of ours) the file.  'path' NULL: only in
 * memory.  VFK_E_SYS. */
int recent_del_open(struct recent_del **out, const char *path,
		    struct vfk_err *err) VFK_MUST_CHECK;
void recent_del_close(struct recent_del *r); /* NULL allowed; the file stays */

/* A DEL of 'att' arrived at 'del_ns' (now, or when it was left in the spool); 'settled': it
 * found nothing, or left nothing to do (the DEL table's last rows ask for that).  A DEL of
 * network "" (unknown) counts for every network. */
void recent_del_note(struct recent_del *r, const struct attachment *att, uint64_t del_ns,
		     int64_t now_boot_ns, bool settled);
/* Whether an ADD whose client started at 'start_ns' comes too late: before a noted DEL of
 * its attachment or before the floor (the newest place that was overwritten
 * while younger than ten minutes). */
bool recent_del_refuses(const struct recent_del *r, const struct attachment *att,
			uint64_t start_ns);
bool recent_del_settled(const struct recent_del *r, const struct attachment *att);

#endif
