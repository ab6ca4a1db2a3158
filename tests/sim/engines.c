/* SPDX-License-Identifier: Apache-2.0 */
#include "engines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "boot.h"
#include "callers.h"
#include "cover.h"
#include "disk.h"
#include "engine/ctl_cmds.h"
#include "engine/engine-internal.h"
#include "engine/recent_del.h"
#include "engine/view.h"
#include "faults.h"
#include "fds.h"
#include "io/codec.h"
#include "io/inflight.h"
#include "io/journal-internal.h"
#include "kernel.h"
#include "memory.h"
#include "promises.h"
#include "spooler.h"
#include "story.h"
#include "when.h"
#include "workers.h"

#define LOCK_WAIT (10 * SEC)
#define GIVE_WAY (900 * MS)
#define WATCHDOG (30 * SEC)

struct process {
	struct engine *e;
	struct journal *journal;      /* NULL: it could not be opened */
	struct journal_status status; /* of what it has read */
	unsigned gen;
	bool service, serves, ending;
	int64_t hung_until, ending_at, called_ns, idle_since;
	unsigned dies_in; /* counts down; 0: it does not */
	bool dead;
	bool turning;		     /* within a call */
	int file_fds[JOURNAL_FILES]; /* 0: not open */
};

static struct process p;
static struct node node; /* of its engine */
static struct config config;
static unsigned starting; /* service: somebody is starting one */
static uint64_t randoms;
static unsigned n_ops, next_dies_in;

static void died(void);
static void on_wake(uint64_t gen, uint64_t unused);
static void beat(uint64_t gen, uint64_t unused);

static void service_again(uint64_t a, uint64_t b)
{
	(void)a;
	(void)b;
	engine_start_service();
}

/* --- the things that it does to the world, counted --- */

bool engine_lives(void)
{
	return !p.dead;
}

bool engine_dies_here(void)
{
	if (p.dead)
		return true;
	n_ops += p.e != NULL;
	if (!p.dies_in || --p.dies_in)
		return false;
	p.dead = true;
	cover_event(EVENT_ENGINE_CUT);
	boot_mark_hold();
	story("engine: killed in the middle of a turn");
	return true;
}

int engine_file_fd(unsigned file)
{
	if (!p.file_fds[file])
		p.file_fds[file] = fd_file(OWNER_ENGINE, file);
	return p.file_fds[file];
}

/* --- struct engine_ops --- */

static int64_t op_boot_ns(void *ctx)
{
	(void)ctx;
	return when_now;
}

static int64_t op_wall_ns(void *ctx)
{
	(void)ctx;
	return when_now + when_wall_offset;
}

static int op_job(void *ctx, const struct job_req *rq, size_t len, const int *fds,
		  unsigned n_fds, struct vfk_err *err)
{
	(void)ctx;
	if (engine_dies_here())
		return 0;
	promise_job(rq, fds, n_fds);
	return worker_start(p.gen, rq, len, fds, n_fds, err);
}

static void op_job_kill(void *ctx, uint64_t job_id)
{
	(void)ctx;
	if (!engine_dies_here())
		worker_kill(job_id);
}

static void op_wake_at(void *ctx, int64_t at_ns)
{
	int64_t in = at_ns - when_now;

	(void)ctx;
	when_alarm(in < 10 * US ? when_now + 10 * US : at_ns, on_wake, p.gen);
}

static void op_answer(void *ctx, void *client, int exit_code, const char *text, size_t len)
{
	(void)ctx;
	if (!engine_dies_here())
		callers_answer((uint64_t)(uintptr_t)client, exit_code, text, len);
}

static int op_run(void *ctx, void *client, struct frame_run *run, const int *fds,
		  unsigned n_fds, struct vfk_err *err)
{
	(void)ctx;
	if (engine_dies_here())
		return 0;
	if (fault_take_op(OF_RUN))
		return vfk_err_set(err, VFK_E_SYS, EAGAIN, "send a frame");
	callers_run((uint64_t)(uintptr_t)client, run, fds, n_fds);
	return 0;
}

