/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

#define CONFIG_MAX (64 * 1024)

enum value_kind {
	V_NUMBER,  /* whole, in a range */
	V_SECONDS, /* with up to three decimals, kept in ms; the range is in ms */
	V_PATH,	   /* absolute, "" allowed */
	V_DIRS,	   /* colon list of absolute directories; each further value adds to it */
	V_NAME,	   /* of a host */
	V_SYNC,
	V_SOURCES, /* names with spaces between, "all" or "none" */
	V_HTTP,	   /* where it is served */
	V_LEVEL,
	V_MODULES, /* "module:level ..." */
	V_FORMAT,
	V_TARGET
};

struct key {
	const char *name;
	enum value_kind kind;
	size_t offset, size;
	unsigned min, max;
	bool fixed; /* read at the start only */
};

#define AT(member)                                                                       \
	offsetof(struct config, member), sizeof(((struct config *)NULL)->member)

static const struct key keys[] = {
	{ "plugin_dirs", V_DIRS, AT(plugin_dirs), 0, 0, false },
	{ "sysfs_root", V_PATH, AT(env.sysfs_root), 0, 0, true },
	{ "proc_root", V_PATH, AT(env.proc_root), 0, 0, true },
	{ "dev_root", V_PATH, AT(env.dev_root), 0, 0, true },
	{ "sim", V_PATH, AT(env.sim_path), 0, 0, true },
	{ "sync", V_SYNC, AT(sync_all), 0, 0, false },
	{ "add_timeout_s", V_NUMBER, AT(add_timeout_s), 1, 110, false },
	{ "del_wait_s", V_SECONDS, AT(del_wait_ms), 0, 7000, false },
	{ "ipam_del_timeout_s", V_NUMBER, AT(ipam_del_timeout_s), 1, 600, false },
	{ "step_timeout_s", V_NUMBER, AT(step_timeout_s), 1, 600, false },
	{ "retry_min_ms", V_NUMBER, AT(retry_min_ms), 10, 60000, false },
	{ "retry_max_ms", V_NUMBER, AT(retry_max_ms), 10, 3600000, false },
	{ "give_up_after", V_NUMBER, AT(give_up_after), 1, 1000, false },
	{ "reconcile_s", V_NUMBER, AT(reconcile_s), 1, 3600, false },
	{ "event_sources", V_SOURCES, AT(event_sources), 0, 0, true },
	{ "idle_s", V_NUMBER, AT(idle_s), 1, 3600, false },
	{ "workers", V_NUMBER, AT(n_workers), 1, 32, true },
	{ "node_slice", V_NUMBER, AT(node_slice), 0, 1000000, false },
	{ "node_name", V_NAME, AT(node_name), 0, 0, false },
	{ "http", V_HTTP, AT(http), 0, 0, true },
	{ "log_level", V_LEVEL, AT(log_level), 0, 0, false },
	{ "log_modules", V_MODULES, AT(log_modules), 0, 0, false },
	{ "log_format", V_FORMAT, AT(log_format), 0, 0, false },
	{ "log_target", V_TARGET, AT(log_target), 0, 0, false },
};

#define N_KEYS VFK_ARRAY_SIZE(keys)

void config_default(struct config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	memcpy(cfg->env.sysfs_root, "/sys", sizeof("/sys"));
	memcpy(cfg->env.proc_root, "/proc", sizeof("/proc"));
	memcpy(cfg->env.dev_root, "/dev", sizeof("/dev"));
	memcpy(cfg->plugin_dirs, "/opt/cni/bin", sizeof("/opt/cni/bin"));
	cfg->add_timeout_s = 110;
	cfg->del_wait_ms = 3000;
	cfg->ipam_del_timeout_s = 60;
	cfg->step_timeout_s = 30;
	cfg->retry_min_ms = 500;
	cfg->retry_max_ms = 60000;
	cfg->give_up_after = 8;
	cfg->reconcile_s = 30;
	cfg->event_sources = EVENT_SOURCES_ALL;
	cfg->idle_s = 10;
	cfg->n_workers = 8;
	cfg->node_slice = UINT_MAX;
	cfg->log_level = LOG_LV_INFO;
}

const char *config_key(unsigned i)
{
	return i < N_KEYS ? keys[i].name : NULL;
}

/* --- reading --- */

struct reader {
	struct config *cfg;
	const char *path;
	struct vfk_err *err;
	const char *rest; /* of the text */
	int line;	  /* the one that inih works on */
	int rc;		  /* the first error; nothing is read after it */
	bool seen[N_KEYS];
};

