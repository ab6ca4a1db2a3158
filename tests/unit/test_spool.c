/* SPDX-License-Identifier: Apache-2.0 */
/* The spool (R5): DELs that clients left because no engine could be had. */
#include "suite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/frame.h"
#include "base/log.h"
#include "engine/spool.h"

static char dir_now[64];
static struct vfk_err err_now;
static char seen_now[1024], log_now[1024];

static void take_line(enum log_level level, const char *line)
{
	size_t n = strlen(log_now);

	(void)level;
	snprintf(log_now + n, sizeof(log_now) - n, "%s\n", line);
}

static void make_dir(void)
{
	snprintf(dir_now, sizeof(dir_now), "/tmp/vfk-test-spool-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir_now));
	seen_now[0] = log_now[0] = '\0';
	log_set_sink(take_line);
}

static const char *at(const char *name)
{
	static char path[4][200];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", dir_now, name);
	return path[next];
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

/* Removes what a case left, so that nothing of it stays in /tmp. */
static void remove_dir(const char *const *names)
{
	for (; *names; names++)
		if (unlink(at(*names)) < 0)
			rmdir(at(*names));
	SUITE_INT(rmdir(dir_now), 0);
	log_set_sink(NULL);
}

static void put_file(const char *name, const void *bytes, size_t len)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CU_ASSERT_EQUAL_FATAL(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

#define BOOT "11111111-2222-3333-4444-555555555555"
static const char env_a[] = "CNI_CONTAINERID=c1\0CNI_IFNAME=net1\0";
static const char stdin_a[] = "{\"name\":\"net\"}";

/* An entry as the client writes it; 'buf' holds at least 1000 bytes. */
static size_t make_entry(char *buf, const char *env, size_t env_len, const char *text,
			 uint64_t start_ns)
{
	struct spool_hdr hdr = { .magic = SPOOL_MAGIC,
				 .version = 1,
				 .dialect = DIALECT_SRIOV,
				 .start_ns = start_ns,
				 .env_len = (uint32_t)env_len,
				 .stdin_len = (uint32_t)strlen(text),
				 .boot_id = BOOT };
	size_t len = sizeof(hdr) + env_len + strlen(text);

	memcpy(buf + sizeof(hdr), env, env_len);
	memcpy(buf + sizeof(hdr) + env_len, text, strlen(text));
	memcpy(buf, &hdr, sizeof(hdr));
	hdr.crc = frame_crc32(0, buf, len);
	memcpy(buf, &hdr, sizeof(hdr));
	return len;
}

static void put_entry(const char *name, uint64_t start_ns)
{
	char buf[1000];
	size_t len = make_entry(buf, env_a, sizeof(env_a) - 1, stdin_a, start_ns);

	put_file(name, buf, len);
}

static int note_entry(void *arg, const struct spool_entry *e, struct vfk_err *err)
{
	size_t n = strlen(seen_now);
	int *left = arg;

	snprintf(seen_now + n, sizeof(seen_now) - n, "%.4s %s %u %llu %zu %s;", e->file,
		 e->env, e->dialect, (unsigned long long)e->start_ns, e->env_len,
		 e->stdin_text);
	SUITE_STR(e->boot_id, BOOT);
	SUITE_INT(e->stdin_len, strlen(e->stdin_text));
	if (left && --*left == 0)
		return vfk_err_set(err, VFK_E_BUSY, 0, "enough");
	return 0;
}

static int read_all(int *left)
{
	memset(&err_now, 0, sizeof(err_now));
	return spool_read(dir_now, note_entry, left, &err_now);
}

#define E1 "0000000000000001.del"
#define E2 "0000000000000002.del"
#define E3 "fedcba9876543210.del"

#define NOW_E1 "0000000000000001.now"
#define NOW_E2 "0000000000000002.now"
#define NOW_E3 "fedcba9876543210.now"

static void reads_entries_in_order(void)
{
	make_dir();
	put_entry(E3, 3);
	put_entry(E1, 1);
	put_entry(E2, 2);
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "0000 CNI_CONTAINERID=c1 3 1 35 {\"name\":\"net\"};"
			    "0000 CNI_CONTAINERID=c1 3 2 35 {\"name\":\"net\"};"
			    "fedc CNI_CONTAINERID=c1 3 3 35 {\"name\":\"net\"};");
	SUITE_STR(log_now, "");
	/* Reading takes nothing away. */
	CU_ASSERT_TRUE(exists(NOW_E1) && exists(NOW_E2) && exists(NOW_E3));
	SUITE_INT(spool_done(dir_now, NOW_E1, &err_now), 0);
	CU_ASSERT_FALSE(exists(NOW_E1));
	SUITE_INT(spool_done(dir_now, NOW_E1, &err_now), 0);
	remove_dir((const char *const[]){ NOW_E2, NOW_E3, NULL });
}

static void empty_parts(void)
{
	char buf[1000];
	size_t len = make_entry(buf, "", 0, "", 9);

	make_dir();
	put_file(E1, buf, len);
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "0000  3 9 0 ;");
	remove_dir((const char *const[]){ NOW_E1, NULL });
}

static void missing_directory(void)
{
	make_dir();
	rmdir(dir_now);
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "");
	SUITE_INT(spool_done(dir_now, E1, &err_now), 0);
	log_set_sink(NULL);
}

