/* SPDX-License-Identifier: Apache-2.0 */
/* The DELs of the last minutes (R12): which ADD comes too late. */
#include "suite.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "engine/recent_del.h"

#define N_PLACES 16384
#define FILE_SIZE (72 + 24 * N_PLACES)

static char dir_now[64], path_now[100];
static struct vfk_err err_now;

static void make_dir(void)
{
	snprintf(dir_now, sizeof(dir_now), "/tmp/vfk-test-recent-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir_now));
	snprintf(path_now, sizeof(path_now), "%s/recent-del", dir_now);
}

static void remove_dir(void)
{
	unlink(path_now);
	rmdir(dir_now);
}

static struct recent_del *open_at(const char *path)
{
	struct recent_del *r = NULL;

	CU_ASSERT_EQUAL_FATAL(recent_del_open(&r, path, &err_now), 0);
	return r;
}

static struct attachment att(const char *network, const char *container, const char *ifname)
{
	struct attachment a;

	memset(&a, 0, sizeof(a));
	snprintf(a.network, sizeof(a.network), "%s", network);
	snprintf(a.container, sizeof(a.container), "%s", container);
	snprintf(a.ifname, sizeof(a.ifname), "%s", ifname);
	return a;
}

static struct attachment numbered(unsigned i)
{
	char id[20];

	snprintf(id, sizeof(id), "c%u", i);
	return att("net", id, "net1");
}

static void note(struct recent_del *r, const struct attachment *a, uint64_t ns, bool settled)
{
	recent_del_note(r, a, ns, (int64_t)ns, settled);
}

static void refuses_what_began_before(void)
{
	struct recent_del *r = open_at(NULL);
	struct attachment a = att("net", "c1", "net1"), b = att("net", "c1", "net2"),
			  c = att("net", "c2", "net1"), d = att("other", "c1", "net1");

	CU_ASSERT_FALSE(recent_del_refuses(r, &a, 0));
	CU_ASSERT_FALSE(recent_del_refuses(r, &a, 5));
	note(r, &a, 1000, false);
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1));
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 999));
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1000)); /* the same moment */
	CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1001));
	CU_ASSERT_FALSE(recent_del_refuses(r, &b, 1));
	CU_ASSERT_FALSE(recent_del_refuses(r, &c, 1));
	CU_ASSERT_FALSE(recent_del_refuses(r, &d, 1));
	recent_del_close(r);
}

static void parts_do_not_run_together(void)
{
	struct recent_del *r = open_at(NULL);
	struct attachment a = att("ab", "c", "d"), b = att("a", "bc", "d"),
			  c = att("ab", "cd", "");

	note(r, &a, 1000, false);
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1));
	CU_ASSERT_FALSE(recent_del_refuses(r, &b, 1));
	CU_ASSERT_FALSE(recent_del_refuses(r, &c, 1));
	recent_del_close(r);
}

static void unknown_network_is_every_network(void)
{
	struct recent_del *r = open_at(NULL);
	struct attachment any = att("", "c1", "net1"), a = att("net", "c1", "net1"),
			  b = att("net", "c1", "net2");

	note(r, &any, 1000, true);
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1000));
	CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1001));
	CU_ASSERT_FALSE(recent_del_refuses(r, &b, 1));
	CU_ASSERT_TRUE(recent_del_settled(r, &a));
	/* The newer of the two counts. */
	note(r, &a, 2000, false);
	CU_ASSERT_FALSE(recent_del_settled(r, &a));
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1500));
	note(r, &any, 3000, true);
	CU_ASSERT_TRUE(recent_del_settled(r, &a));
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 2500));
	recent_del_close(r);
}

static void settled(void)
{
	struct recent_del *r = open_at(NULL);
	struct attachment a = numbered(1);

	CU_ASSERT_FALSE(recent_del_settled(r, &a));
	note(r, &a, 1000, false);
	CU_ASSERT_FALSE(recent_del_settled(r, &a));
	note(r, &a, 1000, true);
	CU_ASSERT_TRUE(recent_del_settled(r, &a));
	note(r, &a, 1001, false);
	CU_ASSERT_FALSE(recent_del_settled(r, &a));
	recent_del_close(r);
}

/* A DEL that is noted again keeps the later time, whatever the order. */
static void time_never_goes_back(void)
{
	struct recent_del *r = open_at(NULL);
	struct attachment a = numbered(1);

	note(r, &a, 1000, false);
	note(r, &a, 900, true);
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1000));
	CU_ASSERT_TRUE(recent_del_settled(r, &a));
	recent_del_close(r);
}