/* inih does not tell its handler the line, so lines are counted where it gets them. */
static char *next_line(char *buf, int cap, void *arg)
{
	struct reader *r = arg;
	size_t len;

	if (r->rc < 0 || !*r->rest)
		return NULL;
	r->line++;
	len = strcspn(r->rest, "\n");
	if (len + 2 > (size_t)cap) {
		r->rc = vfk_err_set(r->err, VFK_E_CONFIG, 0,
				    "%s:%d: the line is %zu bytes long, at most %d are supported",
				    r->path, r->line, len, cap - 2);
		return NULL;
	}
	memcpy(buf, r->rest, len);
	r->rest += len;
	if (*r->rest == '\n') {
		buf[len++] = '\n';
		r->rest++;
	}
	buf[len] = '\0';
	return buf;
}

static int wrong(struct reader *r, const char *name, const char *value, const char *wanted)
{
	r->rc = vfk_err_set(r->err, VFK_E_CONFIG, 0, "%s:%d: %s \"%.80s\" must be %s",
			    r->path, r->line, name, value, wanted);
	return r->rc;
}

/* Digits, with up to 'decimals' more after a point; the value is in units of the last. */
static bool parse_decimal(const char *text, unsigned decimals, unsigned *out)
{
	uint64_t value = 0;
	bool point = false;
	unsigned left = decimals;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text; text++) {
		if (*text == '.' && decimals && !point) {
			point = true;
			continue;
		}
		if (*text < '0' || *text > '9' || (point && left == 0))
			return false;
		left -= point;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > UINT32_MAX)
			return false;
	}
	for (; left; left--)
		value *= 10;
	if (value > UINT32_MAX)
		return false;
	*out = (unsigned)value;
	return true;
}

static int set_number(struct reader *r, const struct key *key, const char *value, void *to)
{
	bool seconds = key->kind == V_SECONDS;
	char wanted[80];
	unsigned number;

	if (parse_decimal(value, seconds ? 3 : 0, &number) && number >= key->min &&
	    number <= key->max) {
		memcpy(to, &number, sizeof(number));
		return 0;
	}
	if (seconds)
		snprintf(wanted, sizeof(wanted), "a number of seconds from %g to %g",
			 key->min / 1000.0, key->max / 1000.0);
	else
		snprintf(wanted, sizeof(wanted), "a whole number from %u to %u", key->min,
			 key->max);
	return wrong(r, key->name, value, wanted);
}

static int set_path(struct reader *r, const struct key *key, const char *value, char *to)
{
	size_t len = strlen(value);

	if (len && (value[0] != '/' || len >= key->size))
		return wrong(r, key->name, value, "an absolute path of at most 255 bytes");
	/* Only sim may be empty: it is off then. */
	if (!len && to != r->cfg->env.sim_path)
		return wrong(r, key->name, value, "an absolute path of at most 255 bytes");
	memcpy(to, value, len + 1);
	return 0;
}

static int add_dirs(struct reader *r, const struct key *key, const char *value, char *to,
		    bool first)
{
	size_t have = first ? 0 : strlen(to);

	for (const char *dir = value;; dir++) {
		if (*dir != '/')
			return wrong(r, key->name, value,
				     "a colon list of absolute directories");
		dir += strcspn(dir, ":");
		if (!*dir)
			break;
	}
	if (have + 1 + strlen(value) >= key->size) {
		r->rc = vfk_err_set(r->err, VFK_E_CONFIG, 0,
				    "%s:%d: %s is longer than %zu bytes", r->path,
				    r->line, key->name, key->size - 2);
		return r->rc;
	}
	snprintf(to + have, key->size - have, "%s%s", have ? ":" : "", value);
	return 0;
}

/* Calls 'fn' for each "module:level"; false: one of them is neither. */
static bool each_module(const char *list,
			void (*fn)(const char *module, enum log_level level))
{
	while (*(list += strspn(list, " \t"))) {
		size_t len = strcspn(list, " \t");
		const char *colon = memchr(list, ':', len);
		enum log_level level;
		char module[32], name[16];
		bool known = false;

		if (!colon ||
		    snprintf(module, sizeof(module), "%.*s", (int)(colon - list), list) >=
			    (int)sizeof(module) ||
		    snprintf(name, sizeof(name), "%.*s", (int)(list + len - colon - 1),
			     colon + 1) >= (int)sizeof(name) ||
		    !log_level_parse(name, &level))
			return false;
		for (size_t i = 0; log_module(i); i++)
			known |= !strcmp(log_module(i), module);
		if (!known)
			return false;
		if (fn)
			fn(module, level);
		list += len;
	}
	return true;
}

