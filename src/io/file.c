/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/strbuf.h"

int file_read(const char *path, int flags, size_t max_bytes, char **text, size_t *len)
{
	VFK_AUTO(fd_auto)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	struct strbuf all = { 0 };
	char buf[4096];
	ssize_t n = 1;
	int rc = 0;

	*text = NULL;
	if (fd < 0)
		return -errno;
	while (rc == 0 && n != 0) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno != EINTR)
			rc = -errno;
		if (n > 0)
			strbuf_add(&all, buf, (size_t)n);
		if (all.len > max_bytes)
			rc = -EFBIG;
	}
	if (rc < 0) {
		strbuf_free(&all);
		return rc;
	}
	*len = all.len;
	*text = strbuf_steal(&all);
	return *text ? 0 : -ENOMEM;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_write(const char *path, const char *text, size_t len)
{
	VFK_AUTO(fd_auto)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? -errno : write_all(fd, text, len);

	if (rc < 0)
		return rc;
	return fsync(fd) < 0 ? -errno : 0;
}

int file_sync_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	if (!slash || slash - path >= PATH_MAX)
		return -EINVAL;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	VFK_AUTO(fd_auto) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some file systems have nothing to sync there. */
	return fd < 0 || (fsync(fd) < 0 && errno != EINVAL) ? -errno : 0;
}

int file_memfd(const char *name, const void *bytes, size_t len)
{
	VFK_AUTO(fd_auto) int fd = memfd_create(name, MFD_CLOEXEC);
	int rc = fd < 0 ? -errno : write_all(fd, bytes, len);

	return rc < 0 ? rc : fd_steal(&fd);
}

char *file_of_memfd(int fd, size_t max_bytes, size_t *len)
{
	struct stat st;
	size_t done = 0;
	char *text;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > max_bytes)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return NULL;
	while (done < (size_t)st.st_size) {
		ssize_t n = pread(fd, text + done, (size_t)st.st_size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* half of it would be another list, or another request */
			free(text);
			return NULL;
		}
		done += (size_t)n;
	}
	text[done] = '\0';
	*len = done;
	return text;
}
