/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "engine/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/paths.h"
#include "engine/ctl_cmds.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/fatal.h"
#include "engine/hold.h"
#include "engine/pool.h"
#include "engine/port_watch.h"
#include "engine/recent_del.h"
#include "engine/server.h"
#include "engine/spool.h"
#include "engine/start.h"
#include "engine/view.h"
#include "engine/web.h"
#include "engine/world.h"
#include "io/ctl_server.h"
#include "io/file.h"
#include "io/loop.h"

#define LOCK_WAIT_MS 10000
#define WATCHDOG_S 30 /* R4: a loop that does not turn so long is ended */
#define BEAT_NS (5 * NS_PER_S)
#define GIVE_WAY_NS (900 * NS_PER_MS)
#define BUSY_MAX_NS (600 * NS_PER_S) /* on demand: work keeps it at most so long */
#define ADMIN_WAIT_NS (10 * NS_PER_S)
#define ADMIN_LOOKS_NS (50 * NS_PER_S)

/* A command that is answered later. */
struct waiting_call {
	struct list link;
	struct ctl_call *call;
	enum engine_wait wait;
	uint64_t pending;
	int64_t until_ns;
};

struct daemon {
	struct world world; /* first: engine_ops.ctx points here */
	const struct daemon_opts *opts;
	struct config config;
	struct loop *loop;
	struct spawner *spawner;
	struct pool *pool;
	struct server *server;
	struct ctl_server *ctl;
	struct web *web;
	struct engine *engine;
	struct events *events;
	int ports; /* socket of the port watcher; -1 */
	struct loop_fd *spool_watch;
	struct loop_timer *wake, *beat;
	int spool_fd;
	struct start_lock lock;
	struct start_state state;
	struct node node;
	struct list waiting_calls;
	int64_t started_ns, called_ns, idle_since_ns, ending_at_ns; /* 0: not so */
	int exit_code;
	const char *journal_word;
	bool config_broken; /* no ADD, whatever the journal can do */
	bool ready_said;    /* to the service manager, if there is one */
	bool found_said;    /* in the log, what the first discovery found */
};

/* --- struct engine_ops --- */

static int op_job(void *ctx, const struct job_req *rq, size_t len, const int *fds,
		  unsigned n_fds, struct vfk_err *err)
{
	struct daemon *d = ctx;

	return pool_submit(d->pool, rq, len, fds, n_fds, err);
}

static void op_job_kill(void *ctx, uint64_t job_id)
{
	struct daemon *d = ctx;

	pool_kill(d->pool, job_id);
}

static void op_wake_at(void *ctx, int64_t at_ns)
{
	struct daemon *d = ctx;

	loop_timer_at(d->wake, at_ns);
}

static void op_answer(void *ctx, void *client, int exit_code, const char *text, size_t len)
{
	struct daemon *d = ctx;

	server_answer(d->server, client, exit_code, text, len);
}

static int op_run(void *ctx, void *client, struct frame_run *run, const int *fds,
		  unsigned n_fds, struct vfk_err *err)
{
	struct daemon *d = ctx;

	return server_run(d->server, client, run, fds, n_fds, err);
}

static void op_cancel(void *ctx, void *client)
{
	struct daemon *d = ctx;

	server_cancel(d->server, client);
}

static void op_told(void *ctx, enum record_type type, const void *rec, uint64_t seq)
{
	struct daemon *d = ctx;

	if (d->web)
		d->opts->web->told(d->web, type, rec, seq);
}

/* --- events --- */

static void on_request(void *arg, void *client, const struct frame_request *rq,
		       int stdin_fd, int env_fd, int netns_fd)
{
	struct daemon *d = arg;

	engine_request(d->engine, client, rq, stdin_fd, env_fd, netns_fd);
}

static void on_ran(void *arg, void *client, const struct frame_ran *ran, int out_fd)
{
	struct daemon *d = arg;
	VFK_AUTO(fd_auto) int fd = out_fd;
	VFK_AUTO(free_auto) char *text = NULL;
	size_t len = 0;

	if (fd >= 0)
		text = file_of_memfd(fd, STDIN_MAX, &len);
	engine_ran(d->engine, client, ran, text ? text : "", text ? len : 0);
}

static void on_gone(void *arg, void *client)
{
	struct daemon *d = arg;

	engine_client_gone(d->engine, client);
}

static void on_job_done(void *arg, const struct job_res *res)
{
	struct daemon *d = arg;

	events_drain(d->events);
	engine_job_done(d->engine, res);
}