static void equal_keys_share_a_place(void)
{
	struct recent_del *r = open_at(NULL);
	struct attachment first = numbered(0), same = numbered(1);

	note(r, &first, 1000, false);
	for (unsigned i = 0; i < 3 * N_PLACES; i++)
		note(r, &same, 2000 + i, false);
	/* Nothing was overwritten: the first is there and there is no floor. */
	CU_ASSERT_TRUE(recent_del_refuses(r, &first, 1000));
	CU_ASSERT_FALSE(recent_del_refuses(r, &first, 1001));
	recent_del_close(r);
}

static void full_ring_raises_the_floor(void)
{
	struct recent_del *r = open_at(NULL);
	struct attachment a, stranger = att("net", "stranger", "net1");

	for (unsigned i = 0; i < N_PLACES; i++) {
		a = numbered(i);
		note(r, &a, 1000 + i, false);
	}
	CU_ASSERT_FALSE(recent_del_refuses(r, &stranger, 1));
	/* One more overwrites the oldest, which is younger than ten minutes. */
	a = numbered(N_PLACES);
	note(r, &a, 1000 + N_PLACES, false);
	CU_ASSERT_TRUE(recent_del_refuses(r, &stranger, 1000));
	CU_ASSERT_FALSE(recent_del_refuses(r, &stranger, 1001));
	a = numbered(0);
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1000));
	for (unsigned i = 1; i <= N_PLACES; i++) {
		a = numbered(i);
		CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1000 + i));
		CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1001 + i));
	}
	recent_del_close(r);
}

static void ring_goes_round(void)
{
	struct recent_del *r = open_at(NULL);
	const unsigned n = 3 * N_PLACES + 7;
	unsigned n_found = 0;
	struct attachment a;

	for (unsigned i = 0; i < n; i++) {
		a = numbered(i);
		note(r, &a, 1000 + i, true);
	}
	for (unsigned i = 0; i < n; i++) {
		a = numbered(i);
		if (recent_del_settled(r, &a)) {
			CU_ASSERT_TRUE(i >= n - N_PLACES);
			CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1001 + i));
			n_found++;
		}
	}
	SUITE_INT(n_found, N_PLACES);
	recent_del_close(r);
}

static void old_places_raise_no_floor(void)
{
	struct recent_del *r = open_at(NULL);
	uint64_t minute = 60 * (uint64_t)NS_PER_S;
	struct attachment a, stranger = att("net", "stranger", "net1");

	for (unsigned i = 0; i < N_PLACES; i++) {
		a = numbered(i);
		note(r, &a, 1000, false);
	}
	a = numbered(N_PLACES);
	note(r, &a, 1000 + 10 * minute, false);
	CU_ASSERT_FALSE(recent_del_refuses(r, &stranger, 1000));
	a = numbered(0);
	CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1000));
	/* A nanosecond younger counts. */
	a = numbered(N_PLACES + 1);
	note(r, &a, 999 + 10 * minute, false);
	CU_ASSERT_TRUE(recent_del_refuses(r, &stranger, 1000));
	CU_ASSERT_FALSE(recent_del_refuses(r, &stranger, 1001));
	recent_del_close(r);
}

static void survives_the_engine(void)
{
	struct attachment a, stranger = att("net", "stranger", "net1");
	struct recent_del *r;
	struct stat st;

	make_dir();
	r = open_at(path_now);
	for (unsigned i = 0; i <= N_PLACES + 5; i++) {
		a = numbered(i);
		note(r, &a, 1000 + i, i & 1);
	}
	recent_del_close(r);
	CU_ASSERT_EQUAL_FATAL(stat(path_now, &st), 0);
	SUITE_INT(st.st_size, FILE_SIZE);
	SUITE_INT(st.st_mode & 0777, 0600);
	r = open_at(path_now);
	CU_ASSERT_TRUE(recent_del_refuses(r, &stranger, 1005));
	CU_ASSERT_FALSE(recent_del_refuses(r, &stranger, 1006));
	for (unsigned i = 6; i <= N_PLACES + 5; i++) {
		a = numbered(i);
		CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1000 + i));
		CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1001 + i));
		SUITE_INT(recent_del_settled(r, &a), i & 1);
	}
	/* The ring goes on where it was: the next place is number 6's. */
	note(r, &stranger, 1000 + N_PLACES, false);
	a = att("net", "other", "net1");
	CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1006));
	CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1007));
	recent_del_close(r);
	remove_dir();
}