static void op_cancel(void *ctx, void *client)
{
	(void)ctx;
	if (!engine_dies_here())
		callers_cancel((uint64_t)(uintptr_t)client);
}

static int op_lock(void *ctx, uint64_t byte, int *fd, struct vfk_err *err)
{
	(void)ctx;
	if (fault_take_op(OF_LOCK))
		return vfk_err_set(err, VFK_E_SYS, ENOLCK, "lock a byte");
	*fd = fd_byte(OWNER_ENGINE, byte);
	return *fd < 0 ? vfk_err_set(err, VFK_E_BUSY, 0, "byte is held") : 0;
}

static bool op_held(void *ctx, uint64_t byte)
{
	(void)ctx;
	return fd_byte_held(byte);
}

static int op_memfd(void *ctx, const char *name, const void *bytes, size_t len)
{
	(void)ctx;
	(void)name;
	return fault_take_op(OF_MEMFD) ? -1 : fd_bytes(OWNER_ENGINE, bytes, len);
}

static char *op_slurp(void *ctx, int fd, size_t *len)
{
	const char *text = fd_text(fd, len);
	char *copy;

	(void)ctx;
	if (!text)
		return NULL;
	copy = malloc(*len + 1);
	if (copy)
		memcpy(copy, text, *len + 1);
	return copy;
}

static bool op_find_plugin(void *ctx, const char *cni_path, const char *type, char *out,
			   size_t cap)
{
	(void)ctx;
	(void)cni_path;
	snprintf(out, cap, "/usr/bin/%s", type);
	return true;
}

static bool op_plugin_trusted(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	return true;
}

static bool op_netns_valid(void *ctx, int fd, bool *own)
{
	(void)ctx;
	*own = false;
	return fd_kind_of(fd) == FD_NETNS;
}

static const struct engine_ops ops = { .boot_ns = op_boot_ns,
				       .wall_ns = op_wall_ns,
				       .job = op_job,
				       .job_kill = op_job_kill,
				       .wake_at = op_wake_at,
				       .answer = op_answer,
				       .run = op_run,
				       .cancel = op_cancel,
				       .lock = op_lock,
				       .held = op_held,
				       .memfd = op_memfd,
				       .slurp = op_slurp,
				       .find_plugin = op_find_plugin,
				       .plugin_trusted = op_plugin_trusted,
				       .netns_valid = op_netns_valid };

/* --- a turn of its loop --- */

/* What the loop does after each event.  The engine may be gone when this returns. */
static void turn_over(void)
{
	if (!p.dead)
		engine_turn(p.e);
	p.turning = false;
	if (p.dead) {
		died();
	} else if (p.ending && (engine_quiet(p.e) || when_now >= p.ending_at)) {
		story("engine: ends");
		died();
	}
}

static bool turn_begins(void)
{
	if (!p.e || p.hung_until > when_now)
		return false;
	p.turning = true;
	return true;
}

bool engine_listens(int64_t *wait_ns)
{
	if (!p.e || p.hung_until <= when_now)
		return true;
	*wait_ns = p.hung_until - when_now + 1; /* in the order in which they came */
	return false;
}

static void on_wake(uint64_t gen, uint64_t unused)
{
	int64_t wait;

	if (gen != p.gen || !p.e)
		return;
	if (!engine_listens(&wait)) {
		when_after(wait, on_wake, gen, unused);
		return;
	}
	if (turn_begins())
		turn_over();
}

void engine_ask(uint64_t conn, const struct frame_request *rq, int stdin_fd, int env_fd,
		int netns_fd)
{
	if (!turn_begins())
		abort();
	p.called_ns = when_now;
	engine_request(p.e, (void *)(uintptr_t)conn, rq, fd_pass(stdin_fd, OWNER_ENGINE),
		       fd_pass(env_fd, OWNER_ENGINE), fd_pass(netns_fd, OWNER_ENGINE));
	turn_over();
}

void engine_result(uint64_t conn, const struct frame_ran *ran, const char *out)
{
	if (!turn_begins())
		abort();
	engine_ran(p.e, (void *)(uintptr_t)conn, ran, out, strlen(out));
	turn_over();
}