static void on_job_lost(void *arg, uint64_t job_id, const char *why)
{
	struct daemon *d = arg;

	engine_job_lost(d->engine, job_id, why);
}

static void end(struct daemon *d, int exit_code)
{
	if (exit_code > d->exit_code)
		d->exit_code = exit_code;
	loop_stop(d->loop);
}

static void on_spawner_gone(void *arg)
{
	log_error("daemon", "the spawner ended: ending, the next engine goes on");
	end(arg, 1);
}

static void on_wake(void *arg)
{
	(void)arg; /* the end of this turn does the work */
}

static int take_spooled(void *arg, const struct spool_entry *entry, struct vfk_err *err)
{
	struct daemon *d = arg;
	const char *dir = vfk_path(PATH_SPOOL);

	if (engine_spooled(d->engine, entry->dialect, entry->env, entry->env_len,
			   entry->stdin_text, entry->stdin_len, entry->boot_id,
			   entry->start_ns, err) < 0)
		return -err->kind;
	return spool_done(dir, entry->file, err);
}

static void read_spool(struct daemon *d)
{
	struct vfk_err err = { 0 };

	if (spool_read(vfk_path(PATH_SPOOL), take_spooled, d, &err) < 0)
		log_warn("spool", "%s; tried again later", err.msg);
}

static void on_spool(void *arg, int fd, unsigned events)
{
	char buf[4096];

	(void)events;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	read_spool(arg);
}

#define READY "READY=1\nSTATUS=serving"

/* An engine on demand is no service: what stands in its environment is its caller's.  False: it
 * could not be said. */
static bool notify_service(const struct daemon *d, const char *text)
{
	const char *path = d->opts->on_demand ? NULL : getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	VFK_AUTO(fd_auto) int fd = -1;

	if (!path || !path[0] || strlen(path) >= sizeof(addr.sun_path))
		return true;
	memcpy(addr.sun_path, path, strlen(path));
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (struct sockaddr *)&addr,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0) {
		log_debug("daemon", "sd_notify: %s", vfk_errno_name(errno));
		return false;
	}
	return true;
}

static void begin_end(struct daemon *d)
{
	if (d->ending_at_ns)
		return;
	log_info("daemon", "ending: no new requests");
	(void)notify_service(d, "STOPPING=1");
	server_stop_listening(d->server);
	engine_ends(d->engine);
	d->ending_at_ns = clock_boot_ns() + GIVE_WAY_NS;
	loop_timer_at(d->beat, clock_boot_ns());
}

static void on_term(void *arg)
{
	begin_end(arg);
}

static void on_fixed_key(void *arg, const char *key)
{
	(void)arg;
	log_warn("config",
		 "%s changed: the next engine takes it, this one has to be ended "
		 "for that",
		 key);
}

/* vfkeeper.conf(5), RELOADING. */
static void on_hup(void *arg)
{
	struct daemon *d = arg;
	struct config fresh;
	struct vfk_err err = { 0 };

	if (config_load(&fresh, vfk_path(PATH_CONF), &err) < 0) {
		log_error("config", "%s; nothing was taken over", err.msg);
		return;
	}
	if (d->config_broken) {
		/* It was read up to its error only: an engine that has all of it is needed. */
		log_warn("config",
			 "can be read now: ending, for an engine that takes ADDs");
		d->exit_code = 1; /* a service is started again */
		begin_end(d);
		return;
	}
	config_reload(&d->config, &fresh, on_fixed_key, NULL);
	engine_reload(d->engine, &d->config);
	config_log(&d->config, d->opts->name, d->opts->log_level);
	log_info("config", "read again");
}

/* WATCHDOG=1 goes out twice in the time that the service manager gives. */
static int64_t beat_ns(const struct daemon *d)
{
	const char *text = getenv("WATCHDOG_USEC");
	int64_t usec = text && !d->opts->on_demand ? strtoll(text, NULL, 10) : 0;
	int64_t beat = d->opts->on_demand ? NS_PER_S : BEAT_NS;

	return usec > 0 && usec < beat / 500 ? usec * 500 : beat;
}

/* On demand: ends after idle_s with nothing to do. */
static void check_idle(struct daemon *d, int64_t now)
{
	bool busy = engine_busy(d->engine) || server_clients(d->server) ||
		    ctl_server_clients(d->ctl);

	if (!d->opts->on_demand)
		return;
	if (server_clients(d->server) || ctl_server_clients(d->ctl))
		d->called_ns = now;
	if (busy && now - d->called_ns < BUSY_MAX_NS) {
		d->idle_since_ns = now;
		return;
	}
	if (now - d->idle_since_ns >= d->config.idle_s * NS_PER_S || busy)
		begin_end(d);
}

