/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/frame.h"
#include "base/log.h"

#define TMP_AGE_S 60
#define ENTRY_MAX (sizeof(struct spool_hdr) + ENV_MAX + STDIN_MAX)

enum verdict {
	WHOLE,
	DAMAGED, /* set aside */
	LEFT	 /* cannot be read now, or is not ours to judge: stays as it is */
};

/* "<16 hex digits><suffix>" */
static bool is_entry_name(const char *name, const char *suffix)
{
	return strspn(name, "0123456789abcdef") == 16 && !strcmp(name + 16, suffix);
}

/* Gives the entry a name that no client writes: one that is replaced while it is carried out
 * would be removed unread.  False: not now, the one before has that name still. */
static bool claim(int dir_fd, const char *name, char *claimed)
{
	snprintf(claimed, sizeof("0123456789abcdef.now"), "%.16s.now", name);
	if (faccessat(dir_fd, claimed, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return false;
	if (renameat(dir_fd, name, dir_fd, claimed) == 0)
		return true;
	/* A disk that cannot be written now: it is read where it is. */
	snprintf(claimed, sizeof("0123456789abcdef.now"), "%s", name);
	return errno != ENOENT;
}

static bool is_tmp_name(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, ".tmp");
}

/* One that is not carried out must not stand in the way of those that come. */
static void unclaim(int dir_fd, const char *claimed)
{
	char name[sizeof("0123456789abcdef.del")];

	snprintf(name, sizeof(name), "%.16s.del", claimed);
	/* Where another has the name meanwhile, or the disk is read-only, it stays. */
	if (renameat2(dir_fd, claimed, dir_fd, name, RENAME_NOREPLACE) < 0 &&
	    errno != EEXIST && errno != ENOENT && errno != EROFS)
		log_warn("spool", "cannot rename %s: %s", claimed, vfk_errno_name(errno));
}

/* Reads 'len' bytes or fails with errno; a shorter file is ENODATA. */
static int read_all(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = ENODATA;
			return -1;
		}
		done += (size_t)n;
	}
	return 0;
}

static enum verdict check_hdr(const struct spool_hdr *hdr, size_t len, const char *file)
{
	if (hdr->magic != SPOOL_MAGIC)
		return DAMAGED;
	if (hdr->version != 1) {
		log_warn("spool", "%.16s.del is of version %u, only 1 is known: left alone",
			 file, hdr->version);
		return LEFT;
	}
	if (hdr->env_len > ENV_MAX || hdr->stdin_len > STDIN_MAX ||
	    sizeof(*hdr) + hdr->env_len + hdr->stdin_len != len)
		return DAMAGED;
	return memchr(hdr->boot_id, '\0', sizeof(hdr->boot_id)) ? WHOLE : DAMAGED;
}

static enum verdict check_crc(const struct spool_hdr *hdr, const void *body, size_t len)
{
	struct spool_hdr zero = *hdr;
	uint32_t crc;

	zero.crc = 0;
	crc = frame_crc32(0, &zero, sizeof(zero));
	return frame_crc32(crc, body, len) == hdr->crc ? WHOLE : DAMAGED;
}

/* Fills 'entry' of a whole file.  The body is one allocation with a NUL after each part;
 * stdin_text points into it. */
