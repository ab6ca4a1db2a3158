/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "suite.h"

#define BIG 20000 /* more than one read */

static char dir[32], *text;
static size_t len;

static const char *path(const char *name)
{
	static char buf[320];

	snprintf(buf, sizeof(buf), "%s/%s", dir, name);
	return buf;
}

static void begin(void)
{
	snprintf(dir, sizeof(dir), "./vfk-file-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
}

static void end(void)
{
	VFK_AUTO(dir_auto) DIR *d = opendir(dir);
	const struct dirent *de;

	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.')
			unlink(path(de->d_name));
	rmdir(dir);
	free(text);
	text = NULL;
}

static int take(const char *name, int flags, size_t max)
{
	free(text);
	return file_read(path(name), flags, max, &text, &len);
}

static void whole_or_nothing(void)
{
	static char bytes[BIG];

	begin();
	memset(bytes, 'x', sizeof(bytes));
	bytes[BIG - 2] = '\0';
	SUITE_INT(file_write(path("a"), bytes, BIG), 0);
	SUITE_INT(take("a", 0, BIG), 0);
	SUITE_INT(len, BIG);
	CU_ASSERT_EQUAL(memcmp(text, bytes, BIG), 0);
	SUITE_INT(text[BIG], 0);
	SUITE_INT(take("a", 0, BIG - 1), -EFBIG);
	CU_ASSERT_PTR_NULL(text);
	/* In place of what was there. */
	SUITE_INT(file_write(path("a"), "", 0), 0);
	SUITE_INT(take("a", 0, 0), 0);
	SUITE_INT(len, 0);
	SUITE_STR(text, "");
	end();
}

static void what_is_no_file(void)
{
	begin();
	SUITE_INT(take("a", 0, BIG), -ENOENT);
	SUITE_INT(take("", 0, BIG), -EISDIR);
	CU_ASSERT_FATAL(symlink("b", path("a")) == 0);
	SUITE_INT(take("a", O_NOFOLLOW, BIG), -ELOOP);
	SUITE_INT(file_write(path("a"), "x", 1), -ELOOP);
	CU_ASSERT_FATAL(mkfifo(path("b"), 0600) == 0);
	alarm(20);
	SUITE_INT(take("a", 0, BIG), 0); /* nobody is waited for */
	alarm(0);
	SUITE_INT(len, 0);
	SUITE_INT(file_write(path("no/c"), "x", 1), -ENOENT);
	end();
}

static void no_one_elses_to_read(void)
{
	struct stat st;
	mode_t was = umask(0);

	begin();
	SUITE_INT(file_write(path("a"), "x", 1), 0);
	umask(was);
	CU_ASSERT_FATAL(stat(path("a"), &st) == 0);
	SUITE_INT(st.st_mode & 0777, 0600);
	end();
}

static void names(void)
{
	begin();
	SUITE_INT(file_sync_name(path("a")), 0); /* which need not be there */
	SUITE_INT(file_sync_name(path("no/a")), -ENOENT);
	SUITE_INT(file_sync_name("a"), -EINVAL);
	end();
}

static void in_memory(void)
{
	int fd = file_memfd("x", "a\0b", 3), pipes[2];
	char *is;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_FATAL(lseek(fd, 0, SEEK_END) == 3); /* where it stands does not matter */
	is = file_of_memfd(fd, 3, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(is);
	SUITE_INT(len, 3);
	CU_ASSERT_EQUAL(memcmp(is, "a\0b", 4), 0);
	free(is);
	CU_ASSERT_PTR_NULL(file_of_memfd(fd, 2, &len));
	close(fd);
	begin();
	SUITE_INT(file_write(path("a"), "abc", 3), 0);
	fd = open(path("a"), O_WRONLY | O_CLOEXEC);
	CU_ASSERT_PTR_NULL(file_of_memfd(fd, 3, &len)); /* nothing of it can be read */
	close(fd);
	end();
	CU_ASSERT_PTR_NULL(file_of_memfd(-1, 2, &len));
	CU_ASSERT_FATAL(pipe2(pipes, O_CLOEXEC) == 0);
	CU_ASSERT_PTR_NULL(file_of_memfd(pipes[0], 2, &len)); /* it would be waited for */
	close(pipes[0]);
	close(pipes[1]);
}

VFK_SUITE(file, { "a file is read and written whole", whole_or_nothing },
	  { "what is no file, or another's, is an error", what_is_no_file },
	  { "what is written is the superuser's alone", no_one_elses_to_read },
	  { "the directory of a name is synced", names },
	  { "a file in memory is made and read", in_memory })