/* Writes 'len' bytes at 'off' of the file. */
static void scribble(off_t off, const void *bytes, size_t len)
{
	int fd = open(path_now, O_WRONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(pwrite(fd, bytes, len, off), (ssize_t)len);
	close(fd);
}

static void foreign_files_are_made_anew(void)
{
	/* magic, size of a place, number of places, boot id, hand */
	static const struct {
		off_t off;
		const char *bytes;
	} rows[] = { { 0, "x" },
		     { 8, "\x19" },
		     { 13, "\x7f" },
		     { 16, "another-boot" },
		     { 65, "\x40" } };
	struct attachment a = numbered(1);
	struct recent_del *r;
	struct stat st;

	make_dir();
	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		r = open_at(path_now);
		note(r, &a, 1000, false);
		recent_del_close(r);
		r = open_at(path_now);
		CU_ASSERT_TRUE(recent_del_refuses(r, &a, 1000));
		recent_del_close(r);
		scribble(rows[i].off, rows[i].bytes, strlen(rows[i].bytes));
		r = open_at(path_now);
		CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1000));
		recent_del_close(r);
	}
	CU_ASSERT_EQUAL_FATAL(truncate(path_now, 10), 0);
	recent_del_close(open_at(path_now));
	CU_ASSERT_EQUAL_FATAL(truncate(path_now, FILE_SIZE + 100000), 0);
	recent_del_close(open_at(path_now));
	CU_ASSERT_EQUAL_FATAL(stat(path_now, &st), 0);
	SUITE_INT(st.st_size, FILE_SIZE);
	/* Every page has its place on the disk. */
	CU_ASSERT_TRUE(st.st_blocks * 512 >= FILE_SIZE);
	remove_dir();
}

/* A place whose writing was cut (time still 0) counts for nothing. */
static void cut_place(void)
{
	struct attachment a = numbered(1), b = numbered(2);
	struct recent_del *r;
	uint64_t zero = 0;

	make_dir();
	r = open_at(path_now);
	note(r, &a, 1000, false);
	note(r, &b, 1000, false);
	recent_del_close(r);
	scribble(72 + 16, &zero, sizeof(zero));
	r = open_at(path_now);
	CU_ASSERT_FALSE(recent_del_refuses(r, &a, 1));
	CU_ASSERT_TRUE(recent_del_refuses(r, &b, 1));
	recent_del_close(r);
	remove_dir();
}

static void bad_paths(void)
{
	struct recent_del *r = NULL;
	char msg[200];

	make_dir();
	CU_ASSERT_EQUAL_FATAL(mkdir(path_now, 0700), 0);
	SUITE_INT(recent_del_open(&r, path_now, &err_now), -VFK_E_SYS);
	snprintf(msg, sizeof(msg), "open %s: EISDIR", path_now);
	SUITE_STR(err_now.msg, msg);
	rmdir(path_now);
	CU_ASSERT_EQUAL_FATAL(symlink("x", path_now), 0);
	SUITE_INT(recent_del_open(&r, path_now, &err_now), -VFK_E_SYS);
	snprintf(msg, sizeof(msg), "open %s: ELOOP", path_now);
	SUITE_STR(err_now.msg, msg);
	unlink(path_now);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path_now, 0600), 0);
	SUITE_INT(recent_del_open(&r, path_now, &err_now), -VFK_E_SYS);
	snprintf(msg, sizeof(msg), "%s is no regular file: EINVAL", path_now);
	SUITE_STR(err_now.msg, msg);
	CU_ASSERT_PTR_NULL(r);
	recent_del_close(NULL);
	remove_dir();
}

VFK_SUITE(recent_del,
	  { "an ADD that began before the DEL or with it is refused",
	    refuses_what_began_before },
	  { "network, container and interface do not run together",
	    parts_do_not_run_together },
	  { "a DEL of an unknown network counts for every network",
	    unknown_network_is_every_network },
	  { "the last DEL says whether it settled everything", settled },
	  { "the time of a DEL never goes back", time_never_goes_back },
	  { "equal DELs share one place", equal_keys_share_a_place },
	  { "a place overwritten while young raises the floor", full_ring_raises_the_floor },
	  { "the last 16384 DELs are kept however often the ring goes round",
	    ring_goes_round },
	  { "a place older than ten minutes raises none", old_places_raise_no_floor },
	  { "everything is there again for the next engine", survives_the_engine },
	  { "a file of another make or boot is made anew", foreign_files_are_made_anew },
	  { "a place whose writing was cut counts for nothing", cut_place },
	  { "a path that is no file is an error", bad_paths })
