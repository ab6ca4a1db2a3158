/* SPDX-License-Identifier: Apache-2.0 */
/* vfkeeper.conf: defaults, every key, every error with file and line. */
#include "suite.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "engine/config.h"

static char dir_now[64], path_now[100];
static struct config cfg_now;
static struct vfk_err err_now;

static void make_dir(void)
{
	snprintf(dir_now, sizeof(dir_now), "/tmp/vfk-test-config-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir_now));
	snprintf(path_now, sizeof(path_now), "%s/vfkeeper.conf", dir_now);
}

static void remove_dir(void)
{
	unlink(path_now);
	rmdir(dir_now);
}

static void put_file(const void *bytes, size_t len)
{
	int fd = open(path_now, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CU_ASSERT_EQUAL_FATAL(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static int load(const char *text)
{
	int rc;

	make_dir();
	put_file(text, strlen(text));
	memset(&err_now, 0, sizeof(err_now));
	memset(&cfg_now, 'x', sizeof(cfg_now));
	rc = config_load(&cfg_now, path_now, &err_now);
	remove_dir();
	return rc;
}

/* 'msg' follows the path. */
static void refused(const char *text, const char *msg)
{
	char expected[400];
	int rc = load(text);

	SUITE_INT(rc, -VFK_E_CONFIG);
	snprintf(expected, sizeof(expected), "%s%s", path_now, msg);
	SUITE_STR(err_now.msg, expected);
}

static void accepted(const char *text)
{
	int rc = load(text);

	SUITE_STR(err_now.msg, "");
	SUITE_INT(rc, 0);
}

static void check_defaults(void)
{
	SUITE_STR(cfg_now.plugin_dirs, "/opt/cni/bin");
	SUITE_STR(cfg_now.env.sysfs_root, "/sys");
	SUITE_STR(cfg_now.env.proc_root, "/proc");
	SUITE_STR(cfg_now.env.dev_root, "/dev");
	SUITE_STR(cfg_now.env.sim_path, "");
	CU_ASSERT_FALSE(cfg_now.sync_all);
	SUITE_INT(cfg_now.add_timeout_s, 110);
	SUITE_INT(cfg_now.del_wait_ms, 3000);
	SUITE_INT(cfg_now.ipam_del_timeout_s, 60);
	SUITE_INT(cfg_now.step_timeout_s, 30);
	SUITE_INT(cfg_now.retry_min_ms, 500);
	SUITE_INT(cfg_now.retry_max_ms, 60000);
	SUITE_INT(cfg_now.give_up_after, 8);
	SUITE_INT(cfg_now.reconcile_s, 30);
	SUITE_INT(cfg_now.event_sources, EVENT_SOURCES_ALL);
	SUITE_INT(cfg_now.idle_s, 10);
	SUITE_INT(cfg_now.n_workers, 8);
	SUITE_INT(cfg_now.log_level, LOG_LV_INFO);
	SUITE_INT(cfg_now.http.family, AF_UNSPEC);
}

static void defaults(void)
{
	make_dir();
	memset(&cfg_now, 'x', sizeof(cfg_now));
	SUITE_INT(config_load(&cfg_now, path_now, &err_now), 0);
	check_defaults();
	remove_dir();
	accepted("");
	check_defaults();
	accepted("# a comment\n; another\n\n[vfkeeper]\n\n");
	check_defaults();
}

static void every_key(void)
{
	accepted("[vfkeeper]\n"
		 "plugin_dirs = /a/bin:/b ; where\n"
		 "sysfs_root = /s\nproc_root=/p\ndev_root: /d\nsim = /etc/sim.ini\n"
		 "sync = all\nadd_timeout_s = 1\ndel_wait_s = 0.25\nipam_del_timeout_s = 600\n"
		 "step_timeout_s = 1\nretry_min_ms = 10\nretry_max_ms = 3600000\n"
		 "reconcile_s = 3600\nevent_sources = nsid  rdma\n"
		 "give_up_after = 1000\nidle_s = 3600\nworkers = 32\nlog_level = debug");
	SUITE_STR(cfg_now.plugin_dirs, "/a/bin:/b");
	SUITE_STR(cfg_now.env.sysfs_root, "/s");
	SUITE_STR(cfg_now.env.proc_root, "/p");
	SUITE_STR(cfg_now.env.dev_root, "/d");
	SUITE_STR(cfg_now.env.sim_path, "/etc/sim.ini");
	CU_ASSERT_TRUE(cfg_now.sync_all);
	SUITE_INT(cfg_now.add_timeout_s, 1);
	SUITE_INT(cfg_now.del_wait_ms, 250);
	SUITE_INT(cfg_now.ipam_del_timeout_s, 600);
	SUITE_INT(cfg_now.step_timeout_s, 1);
	SUITE_INT(cfg_now.retry_min_ms, 10);
	SUITE_INT(cfg_now.retry_max_ms, 3600000);
	SUITE_INT(cfg_now.give_up_after, 1000);
	SUITE_INT(cfg_now.reconcile_s, 3600);
	SUITE_INT(cfg_now.event_sources, 1u << EVENTS_NSID | 1u << EVENTS_RDMA);
	SUITE_INT(cfg_now.idle_s, 3600);
	SUITE_INT(cfg_now.n_workers, 32);
	SUITE_INT(cfg_now.log_level, LOG_LV_DEBUG);
}

/* Nobody but this node's own users may reach it. */
static void http_address(void)
{
	static const char *const bad[] = { "0.0.0.0:9477",
					   "192.0.2.1:9477",
					   "[::]:9477",
					   "[2001:db8::1]:1",
					   "localhost:9477",
					   "9477",
					   "127.0.0.1",
					   "127.0.0.1:0",
					   "127.0.0.1:65536",
					   "127.0.0.1:",
					   "127.1:9477",
					   "::1:9477",
					   "/run/socket",
					   "on",
					   "127.0.0.1:+1",
					   "128.0.0.1:9477",
					   "[::1]" };
	char text[100], msg[200];

	accepted("[vfkeeper]\nhttp = off\n");
	SUITE_INT(cfg_now.http.family, AF_UNSPEC);
	accepted("[vfkeeper]\nhttp = unix\n");
	SUITE_INT(cfg_now.http.family, AF_UNIX);
	accepted("[vfkeeper]\nhttp = 127.1.2.3:65535\n");
	SUITE_INT(cfg_now.http.family, AF_INET);
	SUITE_INT(cfg_now.http.port, 65535);
	SUITE_INT(cfg_now.http.ip[3], 3);
	accepted("[vfkeeper]\nhttp = [::1]:9477\n");
	SUITE_INT(cfg_now.http.family, AF_INET6);
	SUITE_INT(cfg_now.http.ip[15], 1);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "[vfkeeper]\nhttp = %s\n", bad[i]);
		snprintf(msg, sizeof(msg),
			 ":2: http \"%s\" must be off, unix, or a loopback address with a "
			 "port (127.0.0.1:PORT, [::1]:PORT)",
			 bad[i]);
		refused(text, msg);
	}
}

static void seconds(void)
{
	static const struct {
		const char *text;
		unsigned ms;
	} rows[] = { { "0", 0 },	{ "7", 7000 },	   { "0.5", 500 }, { "0.05", 50 },
		     { "1.234", 1234 }, { "7.000", 7000 }, { "3.", 3000 }, { "03", 3000 } };
	char text[100];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "[vfkeeper]\ndel_wait_s = %s\n", rows[i].text);
		accepted(text);
		SUITE_INT(cfg_now.del_wait_ms, rows[i].ms);
	}
}