static int set_sources(struct reader *r, const struct key *key, const char *value)
{
	unsigned sources = 0;

	if (!strcmp(value, "all")) {
		r->cfg->event_sources = EVENT_SOURCES_ALL;
		return 0;
	}
	if (!strcmp(value, "none")) {
		r->cfg->event_sources = 0;
		return 0;
	}
	for (const char *at = value; *at;) {
		size_t len = strcspn(at, " ");
		unsigned i = 0;

		while (i < N_EVENT_SOURCES && (strlen(event_source_name(i)) != len ||
					       strncmp(at, event_source_name(i), len) != 0))
			i++;
		if (i == N_EVENT_SOURCES) {
			sources = 0;
			break;
		}
		sources |= 1u << i;
		at += len;
		at += strspn(at, " ");
	}
	r->cfg->event_sources = sources;
	return sources ? 0 :
			 wrong(r, key->name, value,
			       "all, none, or some of " EVENT_SOURCE_WORDS);
}

static int set_key(struct reader *r, const struct key *key, const char *value, bool first)
{
	void *to = (char *)r->cfg + key->offset;

	if (!first && key->kind != V_DIRS) {
		r->rc = vfk_err_set(r->err, VFK_E_CONFIG, 0, "%s:%d: %s is given twice",
				    r->path, r->line, key->name);
		return r->rc;
	}
	switch (key->kind) {
	case V_NUMBER:
	case V_SECONDS:
		return set_number(r, key, value, to);
	case V_PATH:
		return set_path(r, key, value, to);
	case V_DIRS:
		return add_dirs(r, key, value, to, first);
	case V_NAME:
		if (!*value || strlen(value) >= key->size ||
		    value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789.-_"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
			return wrong(r, key->name, value,
				     "1 to 127 letters, digits and \".-_\"");
		memcpy(to, value, strlen(value) + 1);
		return 0;
	case V_SOURCES:
		return set_sources(r, key, value);
	case V_SYNC:
		r->cfg->sync_all = !strcmp(value, "all");
		return r->cfg->sync_all || !strcmp(value, "owed") ?
			       0 :
			       wrong(r, key->name, value, "owed or all");
	case V_HTTP:
		return http_addr_parse(value, to) ?
			       0 :
			       wrong(r, key->name, value,
				     "off, unix, or a loopback address with a port "
				     "(127.0.0.1:PORT, [::1]:PORT)");
	case V_LEVEL:
		return log_level_parse(value, &r->cfg->log_level) ?
			       0 :
			       wrong(r, key->name, value,
				     "error, warn, notice, info or debug");
	case V_MODULES:
		if (strlen(value) >= key->size || !each_module(value, NULL))
			return wrong(r, key->name, value,
				     "a list of module:level, as vfctl log shows them");
		memcpy(to, value, strlen(value) + 1);
		return 0;
	case V_FORMAT:
		r->cfg->log_format = strcmp(value, "json") ? LOG_TEXT : LOG_JSON;
		return !strcmp(value, "json") || !strcmp(value, "text") ?
			       0 :
			       wrong(r, key->name, value, "text or json");
	case V_TARGET:
		return log_target_parse(value, &r->cfg->log_target) ?
			       0 :
			       wrong(r, key->name, value, "auto, stderr or journal");
	}
	return 0;
}

/* inih's handler: 1 goes on; after an error there is no further line. */
static int on_value(void *arg, const char *section, const char *name, const char *value)
{
	struct reader *r = arg;

	if (r->rc < 0)
		return 1;
	if (strcmp(section, "vfkeeper") != 0) {
		r->rc = *section ? vfk_err_set(r->err, VFK_E_CONFIG, 0,
					       "%s:%d: unknown section [%.40s]", r->path,
					       r->line, section) :
				   vfk_err_set(r->err, VFK_E_CONFIG, 0,
					       "%s:%d: %.40s stands before any section",
					       r->path, r->line, name);
		return 1;
	}
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(name, keys[i].name) != 0)
			continue;
		(void)!set_key(r, &keys[i], value, !r->seen[i]);
		r->seen[i] = true;
		return 1;
	}
	r->rc = vfk_err_set(r->err, VFK_E_CONFIG, 0, "%s:%d: unknown key %.40s", r->path,
			    r->line, name);
	return 1;
}

