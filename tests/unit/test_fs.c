/* SPDX-License-Identifier: Apache-2.0 */
#include "io/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char dir[32];
static struct disk disk;
static struct vfk_err err;

static void begin(void)
{
	snprintf(dir, sizeof(dir), "./vfk-fs-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	SUITE_INT(fs_disk(&disk, dir, false, &err), 0);
}

static const char *path(const char *name)
{
	static char buf[320];

	snprintf(buf, sizeof(buf), "%s/%s", dir, name);
	return buf;
}

static void end(void)
{
	struct dirent *de;
	DIR *d = opendir(dir);

	disk.close(disk.ctx);
	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.')
			unlink(path(de->d_name));
	closedir(d);
	SUITE_INT(rmdir(dir), 0);
}

static void says_enoent(void)
{
	uint64_t size;

	begin();
	SUITE_INT(disk.open(disk.ctx, 0, false, false, &size), -ENOENT);
	SUITE_INT(disk.open(disk.ctx, 0, false, true, &size), -ENOENT);
	end();
	SUITE_INT(fs_disk(&disk, "./no-such-directory", true, &err), -VFK_E_SYS);
	SUITE_STR(err.msg, "open ./no-such-directory: ENOENT");
}

static void writes_and_reads(void)
{
	uint64_t size = 7;
	char buf[32] = "";

	begin();
	SUITE_INT(disk.open(disk.ctx, 1, true, true, &size), 0);
	SUITE_INT(size, 0);
	SUITE_INT(disk.extend(disk.ctx, 1, 600000), 0);
	SUITE_INT(disk.pwrite(disk.ctx, 1, "hello", 5, 599997), 0);
	SUITE_INT(disk.pread(disk.ctx, 1, buf, sizeof(buf), 599995), 7);
	CU_ASSERT(!memcmp(buf, "\0\0hello", 7));
	SUITE_INT(disk.open(disk.ctx, 1, false, false, &size), 0);
	SUITE_INT(size, 600002);
	SUITE_INT(disk.pwrite(disk.ctx, 1, "x", 1, 0), -EBADF);
	SUITE_INT(disk.pread(disk.ctx, 1, buf, 10, 600002), 0);
	CU_ASSERT(disk.fd(disk.ctx, 1) >= 0);
	CU_ASSERT(fcntl(disk.fd(disk.ctx, 1), F_GETFD) & FD_CLOEXEC);
	SUITE_INT(disk.fd(disk.ctx, 2), -1);
	end();
}

static void extend_keeps_content(void)
{
	uint64_t size;
	char buf[4];

	begin();
	SUITE_INT(disk.open(disk.ctx, 0, true, true, &size), 0);
	SUITE_INT(disk.pwrite(disk.ctx, 0, "abcd", 4, 0), 0);
	SUITE_INT(disk.extend(disk.ctx, 0, 4096), 0);
	SUITE_INT(disk.extend(disk.ctx, 0, 100), 0);
	SUITE_INT(disk.pread(disk.ctx, 0, buf, 4, 0), 4);
	CU_ASSERT(!memcmp(buf, "abcd", 4));
	SUITE_INT(disk.open(disk.ctx, 0, false, true, &size), 0);
	SUITE_INT(size, 4096);
	end();
}

static void read_only_stays_so(void)
{
	struct disk reader;
	uint64_t size;

	begin();
	SUITE_INT(disk.open(disk.ctx, 0, true, true, &size), 0);
	SUITE_INT(fs_disk(&reader, dir, true, &err), 0);
	SUITE_INT(reader.open(reader.ctx, 0, false, true, &size), -EROFS);
	SUITE_INT(reader.open(reader.ctx, 1, false, false, &size), -ENOENT);
	SUITE_INT(reader.set_aside(reader.ctx, 0), -EROFS);
	SUITE_INT(reader.open(reader.ctx, 0, false, false, &size), 0);
	reader.close(reader.ctx);
	end();
}

static void no_tricks(void)
{
	uint64_t size;

	begin();
	SUITE_INT(symlink("/etc/hostname", path("journal.0")), 0);
	SUITE_INT(mkfifo(path("journal.1"), 0600), 0);
	/* A link is not followed, a pipe does not block. */
	SUITE_INT(disk.open(disk.ctx, 0, true, true, &size), -ELOOP);
	SUITE_INT(disk.open(disk.ctx, 1, false, false, &size), -EINVAL);
	end();
}

static void sets_aside(void)
{
	unsigned n_aside = 0;
	struct dirent *de;
	uint64_t size;
	DIR *d;

	begin();
	for (unsigned i = 0; i < 3; i++) {
		SUITE_INT(disk.open(disk.ctx, 2, true, true, &size), 0);
		SUITE_INT(size, 0);
		SUITE_INT(disk.extend(disk.ctx, 2, 10), 0);
		SUITE_INT(disk.set_aside(disk.ctx, 2), 0);
		SUITE_INT(disk.fd(disk.ctx, 2), -1);
	}
	SUITE_INT(disk.set_aside(disk.ctx, 2), -ENOENT);
	d = opendir(dir);
	while ((de = readdir(d)))
		if (!strncmp(de->d_name, "journal.2.damaged-", 18))
			n_aside++;
	closedir(d);
	/* None replaced another although all were of one second. */
	SUITE_INT(n_aside, 3);
	for (unsigned i = 0; i < 2 * DISK_ASIDE_MAX; i++) {
		SUITE_INT(disk.open(disk.ctx, i % 3, true, true, &size), 0);
		SUITE_INT(disk.set_aside(disk.ctx, i % 3), 0);
	}
	SUITE_INT(disk.open(disk.ctx, 1, true, true, &size), 0); /* none of them */
	n_aside = 0;
	d = opendir(dir);
	while ((de = readdir(d)))
		n_aside += strstr(de->d_name, ".damaged-") != NULL;
	closedir(d);
	SUITE_INT(n_aside, DISK_ASIDE_MAX);
	end();
}

VFK_SUITE(fs, { "says that a file or directory is not there", says_enoent },
	  { "writes and reads", writes_and_reads },
	  { "extends with zeros and never shrinks", extend_keeps_content },
	  { "writes nothing when read-only", read_only_stays_so },
	  { "follows no link and blocks on no pipe", no_tricks },
	  { "sets files aside under names of their own", sets_aside })