static void directories_add_up(void)
{
	accepted("[vfkeeper]\nplugin_dirs = /a\n  /b:/c\nplugin_dirs = /d\n");
	SUITE_STR(cfg_now.plugin_dirs, "/a:/b:/c:/d");
}

static void wrong_values(void)
{
	static const struct {
		const char *line, *msg;
	} rows[] = {
		{ "plugin_dirs = bin", "plugin_dirs \"bin\" must be a colon list of absolute "
				       "directories" },
		{ "plugin_dirs = /a:", "plugin_dirs \"/a:\" must be a colon list of absolute "
				       "directories" },
		{ "plugin_dirs =", "plugin_dirs \"\" must be a colon list of absolute "
				   "directories" },
		{ "sysfs_root = sys",
		  "sysfs_root \"sys\" must be an absolute path of at most 255 "
		  "bytes" },
		{ "dev_root =",
		  "dev_root \"\" must be an absolute path of at most 255 bytes" },
		{ "sim = x", "sim \"x\" must be an absolute path of at most 255 bytes" },
		{ "sync = yes", "sync \"yes\" must be owed or all" },
		{ "sync = ALL", "sync \"ALL\" must be owed or all" },
		{ "add_timeout_s = 0",
		  "add_timeout_s \"0\" must be a whole number from 1 to 110" },
		{ "add_timeout_s = 111",
		  "add_timeout_s \"111\" must be a whole number from 1 to 110" },
		{ "add_timeout_s = 1.5",
		  "add_timeout_s \"1.5\" must be a whole number from 1 to 110" },
		{ "add_timeout_s = 1s",
		  "add_timeout_s \"1s\" must be a whole number from 1 to 110" },
		{ "add_timeout_s = -1",
		  "add_timeout_s \"-1\" must be a whole number from 1 to 110" },
		{ "add_timeout_s =",
		  "add_timeout_s \"\" must be a whole number from 1 to 110" },
		{ "add_timeout_s = 4294967297",
		  "add_timeout_s \"4294967297\" must be a whole number from 1 to 110" },
		{ "add_timeout_s = 18446744073709551617",
		  "add_timeout_s \"18446744073709551617\" must be a whole number from 1 to 110" },
		{ "del_wait_s = 7.001",
		  "del_wait_s \"7.001\" must be a number of seconds from 0 "
		  "to 7" },
		{ "del_wait_s = 1.2345",
		  "del_wait_s \"1.2345\" must be a number of seconds from 0 "
		  "to 7" },
		{ "del_wait_s = .5",
		  "del_wait_s \".5\" must be a number of seconds from 0 to 7" },
		{ "del_wait_s = 1.2.3",
		  "del_wait_s \"1.2.3\" must be a number of seconds from 0 "
		  "to 7" },
		{ "del_wait_s = 4294967",
		  "del_wait_s \"4294967\" must be a number of seconds from "
		  "0 to 7" },
		{ "ipam_del_timeout_s = 601",
		  "ipam_del_timeout_s \"601\" must be a whole number from 1 to 600" },
		{ "step_timeout_s = 0",
		  "step_timeout_s \"0\" must be a whole number from 1 to 600" },
		{ "retry_min_ms = 9",
		  "retry_min_ms \"9\" must be a whole number from 10 to 60000" },
		{ "retry_max_ms = 3600001",
		  "retry_max_ms \"3600001\" must be a whole number from 10 to 3600000" },
		{ "give_up_after = 0",
		  "give_up_after \"0\" must be a whole number from 1 to 1000" },
		{ "reconcile_s = 0",
		  "reconcile_s \"0\" must be a whole number from 1 to 3600" },
		{ "event_sources = link udevd",
		  "event_sources \"link udevd\" must be all, none, or some of nsid, link, "
		  "uevent, udev, rdma, devlink and verbs" },
		{ "event_sources =",
		  "event_sources \"\" must be all, none, or some of nsid, link, "
		  "uevent, udev, rdma, devlink and verbs" },
		{ "idle_s = 0", "idle_s \"0\" must be a whole number from 1 to 3600" },
		{ "workers = 33", "workers \"33\" must be a whole number from 1 to 32" },
		{ "workers = 0", "workers \"0\" must be a whole number from 1 to 32" },
		{ "log_level = loud",
		  "log_level \"loud\" must be error, warn, notice, info or debug" },
		{ "foo = 1", "unknown key foo" },
		{ "Sync = all", "unknown key Sync" },
		{ "sync", "neither [section] nor key = value" },
		{ "[vfkeeper", "neither [section] nor key = value" },
	};
	char text[200], msg[300];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "# x\n[vfkeeper]\n\n%s\nworkers = 4\n",
			 rows[i].line);
		snprintf(msg, sizeof(msg), ":4: %s", rows[i].msg);
		refused(text, msg);
	}
}