void engine_hangup(uint64_t conn)
{
	if (!turn_begins())
		abort();
	engine_client_gone(p.e, (void *)(uintptr_t)conn);
	turn_over();
}

void engine_job_end(unsigned gen, const struct job_res *res, const char *lost)
{
	if (gen != p.gen || !turn_begins())
		abort();
	if (!lost && res->kind == JOB_DISCOVER && !res->err.kind)
		promise_looked();
	if (lost)
		engine_job_lost(p.e, res->id, lost);
	else
		engine_job_done(p.e, res);
	turn_over();
}

static void nsid_gone(uint64_t gen, uint64_t nsid)
{
	int64_t wait;

	if (gen != p.gen || !p.e)
		return; /* nobody listened when it happened */
	if (!engine_listens(&wait)) {
		when_after(wait, nsid_gone, gen, nsid);
		return;
	}
	if (!turn_begins())
		return;
	engine_nsid_gone(p.e, (int32_t)nsid);
	turn_over();
}

void engines_nsid_gone(int32_t nsid)
{
	if (p.e)
		when_after(when_jitter(200 * US), nsid_gone, p.gen, (uint64_t)nsid);
}

static void vf_touched(uint64_t gen, uint64_t addr)
{
	int64_t wait;

	if (gen != p.gen || !p.e)
		return;
	if (!engine_listens(&wait)) {
		when_after(wait, vf_touched, gen, addr);
		return;
	}
	if (!turn_begins())
		return;
	engine_vf_touched(p.e, addr);
	turn_over();
}

void engines_vf_touched(pci_addr_t addr)
{
	if (p.e)
		when_after(when_jitter(200 * US), vf_touched, p.gen, addr);
}

static bool asks(const struct ctl_request *rq, char **json)
{
	struct view_status facts = { .mode = "sim" };
	struct vfk_err err = { 0 };
	pci_addr_t pending;
	bool yes;

	*json = NULL;
	if (!p.serves || !turn_begins())
		return false;
	yes = engine_admin(p.e, rq, &facts, json, &pending, &err) >= 0 && !p.dead;
	if (!yes)
		story("vfctl: %s", err.msg);
	turn_over();
	return yes;
}

bool engine_says_yes(const struct ctl_request *rq)
{
	char *json;
	bool yes = asks(rq, &json);

	free(json);
	return yes;
}

json_t *engine_answers(const struct ctl_request *rq)
{
	char *text;
	bool yes = asks(rq, &text);
	json_t *doc = yes && text ? json_loads(text, 0, NULL) : NULL;

	free(text);
	return doc;
}

/* --- start --- */

static uint64_t op_random(void *ctx)
{
	(void)ctx;
	return rng_mix(++randoms);
}

static int replay(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	int rc = node_replay(arg, rec, err);

	if (rc == 0)
		promise_replayed(rec);
	return rc;
}

static struct journal_cfg journal_cfg(const struct disk *disk)
{
	return (struct journal_cfg){ .disk = disk,
				     .durable_path = "durable",
				     .min_size = FILE_BYTES,
				     .snapshot = node_snapshot,
				     .arg = &node,
				     .random = op_random };
}

/* As start_journal (src/engine/start.c). */
static void find_journal(struct engine_cfg *cfg, char broken_text[240])
{
	struct disk disk = disk_ops();
	struct journal_cfg journal = journal_cfg(&disk);
	struct journal_status st = { 0 };
	struct vfk_err err = { 0 };

	node_init(&node);
	promise_replay_begins();
	if (node_open_journal(&p.journal, &journal, replay, &st, &err) < 0) {
		snprintf(broken_text, 240, "the journal cannot be used: %.190s", err.msg);
		node_fini(&node);
		promise_replay_begins();
		disk = disk_ops();
		if (journal_read_own(&disk, "durable", replay, &node, &st, &err) < 0)
			story("engine: nothing of the journal can be read: %s", err.msg);
	}
	p.status = st;
	node_settle(&node);
	node_mark_missing(&node, &st);
	cfg->journal = p.journal;
	cfg->broken = broken_text;
	promise_replayed_all(st.verdict);
	story("engine: the journal is %s%s%s", journal_verdict_name(st.verdict),
	      st.what[0] ? ": " : "", st.what);
}

