/* SPDX-License-Identifier: Apache-2.0 */
/* Whole small files.  Those with a path are for tools and workers: the loop waits for no disk.
 * What fails returns a negative errno, which the caller words.  Layer: io. */
#ifndef VFK_IO_FILE_H
#define VFK_IO_FILE_H

#include <dirent.h>
#include <stddef.h>

#include "base/attr.h"

static inline void dir_auto(DIR *const *dir)
{
	if (*dir)
		closedir(*dir);
}

/* The whole file with a NUL behind it; the caller frees.  'flags' go to open() besides those of
 * reading.  A pipe or device is never waited for.  -EFBIG: it is longer than 'max_bytes'. */
int file_read(const char *path, int flags, size_t max_bytes, char **text,
	      size_t *len) VFK_MUST_CHECK;
/* In place of what was there, with mode 0600 where it is new, and synced. */
int file_write(const char *path, const char *text, size_t len) VFK_MUST_CHECK;
/* Syncs the directory that has the name: what was made or renamed stays. */
int file_sync_name(const char *path) VFK_MUST_CHECK;
/* A new file in memory with these bytes; its descriptor, or a negative errno. */
int file_memfd(const char *name, const void *bytes, size_t len) VFK_MUST_CHECK;
/* The whole of such a file with a NUL behind it; the caller frees.  NULL: it is none, longer
 * than 'max_bytes', or cannot be read whole, or there is no memory.  Whoever made it cannot have
 * this wait. */
char *file_of_memfd(int fd, size_t max_bytes, size_t *len);

#endif