/* P10: there may be room by now, or a disk. */
static void try_journal(struct daemon *d)
{
	bool unread = false;
	struct journal *j = start_journal_late(&d->state, &unread);

	if (unread) {
		log_error("journal", "can be reached now, and was not read: ending, for an "
				     "engine that knows its records");
		d->exit_code = 1; /* a service is started again */
		begin_end(d);
	} else if (j && engine_take_journal(d->engine, j) == 0) {
		d->state.journal = j;
	}
}

static void on_beat(void *arg)
{
	struct daemon *d = arg;
	int64_t now = clock_boot_ns();
	int64_t next = beat_ns(d);

	if (d->ready_said || d->ending_at_ns)
		(void)notify_service(d, "WATCHDOG=1");
	else /* a service manager that never hears it would end us */
		d->ready_said = notify_service(d, READY "\nWATCHDOG=1");
	if (!d->state.journal && !d->config_broken && !d->ending_at_ns)
		try_journal(d);
	if (!d->ending_at_ns && start_unreachable(&d->lock)) {
		log_error("daemon",
			  "the files in %s were removed: ending, for an engine "
			  "that can be reached",
			  vfk_path(PATH_RUN));
		d->exit_code = 1; /* a service is started again */
		begin_end(d);
	}
	if (d->ending_at_ns)
		next = 20 * NS_PER_MS;
	else
		check_idle(d, now);
	read_spool(d);
	loop_timer_at(d->beat, now + next);
}

/* --- control.sock --- */

static void reply(struct ctl_call *call, int rc, char *json, const struct vfk_err *err)
{
	if (rc < 0)
		ctl_call_error(call, err);
	else
		ctl_call_json(call, json, strlen(json));
	free(json);
}

static void facts_of(void *arg, struct view_status *facts)
{
	struct daemon *d = arg;

	facts->mode = d->opts->on_demand ? "on demand" : "service";
	facts->version = PACKAGE_VERSION;
	facts->pid = getpid();
	facts->started_boot_ns = d->started_ns;
	facts->journal = d->journal_word;
	facts->n_clients = server_clients(d->server);
	facts->events = d->events ? events_counts(d->events) : NULL;
	facts->n_workers = pool_workers(d->pool);
	facts->n_worker_starts = pool_started(d->pool);
}

static void on_ctl(void *arg, struct ctl_call *call, const struct ctl_request *rq)
{
	struct daemon *d = arg;
	struct view_status facts = { 0 };
	struct waiting_call *wait;
	struct vfk_err err = { 0 };
	pci_addr_t pending = PCI_NONE;
	char *json = NULL;
	int rc;

	if (!strcmp(rq->command, "ping") || !strcmp(rq->command, "give-way")) {
		ctl_call_json(call, "{}\n", 3);
		if (rq->command[0] == 'g' && d->opts->on_demand)
			begin_end(d);
		return;
	}
	facts_of(d, &facts);
	rc = engine_admin(d->engine, rq, &facts, &json, &pending, &err);
	if (rc <= 0) {
		reply(call, rc, json, &err);
		return;
	}
	wait = calloc(1, sizeof(*wait));
	if (!wait) {
		rc = engine_waited(d->engine, (enum engine_wait)rc, pending, &json, &err);
		reply(call, rc, json, &err);
		return;
	}
	wait->call = call;
	wait->wait = (enum engine_wait)rc;
	wait->pending = pending;
	wait->until_ns = clock_boot_ns() +
			 (rc == ENGINE_WAIT_LOOKS ? ADMIN_LOOKS_NS : ADMIN_WAIT_NS);
	list_push_back(&d->waiting_calls, &wait->link);
}

static void answer_calls(struct daemon *d, bool all)
{
	list_each_safe(it, &d->waiting_calls) {
		struct waiting_call *wait = list_entry(it, struct waiting_call, link);
		struct vfk_err err = { 0 };
		char *json = NULL;
		int rc;

		if (!all && engine_waits(d->engine, wait->wait, wait->pending) &&
		    clock_boot_ns() < wait->until_ns)
			continue;
		rc = engine_waited(d->engine, wait->wait, wait->pending, &json, &err);
		reply(wait->call, rc, json, &err);
		list_remove(&wait->link);
		free(wait);
	}
}