/* The whole file in '*text', or NULL where there is none. */
static int read_file(const char *path, char **text, struct vfk_err *err)
{
	VFK_AUTO(free_auto) char *buf = NULL;
	size_t len = 0;
	int rc = file_read(path, 0, CONFIG_MAX, &buf, &len);

	*text = NULL;
	if (rc == -ENOENT)
		return 0;
	if (rc == -EFBIG)
		return vfk_err_set(err, VFK_E_CONFIG, 0, "%s is longer than %d bytes",
				   path, CONFIG_MAX);
	if (rc == -ENOMEM)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
	if (rc < 0)
		return vfk_err_set(err, VFK_E_CONFIG, -rc, "read %s", path);
	if (memchr(buf, '\0', len))
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "%s is no text: it has a NUL byte", path);
	*text = VFK_STEAL(buf);
	return 0;
}

/* "/etc/machine-id" for "/etc/vfkeeper/vfkeeper.conf". */
static void read_machine_id(struct config *cfg, const char *path)
{
	VFK_AUTO(free_auto) char *text = NULL;
	char name[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct vfk_err ignored;

	cfg->machine_id[0] = '\0';
	while (slash && slash > path && slash[-1] != '/')
		slash--;
	if (!slash ||
	    snprintf(name, sizeof(name), "%.*smachine-id", (int)(slash - path), path) >=
		    (int)sizeof(name) ||
	    read_file(name, &text, &ignored) < 0 || !text)
		return;
	snprintf(cfg->machine_id, sizeof(cfg->machine_id), "%.*s",
		 (int)strcspn(text, " \r\n"), text);
}

int config_load(struct config *cfg, const char *path, struct vfk_err *err)
{
	VFK_AUTO(free_auto) char *text = NULL;
	struct reader r = { .cfg = cfg, .path = path, .err = err };
	int rc, bad_line;

	config_default(cfg);
	read_machine_id(cfg, path);
	rc = read_file(path, &text, err);
	if (rc < 0 || !text)
		return rc;
	r.rest = text;
	bad_line = ini_parse_stream(next_line, &r, on_value, &r);
	/* inih goes on after a line that it cannot read: the first error is told. */
	if (r.rc < 0 && (bad_line <= 0 || bad_line >= r.line))
		return r.rc;
	if (bad_line > 0)
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "%s:%d: neither [section] nor key = value", path,
				   bad_line);
	if (bad_line < 0)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
	if (cfg->retry_min_ms > cfg->retry_max_ms)
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "%s: retry_min_ms %u is above retry_max_ms %u", path,
				   cfg->retry_min_ms, cfg->retry_max_ms);
	return 0;
}

static bool differs(const struct key *key, const struct config *a, const struct config *b)
{
	const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;

	switch (key->kind) {
	case V_PATH:
	case V_DIRS:
	case V_NAME:
	case V_MODULES:
		return strcmp(x, y) != 0; /* there may be anything behind the text */
	case V_SOURCES:
	case V_NUMBER:
	case V_SECONDS:
	case V_SYNC:
	case V_LEVEL:
	case V_FORMAT:
	case V_TARGET:
	case V_HTTP:
		break;
	}
	return memcmp(x, y, key->size) != 0;
}

void config_reload(struct config *now, const struct config *fresh,
		   void (*fixed)(void *arg, const char *key), void *arg)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (!keys[i].fixed)
			memcpy((char *)now + keys[i].offset,
			       (const char *)fresh + keys[i].offset, keys[i].size);
		else if (differs(&keys[i], now, fresh))
			fixed(arg, keys[i].name);
	}
}

bool config_live(unsigned i)
{
	return i < N_KEYS && !keys[i].fixed;
}

static void take_module(const char *module, enum log_level level)
{
	log_set_module(module, level);
}

void config_log(const struct config *cfg, const char *program, int level)
{
	log_set_level(level >= 0 ? (enum log_level)level : cfg->log_level);
	each_module(cfg->log_modules, take_module);
	log_out_set(program, cfg->log_format, cfg->log_target);
}

bool config_is_plugin_dir(const struct config *cfg, const char *dir)
{
	char want[PATH_MAX], have[PATH_MAX], one[sizeof(cfg->plugin_dirs)];
	const char *p = cfg->plugin_dirs;

	if (!realpath(dir, want))
		return false;
	while (*p) {
		size_t len = strcspn(p, ":");

		memcpy(one, p, len);
		one[len] = '\0';
		if (realpath(one, have) && !strcmp(have, want))
			return true;
		p += len + (p[len] == ':');
	}
	return false;
}