static void engine_begins(bool service)
{
	struct engine_cfg cfg = { .config = &config, .ops = &ops, .node = &node };
	char broken_text[240] = "";
	struct vfk_err err = { 0 };
	unsigned gen = p.gen;

	memset(&p, 0, sizeof(p));
	p.gen = gen + 1;
	p.service = service;
	story("engine: starts %s", service ? "as a service" : "on demand");
	find_journal(&cfg, broken_text);
	if (recent_del_open(&cfg.recent_del, NULL, &err) < 0)
		abort();
	cfg.boot_id = boot_id();
	if (engine_new(&p.e, &cfg, &err) < 0)
		abort();
	p.called_ns = p.idle_since = when_now;
	p.turning = true;
	p.dies_in = next_dies_in;
	next_dies_in = 0;
	engine_begin(p.e);
	if (!p.dead) /* R5: what was left in the spool comes before the first ADD */
		spooler_read(p.e);
	turn_over();
	if (!p.e)
		return;
	promise_begun();
	p.serves = true;
	when_after(SEC, beat, p.gen, 0);
	callers_engine_up();
}

/* R1: it waits for LOCK at most 10 s. */
static void tries(uint64_t service, uint64_t until)
{
	if (starting != 1 + service)
		return;
	if (p.e) {
		if ((int64_t)until <= when_now) {
			story("engine: another holds LOCK: ends with 5");
			starting = 0;
			if (service)
				when_after(100 * MS, service_again, 0, 0);
			else
				callers_engine_up(); /* they try again */
			return;
		}
		when_after(100 * MS, tries, service, until);
		return;
	}
	starting = 0;
	engine_begins(service);
}

static void starts(bool service)
{
	starting = 1 + service;
	when_after(when_jitter(3 * MS), tries, service, (uint64_t)(when_now + LOCK_WAIT));
}

bool engine_start_service(void)
{
	if (starting == 2 || (p.e && p.service))
		return false;
	engine_give_way(); /* R3 */
	starts(true);
	return true;
}

void engine_start_on_demand(void)
{
	if (!starting) /* R2: 'start' is held by who starts one */
		starts(false);
}

void engine_give_way(void)
{
	if (!p.e || p.ending || p.service || p.hung_until > when_now)
		return;
	story("engine: gives way");
	p.ending = true;
	p.serves = false;
	p.ending_at = when_now + GIVE_WAY;
	callers_not_served(); /* connections that have not asked yet are closed */
	engine_ends(p.e);
	when_after(GIVE_WAY, on_wake, p.gen, 0);
}

/* --- end --- */

/* However it ends, the kernel closes what it had.  A worker ends after its step. */
static void died(void)
{
	bool service = p.service, again = service && !p.ending;
	struct engine *e = p.e;

	if (!e)
		return;
	if (p.dead) /* what it stored after its death it never stored */
		boot_mark_back();
	p.dead = true; /* nothing that the freeing does reaches the world */
	p.e = NULL;
	p.serves = false;
	engine_free(e);
	fds_shut_all(OWNER_ENGINE);
	p.turning = false;
	story("engine: is gone");
	p.gen++; /* what was on its way to it is lost */
	workers_orphaned();
	callers_eof();
	if (again) /* Restart=always, RestartSec=100ms */
		when_after(100 * MS, service_again, 0, 0);
}

void engine_kill(unsigned after_ops)
{
	if (!p.e) /* the next one, in its begin */
		next_dies_in = after_ops;
	else if (after_ops)
		p.dies_in = after_ops;
	if (!p.e || after_ops)
		return;
	story("engine: killed");
	died();
}

void engine_kill_never(void)
{
	p.dies_in = next_dies_in = 0;
}

void engines_power_off(void)
{
	p.ending = true; /* nobody starts it again */
	died();
	starting = 0;
}