static void directory_is_a_file(void)
{
	char msg[200];
	int fd;

	make_dir();
	rmdir(dir_now);
	fd = open(dir_now, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	SUITE_INT(read_all(NULL), -VFK_E_SYS);
	snprintf(msg, sizeof(msg), "open %s: ENOTDIR", dir_now);
	SUITE_STR(err_now.msg, msg);
	SUITE_INT(spool_done(dir_now, E1, &err_now), -VFK_E_SYS);
	snprintf(msg, sizeof(msg), "remove %s/" E1 ": ENOTDIR", dir_now);
	SUITE_STR(err_now.msg, msg);
	unlink(dir_now);
	log_set_sink(NULL);
}

static void stops_where_it_is_told(void)
{
	int left = 2;

	make_dir();
	put_entry(E1, 1);
	put_entry(E2, 2);
	put_entry(E3, 3);
	SUITE_INT(read_all(&left), -VFK_E_BUSY);
	SUITE_STR(err_now.msg, "enough");
	CU_ASSERT_PTR_NULL(strstr(seen_now, "fedc"));
	remove_dir((const char *const[]){ NOW_E1, NOW_E2, E3, NULL });
}

/* Every prefix and every flipped bit of an entry is set aside, and the next is read. */
static void damaged_entries(void)
{
	char buf[1000], copy[1000];
	size_t len = make_entry(buf, env_a, sizeof(env_a) - 1, stdin_a, 7);
	size_t version = offsetof(struct spool_hdr, version);

	make_dir();
	put_entry(E2, 2);
	for (size_t n = 0; n <= len; n++) {
		for (unsigned b = 0; b < (n < len ? 9 : 1); b++) {
			bool newer = n >= version && n < version + 2 && b < 8;

			memcpy(copy, buf, len);
			if (b < 8 && n < len)
				copy[n] ^= (char)(1u << b);
			if (n == len)
				copy[n] = 'x';
			/* b == 8: cut before byte n; n == len: one byte more */
			put_file(E1, copy, b == 8 ? n : n == len ? len + 1 : len);
			seen_now[0] = log_now[0] = '\0';
			SUITE_INT(read_all(NULL), 0);
			SUITE_STR(seen_now,
				  "0000 CNI_CONTAINERID=c1 3 2 35 {\"name\":\"net\"};");
			/* An entry of another version is not ours to judge. */
			SUITE_INT(exists(E1), newer);
			SUITE_INT(exists(E1 ".bad"), !newer);
			if (!newer)
				CU_ASSERT_PTR_NOT_NULL(strstr(log_now, E1
							      " is damaged: kept as " E1
							      ".bad\n"));
			unlink(at(E1 ".bad"));
		}
	}
	remove_dir((const char *const[]){ E1, NOW_E2, NULL });
}

/* A client replaces the entry of its attachment while the engine carries the first one out. */
static void replaced_while_it_is_carried_out(void)
{
	make_dir();
	put_entry(E1, 1);
	SUITE_INT(read_all(NULL), 0);
	put_entry(E1, 2);
	SUITE_INT(spool_done(dir_now, NOW_E1, &err_now), 0);
	seen_now[0] = '\0';
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "0000 CNI_CONTAINERID=c1 3 2 35 {\"name\":\"net\"};");
	remove_dir((const char *const[]){ NOW_E1, NULL });
}