static enum verdict read_entry(int dir_fd, struct spool_entry *entry)
{
	VFK_AUTO(fd_auto)
	int fd = openat(dir_fd, entry->file,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	VFK_AUTO(free_auto) char *body = NULL;
	struct spool_hdr hdr;
	enum verdict verdict;
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return DAMAGED;
	if (fd < 0 || fstat(fd, &st) < 0)
		goto unreadable;
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size < sizeof(hdr) ||
	    (size_t)st.st_size > ENTRY_MAX)
		return DAMAGED;
	if (read_all(fd, &hdr, sizeof(hdr)) < 0)
		goto unreadable;
	verdict = check_hdr(&hdr, (size_t)st.st_size, entry->file);
	if (verdict != WHOLE)
		return verdict;
	body = malloc((size_t)hdr.env_len + hdr.stdin_len + 2);
	if (!body || read_all(fd, body, (size_t)hdr.env_len + hdr.stdin_len) < 0)
		goto unreadable;
	if (check_crc(&hdr, body, (size_t)hdr.env_len + hdr.stdin_len) != WHOLE)
		return DAMAGED;
	memmove(body + hdr.env_len + 1, body + hdr.env_len, hdr.stdin_len);
	body[hdr.env_len] = '\0';
	body[hdr.env_len + 1 + hdr.stdin_len] = '\0';
	memcpy(entry->boot_id, hdr.boot_id, sizeof(entry->boot_id));
	entry->dialect = hdr.dialect;
	entry->start_ns = hdr.start_ns;
	entry->env_len = hdr.env_len;
	entry->stdin_len = hdr.stdin_len;
	entry->env = VFK_STEAL(body);
	entry->stdin_text = entry->env + hdr.env_len + 1;
	return WHOLE;
unreadable:
	/* Gone between the listing and now: another engine is not possible, an operator is. */
	if (errno != ENOENT)
		log_error("spool", "cannot read %.16s.del: %s", entry->file,
			  vfk_errno_name(errno));
	return LEFT;
}

static void set_aside(int dir_fd, const char *file)
{
	char bad[sizeof("0123456789abcdef.del.bad")];

	snprintf(bad, sizeof(bad), "%.16s.del.bad", file);
	if (renameat(dir_fd, file, dir_fd, bad) < 0)
		log_error("spool", "%.16s.del is damaged and cannot be renamed: %s", file,
			  vfk_errno_name(errno));
	else
		log_warn("spool", "%.16s.del is damaged: kept as %s", file, bad);
}

static void remove_old_tmp(int dir_fd, const char *name)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    time(NULL) - st.st_mtime < TMP_AGE_S)
		return;
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		log_warn("spool", "cannot remove %s: %s", name, vfk_errno_name(errno));
}

static int read_one(int dir_fd, const char *name,
		    int (*fn)(void *arg, const struct spool_entry *entry,
			      struct vfk_err *err),
		    void *arg, struct vfk_err *err)
{
	struct spool_entry entry = { 0 };
	int rc = 0;

	if (is_tmp_name(name)) {
		remove_old_tmp(dir_fd, name);
		return 0;
	}
	if (is_entry_name(name, ".now"))
		memcpy(entry.file, name, sizeof("0123456789abcdef.now"));
	else if (!is_entry_name(name, ".del") || !claim(dir_fd, name, entry.file))
		return 0;
	switch (read_entry(dir_fd, &entry)) {
	case WHOLE:
		rc = fn(arg, &entry, err);
		break;
	case DAMAGED:
		set_aside(dir_fd, entry.file);
		break;
	case LEFT:
		unclaim(dir_fd, entry.file);
		break;
	}
	free(entry.env);
	return rc < 0 ? rc : 0;
}

int spool_read(const char *dir,
	       int (*fn)(void *arg, const struct spool_entry *entry, struct vfk_err *err),
	       void *arg, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	int rc = 0, n;

	if (fd < 0)
		return errno == ENOENT ?
			       0 :
			       vfk_err_set(err, VFK_E_SYS, errno, "open %s", dir);
	/* In the order of their names, so that a history can be played again. */
	n = scandir(dir, &names, NULL, alphasort);
	if (n < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "read %s", dir);
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = read_one(fd, names[i]->d_name, fn, arg, err);
		free(names[i]);
	}
	free(names);
	return rc;
}

int spool_done(const char *dir, const char *file, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* No sync of the directory: an entry that comes back after a power loss is a DEL that
	 * finds nothing. */
	if ((fd >= 0 && unlinkat(fd, file, 0) == 0) || errno == ENOENT)
		return 0;
	return vfk_err_set(err, VFK_E_SYS, errno, "remove %s/%s", dir, file);
}