/* For whoever runs a service in the foreground. */
static void say_found(struct daemon *d)
{
	size_t n = 0;

	if (d->opts->on_demand || d->found_said || !engine_discovered_ns(d->engine))
		return;
	d->found_said = true;
	for (size_t i = 0; i < d->node.n_vfs; i++)
		n += d->node.vfs[i]->fsm.state != VF_ABSENT;
	log_notice("daemon", "ready: %zu VF%s, serving vfctl at %s", n, n == 1 ? "" : "s",
		   vfk_path(PATH_CONTROL_SOCK));
}

static void on_turn(void *arg)
{
	struct daemon *d = arg;

	alarm(WATCHDOG_S);
	engine_turn(d->engine);
	events_turn(d->events);
	say_found(d);
	answer_calls(d, false);
	if (d->web)
		d->opts->web->turn(d->web);
	if (d->ending_at_ns &&
	    (engine_quiet(d->engine) || clock_boot_ns() >= d->ending_at_ns))
		loop_stop(d->loop);
}

/* --- start and end --- */

static int open_sockets(struct daemon *d, struct vfk_err *err)
{
	struct server_events server_events = { d, on_request, on_ran, on_gone };

	d->events = events_open(d->loop, d->engine, &d->config, d->ports);
	d->spool_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (d->spool_fd >= 0 &&
	    inotify_add_watch(d->spool_fd, vfk_path(PATH_SPOOL), IN_MOVED_TO) >= 0)
		d->spool_watch = loop_fd_new(d->loop, d->spool_fd, LOOP_READ, on_spool, d);
	if (hold_loop(err) < 0)
		return -err->kind;
	/* R5: what was left in the spool comes before the first ADD. */
	engine_begin(d->engine);
	read_spool(d);
	if (server_open(&d->server, d->loop, vfk_path(PATH_CNI_SOCK), 0, &server_events,
			err) < 0)
		return -err->kind;
	return ctl_server_open(&d->ctl, d->loop, vfk_path(PATH_CONTROL_SOCK), 0, on_ctl,
			       d, err);
}

static int open_web(struct daemon *d, struct vfk_err *err)
{
	struct web_host host = {
		.arg = d, .loop = d->loop, .engine = d->engine, .facts = facts_of
	};

	if (!d->opts->web || d->config.http.family == AF_UNSPEC)
		return 0;
	return d->opts->web->open(&d->web, &d->config.http, &host, err);
}

/* Without its file, what it knows ends with the engine. */
static int open_recent_del(struct recent_del **out, struct vfk_err *err)
{
	struct vfk_err file_err = { 0 };

	if (recent_del_open(out, vfk_path(PATH_RECENT_DEL), &file_err) == 0)
		return 0;
	log_error("daemon", "%s: recent DELs are kept in memory only", file_err.msg);
	return recent_del_open(out, NULL, err);
}

static int open_engine(struct daemon *d, const char *config_error, struct vfk_err *err)
{
	struct engine_ops ops = { .ctx = d,
				  .job = op_job,
				  .job_kill = op_job_kill,
				  .wake_at = op_wake_at,
				  .answer = op_answer,
				  .run = op_run,
				  .cancel = op_cancel,
				  .told = op_told };
	struct pool_events pool_events = { d, on_job_done, on_job_lost, on_spawner_gone };
	struct engine_cfg cfg = { .config = &d->config, .ops = &ops, .node = &d->node };
	char boot_id[BOOT_ID_LEN + 1];

	d->state.node = &d->node;
	start_journal(&d->state);
	d->journal_word = journal_verdict_name(d->state.status.verdict);
	d->config_broken = config_error[0] != '\0';
	if (config_error[0])
		snprintf(d->state.broken, sizeof(d->state.broken), "%.230s", config_error);
	if (world_open(&d->world, &ops, err) < 0 ||
	    pool_new(&d->pool, d->loop, d->spawner, d->config.n_workers, &pool_events,
		     err) < 0 ||
	    open_recent_del(&cfg.recent_del, err) < 0)
		return -err->kind;
	if (clock_boot_id(boot_id) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "read the boot id");
	cfg.journal = d->state.journal;
	cfg.broken = d->state.broken;
	cfg.boot_id = boot_id;
	return engine_new(&d->engine, &cfg, err);
}

static void tell_ready(struct daemon *d, const char *error)
{
	const char *text = error ? error : "R";

	if (d->opts->ready_fd >= 0) {
		if (write(d->opts->ready_fd, text, strlen(text)) < 0)
			log_debug("daemon", "the starter has gone");
		close(d->opts->ready_fd);
	}
	if (!error)
		d->ready_said = notify_service(d, READY);
}