/* The engine that had begun with an entry died: it comes first, then the one that came. */
static void left_by_an_engine_that_died(void)
{
	make_dir();
	put_entry(NOW_E1, 1);
	put_entry(E1, 2);
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "0000 CNI_CONTAINERID=c1 3 1 35 {\"name\":\"net\"};");
	SUITE_INT(spool_done(dir_now, NOW_E1, &err_now), 0);
	seen_now[0] = '\0';
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "0000 CNI_CONTAINERID=c1 3 2 35 {\"name\":\"net\"};");
	remove_dir((const char *const[]){ NOW_E1, NULL });
}

static void newer_version(void)
{
	char buf[1000];
	size_t len = make_entry(buf, env_a, sizeof(env_a) - 1, stdin_a, 7);

	buf[offsetof(struct spool_hdr, version)] = 2;
	make_dir();
	put_file(E1, buf, len);
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "");
	CU_ASSERT_TRUE(exists(E1));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(log_now, E1 " is of version 2, only 1 is known: left alone\n"));
	remove_dir((const char *const[]){ E1, NULL });
}

static void odd_files(void)
{
	static const char *const left_alone[] = { "README",
						  "0000000000000001",
						  "x.del",
						  "00000000000000001.del",
						  "000000000000000G.del",
						  E2 ".bad" };
	const char *names[16] = { NULL };
	size_t n = 0;

	make_dir();
	for (size_t i = 0; i < VFK_ARRAY_SIZE(left_alone); i++) {
		put_entry(left_alone[i], 1);
		names[n++] = left_alone[i];
	}
	CU_ASSERT_EQUAL_FATAL(mkdir(at(E1), 0700), 0);
	CU_ASSERT_EQUAL_FATAL(symlink(left_alone[0], at(E2)), 0);
	CU_ASSERT_EQUAL_FATAL(mkfifo(at(E3), 0600), 0);
	unlink(at(E2 ".bad"));
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "");
	for (size_t i = 0; i + 1 < VFK_ARRAY_SIZE(left_alone); i++)
		CU_ASSERT_TRUE(exists(left_alone[i]));
	CU_ASSERT_TRUE(exists(E1 ".bad") && exists(E2 ".bad") && exists(E3 ".bad"));
	names[n++] = E1 ".bad";
	names[n++] = E3 ".bad";
	remove_dir(names);
}

static void old_tmp_files(void)
{
	struct timespec times[2] = { { .tv_sec = time(NULL) - 61 },
				     { .tv_sec = time(NULL) - 61 } };

	make_dir();
	put_entry("0000000000000001.tmp", 1);
	put_entry("0000000000000002.tmp", 1);
	CU_ASSERT_EQUAL_FATAL(utimensat(AT_FDCWD, at("0000000000000002.tmp"), times, 0), 0);
	SUITE_INT(read_all(NULL), 0);
	SUITE_STR(seen_now, "");
	CU_ASSERT_TRUE(exists("0000000000000001.tmp"));
	CU_ASSERT_FALSE(exists("0000000000000002.tmp"));
	remove_dir((const char *const[]){ "0000000000000001.tmp", NULL });
}

VFK_SUITE(spool,
	  { "whole entries are read in the order of their names", reads_entries_in_order },
	  { "an entry may have neither environment nor stdin", empty_parts },
	  { "a missing directory is an empty one", missing_directory },
	  { "a directory that is none is an error", directory_is_a_file },
	  { "reading stops where it is told to", stops_where_it_is_told },
	  { "an entry damaged or cut anywhere is set aside and the next is read",
	    damaged_entries },
	  { "an entry that is replaced while it is carried out is not lost",
	    replaced_while_it_is_carried_out },
	  { "an entry that an engine had begun with comes first",
	    left_by_an_engine_that_died },
	  { "an entry of a newer version is left alone", newer_version },
	  { "what is no entry is left alone or set aside", odd_files },
	  { "temporary files go after a minute", old_tmp_files })