static void wrong_frame(void)
{
	char *text = malloc(70000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	refused("sync = all\n", ":1: sync stands before any section");
	refused("[other]\nsync = all\n", ":2: unknown section [other]");
	refused("[vfkeeper]\nsync = all\n[sim]\nx = 1\n", ":4: unknown section [sim]");
	refused("[vfkeeper]\nsync = all\nworkers = 1\nsync = owed\n",
		":4: sync is given twice");
	refused("[vfkeeper]\nsync = all\n  owed\n", ":3: sync is given twice");
	refused("[vfkeeper]\nnonsense\nfoo = 1\n", ":2: neither [section] nor key = value");
	refused("[vfkeeper]\nfoo = 1\nnonsense\n", ":2: unknown key foo");
	refused("[vfkeeper]\nretry_min_ms = 2000\nretry_max_ms = 1000\n",
		": retry_min_ms 2000 is above retry_max_ms 1000");
	snprintf(text, 70000, "[vfkeeper]\nplugin_dirs = /%0300d\n", 0);
	refused(text, ":2: the line is 315 bytes long, at most 198 are supported");
	memset(text, '#', 69999);
	text[69999] = '\0';
	refused(text, " is longer than 65536 bytes");
	free(text);
}

static void directories_too_long(void)
{
	char text[2000];
	size_t n = (size_t)snprintf(text, sizeof(text), "[vfkeeper]\n");

	for (int i = 0; i < 7; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "plugin_dirs = /%0150d\n", i);
	refused(text, ":8: plugin_dirs is longer than 1022 bytes");
}

/* What was read before the error counts, the rest is the default. */
static void reads_up_to_the_error(void)
{
	SUITE_INT(load("[vfkeeper]\nworkers = 4\nfoo = 1\nidle_s = 5\n"), -VFK_E_CONFIG);
	SUITE_INT(cfg_now.n_workers, 4);
	SUITE_INT(cfg_now.idle_s, 10);
}

static void unreadable(void)
{
	char expected[200];

	make_dir();
	put_file("[vfkeeper]\nsync\0= all\n", 22);
	SUITE_INT(config_load(&cfg_now, path_now, &err_now), -VFK_E_CONFIG);
	snprintf(expected, sizeof(expected), "%s is no text: it has a NUL byte", path_now);
	SUITE_STR(err_now.msg, expected);
	check_defaults();
	unlink(path_now);
	CU_ASSERT_EQUAL_FATAL(mkdir(path_now, 0700), 0);
	SUITE_INT(config_load(&cfg_now, path_now, &err_now), -VFK_E_CONFIG);
	snprintf(expected, sizeof(expected), "read %s: EISDIR", path_now);
	SUITE_STR(err_now.msg, expected);
	rmdir(path_now);
	CU_ASSERT_EQUAL_FATAL(symlink(path_now, path_now), 0);
	SUITE_INT(config_load(&cfg_now, path_now, &err_now), -VFK_E_CONFIG);
	snprintf(expected, sizeof(expected), "read %s: ELOOP", path_now);
	SUITE_STR(err_now.msg, expected);
	remove_dir();
}

static void plugin_dirs(void)
{
	char dir[200], link[200];

	make_dir();
	config_default(&cfg_now);
	snprintf(dir, sizeof(dir), "%s/bin", dir_now);
	snprintf(link, sizeof(link), "%s/link", dir_now);
	CU_ASSERT_EQUAL_FATAL(mkdir(dir, 0700), 0);
	CU_ASSERT_EQUAL_FATAL(symlink(dir, link), 0);
	snprintf(cfg_now.plugin_dirs, sizeof(cfg_now.plugin_dirs), "/nowhere:%s:/tmp",
		 link);
	CU_ASSERT_TRUE(config_is_plugin_dir(&cfg_now, dir));
	CU_ASSERT_TRUE(config_is_plugin_dir(&cfg_now, link));
	CU_ASSERT_TRUE(config_is_plugin_dir(&cfg_now, "/tmp/../tmp/"));
	CU_ASSERT_FALSE(config_is_plugin_dir(&cfg_now, "/nowhere"));
	CU_ASSERT_FALSE(config_is_plugin_dir(&cfg_now, dir_now));
	CU_ASSERT_FALSE(config_is_plugin_dir(&cfg_now, ""));
	unlink(link);
	rmdir(dir);
	remove_dir();
}

/* The page's paragraph of a key, "" if it has none. */
static const char *man_entry(char *page, const char *key)
{
	static char entry[2000];
	char head[60];
	const char *from, *to;

	snprintf(head, sizeof(head), "\n.It Ic %s\n", key);
	from = strstr(page, head);
	if (!from)
		return "";
	to = strstr(from + 1, "\n.It ");
	snprintf(entry, sizeof(entry), "%.*s", to ? (int)(to - from) : 1900, from);
	return entry;
}

static void man_page(void)
{
	static const struct {
		const char *key, *range, *dflt;
	} rows[] = {
		{ "add_timeout_s", "from 1 to 110;", "default 110." },
		{ "del_wait_s", "From 0 to 7;", "default 3." },
		{ "dev_root", "at most 255 bytes", ".Pa /dev ." },
		{ "give_up_after", "from 1 to 1000;", "default 8." },
		{ "http", ".Ql [::1]:9477 ,", ".Cm off ,\nthe default" },
		{ "event_sources", ".Cm none ,", "Default is\n.Cm all ." },
		{ "idle_s", "from 1 to 3600;", "default 10." },
		{ "ipam_del_timeout_s", "from 1 to 600;", "default 60." },
		{ "log_level", ".Cm error , warn , notice , info\nor\n.Cm debug",
		  ".Cm info ." },
		{ "log_format", ".Cm json ,", ".Cm text ,\nthe default" },
		{ "log_modules", ".Ql module:level", "default none." },
		{ "log_target", ".Cm stderr ;", ".Cm auto ,\nthe default" },
		{ "plugin_dirs", "1022 bytes", ".Pa /opt/cni/bin ." },
		{ "node_name", "1 to 127 letters", ".Xr uname 2" },
		{ "node_slice", "from 0 to 1000000;", "default none," },
		{ "proc_root", "at most 255 bytes", ".Pa /proc ." },
		{ "reconcile_s", "from 1 to 3600;", "default 30." },
		{ "retry_max_ms", "from 10 to 3600000,", "default 60000." },
		{ "retry_min_ms", "from 10 to 60000;", "default 500." },
		{ "sim", "at most 255 bytes", "Default is none" },
		{ "step_timeout_s", "from 1 to 600;", "default 30." },
		{ "sync", ".Cm all", ".Cm owed ,\nthe default" },
		{ "sysfs_root", "at most 255 bytes", ".Pa /sys ." },
		{ "workers", "from 1 to 32;", "default 8." },
	};
	const char *top = getenv("srcdir");
	static char page[32768];
	unsigned n_items = 0;
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/man/vfkeeper.conf.5", top ? top : ".");
	f = fopen(path, "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		char line[100];

		CU_ASSERT_PTR_NOT_NULL(strstr(man_entry(page, rows[i].key), rows[i].range));
		CU_ASSERT_PTR_NOT_NULL(strstr(man_entry(page, rows[i].key), rows[i].dflt));
		/* Each of them is a key of the program. */
		snprintf(line, sizeof(line), "[vfkeeper]\n%s = ?\n", rows[i].key);
		SUITE_INT(load(line), -VFK_E_CONFIG);
		CU_ASSERT_PTR_NULL(strstr(err_now.msg, "unknown key"));
	}
	for (const char *p = page; (p = strstr(p, "\n.It Ic ")) != NULL; p++)
		n_items++;
	SUITE_INT(n_items, VFK_ARRAY_SIZE(rows));
	for (n_items = 0; config_key(n_items); n_items++) {
		const char *entry = man_entry(page, config_key(n_items));

		CU_ASSERT_STRING_NOT_EQUAL(entry, "");
		SUITE_INT(strstr(entry, "Read at the start only.") == NULL,
			  config_live(n_items));
	}
	SUITE_INT(n_items, VFK_ARRAY_SIZE(rows));
}

static char fixed_keys[200];

static void on_fixed(void *arg, const char *key)
{
	size_t len = strlen(fixed_keys);

	(void)arg;
	snprintf(fixed_keys + len, sizeof(fixed_keys) - len, "%s ", key);
}

static void reloads(void)
{
	struct config now;

	fixed_keys[0] = '\0';
	SUITE_INT(load("[vfkeeper]\nworkers = 3\nidle_s = 7\nplugin_dirs = /a:/b\n"), 0);
	now = cfg_now;
	SUITE_INT(load("[vfkeeper]\nworkers = 4\nidle_s = 9\nplugin_dirs = /a\n"
		       "sysfs_root = /elsewhere\nlog_format = json\n"),
		  0);
	config_reload(&now, &cfg_now, on_fixed, NULL);
	SUITE_STR(fixed_keys, "sysfs_root workers ");
	SUITE_INT(now.n_workers, 3);
	SUITE_STR(now.env.sysfs_root, "/sys");
	SUITE_INT(now.idle_s, 9);
	SUITE_STR(now.plugin_dirs, "/a");
	SUITE_INT(now.log_format, LOG_JSON);
}

static void log_keys(void)
{
	SUITE_INT(load("[vfkeeper]\nlog_level = warn\nlog_modules = engine:debug ipam:error\n"
		       "log_target = stderr\n"),
		  0);
	config_log(&cfg_now, "test", -1);
	SUITE_INT(log_get_module("engine"), LOG_LV_DEBUG);
	SUITE_INT(log_get_module("ipam"), LOG_LV_ERROR);
	SUITE_INT(log_get_module("journal"), LOG_LV_WARN);
	config_log(&cfg_now, "test", LOG_LV_INFO);
	SUITE_INT(log_get_module("journal"), LOG_LV_INFO);
	log_set_level(LOG_LV_INFO);
	SUITE_INT(load("[vfkeeper]\nlog_modules = engine:loud\n"), -VFK_E_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(err_now.msg, ":2: log_modules \"engine:loud\" must be"));
	SUITE_INT(load("[vfkeeper]\nlog_modules = engin:debug\n"), -VFK_E_CONFIG);
	SUITE_INT(load("[vfkeeper]\nlog_format = xml\n"), -VFK_E_CONFIG);
	SUITE_INT(load("[vfkeeper]\nlog_target = syslog\n"), -VFK_E_CONFIG);
}

VFK_SUITE(config, { "a missing or empty file is the defaults", defaults },
	  { "every key is read", every_key }, { "seconds may have decimals", seconds },
	  { "HTTP is for this machine alone", http_address },
	  { "plugin_dirs add up", directories_add_up },
	  { "a wrong line is named with file, line, key and value", wrong_values },
	  { "sections, repetitions and lengths are checked", wrong_frame },
	  { "plugin_dirs have a limit", directories_too_long },
	  { "what stands before the error counts", reads_up_to_the_error },
	  { "a file that is no text or cannot be read is an error", unreadable },
	  { "the man page has every key with range and default", man_page },
	  { "what may change is taken over, what may not is named", reloads },
	  { "levels of modules, format and target of the log", log_keys },
	  { "plugin directories are compared by their real paths", plugin_dirs })