/* P7 needs IFLA_PARENT_DEV_NAME and SO_NETNS_COOKIE. */
static int check_kernel(struct vfk_err *err)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return 0; /* it does not say: the first step will */
	if (major > 5 || (major == 5 && minor >= 14))
		return 0;
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
			   "Linux %s is too old: 5.14 is needed", name.release);
}

static int open_all(struct daemon *d, struct vfk_err *err)
{
	struct vfk_err config_err = { 0 };
	int start_fd = d->opts->start_fd;

	if (check_kernel(err) < 0 || paths_check(err) < 0)
		return -err->kind;
	/* P10: without /run nobody could reach it; without the rest DEL is served. */
	if (paths_make(err) < 0 && access(vfk_path(PATH_RUN), W_OK) < 0)
		return -err->kind;
	*err = (struct vfk_err){ 0 };
	config_default(&d->config);
	if (config_load(&d->config, vfk_path(PATH_CONF), &config_err) < 0)
		log_error("config", "%s; DEL is served, ADD is not", config_err.msg);
	config_log(&d->config, d->opts->name, d->opts->log_level);
	if (!d->opts->on_demand && start_take_over(&start_fd, err) < 0)
		return -err->kind;
	if (start_lock(&d->lock, &d->config, LOCK_WAIT_MS, err) < 0)
		return -err->kind;
	if (open_engine(d, config_err.msg, err) < 0 || open_sockets(d, err) < 0 ||
	    open_web(d, err) < 0)
		return -err->kind;
	d->started_ns = d->called_ns = d->idle_since_ns = clock_boot_ns();
	loop_timer_at(d->beat, d->started_ns + NS_PER_S);
	tell_ready(d, NULL);
	if (start_fd >= 0)
		close(start_fd); /* R2, R3: only now may somebody else start one */
	return 0;
}

static void close_all(struct daemon *d)
{
	/* R1: listener and connections first, the lock last. */
	answer_calls(d, true);
	if (d->web)
		d->opts->web->close(VFK_STEAL(d->web));
	server_close(d->server);
	ctl_server_close(d->ctl);
	events_free(d->events);
	fd_auto(&d->ports);
	engine_free(d->engine);
	pool_free(d->pool);
	loop_fd_free(d->spool_watch);
	fd_auto(&d->spool_fd);
	world_close(&d->world);
	loop_timer_free(d->wake);
	loop_timer_free(d->beat);
	loop_free(d->loop);
	start_unlock(&d->lock);
	spawner_free(d->spawner);
}

/* Without it the ports are asked from time to time. */
static void start_ports(struct daemon *d)
{
	struct vfk_err err = { 0 };

	if (!d->opts->on_demand && port_watch_start(&d->ports, &err) < 0)
		log_warn("daemon", "%s: no verbs events", err.msg);
}

int daemon_main(const struct daemon_opts *opts)
{
	static struct daemon d; /* one engine in a process */
	struct vfk_err err = { 0 };
	int rc;

	d.opts = opts;
	d.ports = d.spool_fd = d.world.inflight_fd = d.lock.lock_fd = -1;
	list_init(&d.waiting_calls);
	signal(SIGPIPE, SIG_IGN);
	start_limits(); /* before the spawner, which hands them on to the workers */
	start_ports(&d);
	fatal_watch(opts->name);
	rc = spawner_start(&d.spawner, job_run, &err);
	if (rc == 0)
		rc = loop_new(&d.loop, &err);
	if (rc == 0) {
		d.wake = loop_timer_new(d.loop, on_wake, &d);
		d.beat = loop_timer_new(d.loop, on_beat, &d);
		if (!d.wake || !d.beat)
			rc = vfk_err_set(&err, VFK_E_NOMEM, 0, "timers");
	}
	if (rc == 0)
		rc = loop_on_signal(d.loop, SIGTERM, on_term, &d, &err);
	if (rc == 0)
		rc = loop_on_signal(d.loop, SIGINT, on_term, &d, &err);
	if (rc == 0)
		rc = loop_on_signal(d.loop, SIGHUP, on_hup, &d, &err);
	if (rc == 0)
		rc = open_all(&d, &err);
	if (rc < 0) {
		log_error("daemon", "%s: %s", opts->name, err.msg);
		tell_ready(&d, err.msg);
		/* The process ends: the kernel closes what was opened. */
		return vfk_err_exit_code(err.kind);
	}
	loop_on_turn(d.loop, on_turn, &d);
	if (loop_run(d.loop, &err) < 0) {
		log_error("daemon", "%s", err.msg);
		d.exit_code = 1;
	}
	close_all(&d);
	return d.exit_code;
}