static void watchdog(uint64_t gen, uint64_t unused)
{
	(void)unused;
	if (gen != p.gen || !p.e || p.hung_until <= when_now)
		return;
	story("engine: its own alarm ends it");
	died();
}

bool engine_read_late(uint64_t start_ns)
{
	return p.e && p.hung_until > (int64_t)start_ns &&
	       p.hung_until + config.del_wait_ms * MS > when_now;
}

void engine_hang(int64_t ns)
{
	if (!p.e || p.hung_until > when_now)
		return;
	story("engine: its loop hangs");
	p.hung_until = when_now + ns;
	when_after(WATCHDOG, watchdog, p.gen, 0);
}

/* As check_idle and on_beat (src/engine/daemon.c). */
static void check_idle(void)
{
	bool clients = callers_connected() > 0, busy = clients || engine_busy(p.e);

	if (p.service)
		return;
	if (clients)
		p.called_ns = when_now;
	if (busy && when_now - p.called_ns < 600 * SEC) {
		p.idle_since = when_now;
		return;
	}
	if (when_now - p.idle_since >= config.idle_s * SEC || busy)
		engine_give_way();
}

/* As try_journal (src/engine/daemon.c). */
static void take_journal_late(void)
{
	struct disk disk = disk_ops();
	struct journal_cfg cfg = journal_cfg(&disk);
	struct journal_status now;
	struct vfk_err err = { 0 };

	if (p.journal || p.status.verdict == JOURNAL_UNKNOWN || disk_is_full() ||
	    journal_read_own(&disk, cfg.durable_path, NULL, NULL, &now, &err) < 0)
		return;
	if (journal_says_more(&p.status, &now)) {
		story("engine: ends, for one that knows these records");
		if (p.service)
			died();
		else
			engine_give_way();
	} else if (journal_open(&p.journal, &cfg, NULL, &now, &err) == 0 &&
		   engine_take_journal(p.e, p.journal) < 0) {
		p.journal = NULL;
	}
}

static void beat(uint64_t gen, uint64_t unused)
{
	int64_t wait;

	if (gen != p.gen || !p.e)
		return;
	if (!engine_listens(&wait)) {
		when_after(wait, beat, gen, unused);
		return;
	}
	turn_begins();
	take_journal_late();
	if (!p.e)
		return;
	check_idle();
	spooler_read(p.e);
	when_after(p.service ? 5 * SEC : SEC, beat, gen, unused);
	turn_over();
}

/* --- all of it --- */

void engines_boot(void)
{
	starting = 0;
	boot_again();
}

void engines_stop(void)
{
	p.ending = true; /* not to be started again */
	died();
	boot_end();
}

void engines_reset(bool sync_all)
{
	engines_stop();
	memset(&p, 0, sizeof(p));
	starting = 0;
	randoms = 0;
	boot_first();
	config_default(&config);
	config.sync_all = sync_all;
	snprintf(config.env.sim_path, sizeof(config.env.sim_path), "/sim.conf");
	snprintf(config.plugin_dirs, sizeof(config.plugin_dirs), "/usr/bin");
}

bool engine_has_conf(uint64_t lease)
{
	const struct lease *l = p.e ? node_lease(&node, lease) : NULL;
	struct vfk_err err;
	size_t len;
	char *blob = l ? node_blob_get(&node, p.journal, l->rec.request_blob, &len, &err) :
			 NULL;

	free(blob);
	return blob != NULL;
}

bool engine_has_journal(void)
{
	return p.journal || (!p.e && !p.gen);
}

bool engine_serves(void)
{
	return p.e && p.serves;
}

bool engine_exists(void)
{
	return p.e != NULL;
}

bool engine_is_service(void)
{
	return p.e && p.service;
}

unsigned engine_generation(void)
{
	return p.gen;
}

const struct engine *engine_now(void)
{
	return p.e;
}

unsigned engine_ops(void)
{
	return n_ops;
}

uint64_t engine_hash(void)
{
	uint64_t sum = (uint64_t)starting << 8 | p.serves << 1 | p.ending << 2;

	return p.e ? memory_hash(p.e, sum) : rng_mix(sum);
}
