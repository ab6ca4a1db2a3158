/* SPDX-License-Identifier: Apache-2.0 */
/* As src/vfkeeper has it: session.c (connections), runner.c (the plugin), leave.c. */
#include "callers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pci.h"
#include "collect.h"
#include "engines.h"
#include "faults.h"
#include "fds.h"
#include "io/inflight.h"
#include "ipam.h"
#include "kernel.h"
#include "peer.h"
#include "promises.h"
#include "spooler.h"
#include "story.h"
#include "when.h"

#define MAX_CALLERS 48
#define RETRY (10 * MS)
#define LETTER (20 * US) /* frames of one connection stay in order */
#define ADD_GIVES_UP (115 * SEC)
#define DEL_GIVES_UP (8 * SEC)
#define STATUS_GIVES_UP (1 * SEC)
#define GC_GIVES_UP (60 * SEC) /* and vfctl import */

enum runner { RUNNER_IDLE, RUNNER_BUSY, RUNNER_RESULT };

struct caller {
	bool used;
	unsigned gen;
	struct call call;
	uint64_t nonce, start_ns;
	int64_t until_ns;
	uint64_t conn; /* 0: not connected */
	bool asked;    /* the request is on its way or there */
	uint8_t attempt;
	int stdin_fd, env_fd, netns_fd, netns_errno;
	enum runner runner;
	uint64_t run_id;
	unsigned run_gen; /* of the plugin that runs */
	enum run_outcome outcome;
	int status;
	bool done; /* its answer is on the way */
	int heard; /* the exit code of it */
};

struct claim claims[SIM_CLAIMS];
struct pod pods[SIM_PODS];

static struct caller callers[MAX_CALLERS];
static unsigned gens, n_claims;
static uint32_t claim_sums[SIM_CLAIMS];
static uint64_t conns, nonces;
static struct {
	int exit[2], code[2]; /* ADD, DEL */
} last[SIM_CLAIMS];

static void seek(uint64_t i, uint64_t gen);

static struct caller *caller_of(uint64_t i, uint64_t gen)
{
	struct caller *c = &callers[i];

	return c->used && c->gen == gen ? c : NULL;
}

static struct caller *by_conn(uint64_t conn)
{
	for (unsigned i = 0; i < MAX_CALLERS && conn; i++)
		if (callers[i].used && callers[i].conn == conn)
			return &callers[i];
	return NULL;
}

static const char *verb_of(const struct caller *c)
{
	switch (c->call.verb) {
	case CNI_ADD:
		return "ADD";
	case CNI_DEL:
		return "DEL";
	case CNI_GC:
		return "GC";
	case CNI_IMPORT:
		return "IMPORT";
	default:
		return "STATUS";
	}
}

static uint64_t place(const struct caller *c)
{
	return (uint64_t)(c - callers);
}

/* Frames of one direction stay in order. */
static uint64_t to_engine(const struct caller *c)
{
	return 1 + 2 * place(c);
}

static uint64_t from_engine(const struct caller *c)
{
	return 2 + 2 * place(c);
}

/* --- pods --- */

void pod_new(unsigned pod, bool same_id)
{
	struct pod *p = &pods[pod];

	if (p->ns)
		netns_remove(p->ns);
	p->ns = netns_new();
	if (!same_id || !p->container[0])
		snprintf(p->container, sizeof(p->container), "c%u-%u", pod,
			 ++p->generation);
}

/* They are looked for by what judges each step: the names are compared where this is equal. */
static uint32_t claim_sum(const char *container, const char *ifname)
{
	uint32_t sum = 0;

	for (; *container; container++)
		sum = sum * 31 + (uint8_t)*container;
	for (; *ifname; ifname++)
		sum = sum * 31 + (uint8_t)*ifname;
	return sum;
}

unsigned claim_find(const char *container, const char *ifname)
{
	uint32_t sum = claim_sum(container, ifname);

	for (unsigned i = 0; i < n_claims; i++)
		if (claim_sums[i] == sum && !strcmp(claims[i].container, container) &&
		    !strcmp(claims[i].ifname, ifname))
			return i;
	return SIM_CLAIMS;
}

unsigned claim_of(unsigned pod, unsigned att)
{
	char ifname[8];
	unsigned i;

	snprintf(ifname, sizeof(ifname), "net%u", att + 1);
	i = claim_find(pods[pod].container, ifname);
	if (i == SIM_CLAIMS) {
		if (n_claims == SIM_CLAIMS)
			return 0;
		i = n_claims++;
		claims[i] = (struct claim){ .used = true };
		snprintf(claims[i].container, sizeof(claims[i].container), "%s",
			 pods[pod].container);
		snprintf(claims[i].ifname, sizeof(claims[i].ifname), "%s", ifname);
		snprintf(claims[i].network, sizeof(claims[i].network), "n%u", att);
		claim_sums[i] = claim_sum(claims[i].container, claims[i].ifname);
		last[i].exit[0] = last[i].exit[1] = -1;
	}
	claims[i].ns = pods[pod].ns;
	claims[i].ns_cookie = spaces[pods[pod].ns].cookie;
	return i;
}

/* Draws stand in statements of their own: compilers differ in the order of arguments. */
unsigned claim_any(struct rng *r)
{
	unsigned att = rng_below(r, 2);

	return claim_of(rng_below(r, SIM_PODS), att);
}

bool claim_ns_lives(unsigned claim)
{
	const struct netns *n = &spaces[claims[claim].ns];

	return n->used && !n->dying && n->cookie == claims[claim].ns_cookie;
}

/* --- a client --- */

/* Now and then a process has to wait for its turn. */
static int64_t frame_takes(void)
{
	return when_jitter(when_jitter(64) == 40 ? 20 * MS : 30 * US);
}

static void over(struct caller *c)
{
	fds_shut_all(OWNER_CALLER(place(c)));
	c->used = false;
	if (c->call.verb == CNI_IMPORT)
		peer_heard(c->call.claim, c->heard);
}

/* Whose connection it was, by its number: what the end says comes after the client. */
static struct {
	unsigned claim;
	uint64_t add_start_ns; /* 0: not an ADD */
} ended[64];

static void hung_up(uint64_t conn, uint64_t gen)
{
	int64_t wait;

	if (gen != engine_generation() || !engine_exists())
		return;
	if (!engine_listens(&wait)) {
		when_after(wait, hung_up, conn, gen);
		return;
	}
	if (ended[conn % 64].add_start_ns)
		promise_caller_gone(ended[conn % 64].claim, ended[conn % 64].add_start_ns);
	engine_hangup(conn);
}

static void hang_up(struct caller *c)
{
	if (c->conn) {
		ended[c->conn % 64].claim = c->call.claim;
		ended[c->conn % 64].add_start_ns = c->call.verb == CNI_ADD && c->asked ?
							   c->start_ns :
							   0;
		when_channel = to_engine(c);
		when_after(when_jitter(30 * US), hung_up, c->conn, engine_generation());
	}
	c->conn = 0;
}

static void answered(struct caller *c, int exit_code)
{
	struct claim *claim = &claims[c->call.claim];

	c->heard = exit_code;
	if (c->call.verb == CNI_ADD || c->call.verb == CNI_DEL)
		last[c->call.claim].exit[c->call.verb == CNI_DEL] = exit_code;
	if (exit_code == 0 && c->call.verb == CNI_ADD && claim->added_start < c->start_ns)
		claim->added_start = c->start_ns;
	/* The plugin dies with its client. */
	ipam_kill(place(c), c->run_gen);
	over(c);
}

static void gives_up(uint64_t i, uint64_t gen)
{
	struct caller *c = caller_of(i, gen);
	const char *env, *text;
	size_t env_len, text_len;

	if (!c || c->done)
		return;
	story("caller %s %s: gives up", verb_of(c), claims[c->call.claim].container);
	if (c->call.verb == CNI_DEL) {
		env = fd_text(c->env_fd, &env_len);
		text = fd_text(c->stdin_fd, &text_len);
		spooler_leave(env, env_len, text, text_len, c->start_ns, c->call.claim);
	}
	hang_up(c);
	answered(c, 1);
}

static void send_result(struct caller *c);

static void deliver_request(uint64_t i, uint64_t conn)
{
	struct caller *c = &callers[i];
	struct frame_request rq = { 0 };
	int64_t wait;
	size_t len;

	if (!c->used || c->conn != conn)
		return;
	if (!engine_listens(&wait)) {
		when_after(wait, deliver_request, i, conn);
		return;
	}
	rq.verb = (uint8_t)c->call.verb;
	rq.dialect = c->call.verb == CNI_IMPORT ? peer_dialect(c->call.claim) :
						  DIALECT_VFKEEPER;
	rq.nonce.lo = c->nonce;
	rq.start_ns = c->start_ns;
	rq.deadline_boot_ns = c->until_ns;
	rq.netns_errno = c->netns_errno;
	rq.attempt = c->attempt;
	fd_text(c->stdin_fd, &len);
	rq.stdin_len = (uint32_t)len;
	fd_text(c->env_fd, &len);
	rq.env_len = (uint32_t)len;
	rq.has_run = c->runner == RUNNER_RESULT;
	rq.run_id = rq.has_run ? c->run_id : 0;
	c->asked = true;
	if (c->call.verb == CNI_DEL)
		claims[c->call.claim].del_read_ns = (uint64_t)when_now;
	engine_ask(conn, &rq, c->stdin_fd, c->env_fd, c->netns_fd);
	c = &callers[i];
	if (c->used && c->conn == conn && rq.has_run)
		send_result(c);
}

static void deliver_result(uint64_t i, uint64_t conn)
{
	struct caller *c = &callers[i];
	struct frame_ran ran = { 0 };
	int64_t wait;

	if (!c->used || c->conn != conn || c->runner != RUNNER_RESULT)
		return;
	if (!engine_listens(&wait)) {
		when_after(wait, deliver_result, i, conn);
		return;
	}
	ran.run_id = c->run_id;
	ran.outcome = (uint8_t)c->outcome;
	ran.status = c->status;
	ran.out_len = (uint32_t)strlen(ipam_output(i));
	engine_result(conn, &ran, ipam_output(i));
}

static void send_result(struct caller *c)
{
	when_channel = to_engine(c);
	when_after(frame_takes(), deliver_result, place(c), c->conn);
}

struct letter {
	bool used;
	uint64_t i, gen;
	int exit_code;
	struct frame_run run;
	bool stored;
	int fds[3];
};
static struct letter letters[64];

/* Whether it has to read on before it sees the end of its connection. */
static bool has_unread(const struct caller *c)
{
	for (unsigned n = 0; n < 64; n++)
		if (letters[n].used && letters[n].i == place(c) && letters[n].gen == c->gen)
			return true;
	return false;
}

static void seek(uint64_t i, uint64_t gen)
{
	struct caller *c = caller_of(i, gen);

	if (!c || c->conn || c->done || c->runner == RUNNER_BUSY)
		return;
	if (!engine_serves()) {
		if (!engine_exists())
			engine_start_on_demand();
		return; /* callers_engine_up comes back */
	}
	if (has_unread(c)) {
		when_channel = from_engine(c);
		when_after(LETTER, seek, i, gen);
		return;
	}
	c->conn = ++conns;
	c->asked = false;
	when_channel = to_engine(c);
	when_after(when_jitter(30 * US), deliver_request, i, c->conn);
}

void callers_engine_up(void)
{
	for (unsigned i = 0; i < MAX_CALLERS; i++)
		if (callers[i].used && !callers[i].conn) {
			when_channel = from_engine(&callers[i]);
			when_after(when_jitter(RETRY), seek, i, callers[i].gen);
		}
}

static void lost(struct caller *c)
{
	c->conn = 0;
	if (c->attempt < 255)
		c->attempt++;
	when_channel = from_engine(c); /* what was sent is read before the end is */
	when_after(RETRY, seek, place(c), c->gen);
}

void callers_eof(void)
{
	for (unsigned i = 0; i < MAX_CALLERS; i++)
		if (callers[i].used && callers[i].conn)
			lost(&callers[i]);
}

void callers_not_served(void)
{
	for (unsigned i = 0; i < MAX_CALLERS; i++)
		if (callers[i].used && callers[i].conn && !callers[i].asked)
			lost(&callers[i]);
}

/* --- frames of the engine: what was sent is read, whatever becomes of the sender --- */

static unsigned letter_new(const struct caller *c)
{
	for (unsigned n = 0; n < 64; n++) {
		if (letters[n].used)
			continue;
		letters[n] = (struct letter){ .used = true, .i = place(c), .gen = c->gen };
		return n;
	}
	abort();
}

static void on_answer(uint64_t n, uint64_t unused)
{
	struct letter *l = &letters[n];
	struct caller *c = caller_of(l->i, l->gen);
	int exit_code = l->exit_code;

	(void)unused;
	l->used = false;
	if (!c)
		return;
	c->conn = 0;
	answered(c, exit_code);
}

void callers_answer(uint64_t conn, int exit_code, const char *text, size_t len)
{
	struct caller *c = by_conn(conn);
	const char *code;
	unsigned n;

	if (!c)
		return;
	story("answer to %s %s: %d %.*s", verb_of(c), claims[c->call.claim].container,
	      exit_code, exit_code ? (int)len : 0, text);
	if (c->call.verb == CNI_GC)
		collect_answered(&c->call, c->start_ns, exit_code);
	if (c->call.verb == CNI_IMPORT)
		peer_answered(c->call.claim, exit_code);
	promise_answer(c->call.verb, c->call.claim, c->call.vf, c->start_ns, exit_code,
		       text, len);
	code = exit_code ? strstr(text, "\"code\":") : NULL;
	if (code && (c->call.verb == CNI_ADD || c->call.verb == CNI_DEL))
		last[c->call.claim].code[c->call.verb == CNI_DEL] = atoi(code + 7);
	n = letter_new(c);
	letters[n].exit_code = exit_code;
	/* On its way: whatever else comes over this connection comes too late. */
	c->conn = 0;
	c->done = true;
	when_channel = from_engine(c);
	when_after(LETTER, on_answer, n, 0);
}

static void plugin_ended(uint64_t i, uint64_t gen, enum run_outcome outcome, int status)
{
	struct caller *c = &callers[i];

	if (!c->used || c->run_gen != gen || c->runner != RUNNER_BUSY)
		return;
	c->outcome = outcome;
	c->status = status;
	c->runner = RUNNER_RESULT;
	if (c->conn)
		send_result(c);
	else
		seek(i, c->gen);
}

static void plugin_late(uint64_t i, uint64_t gen)
{
	struct caller *c = &callers[i];

	if (!c->used || c->run_gen != gen || c->runner != RUNNER_BUSY)
		return;
	ipam_kill(i, gen);
	plugin_ended(i, gen, RUN_TIMED_OUT, 0);
}

static void on_run(uint64_t n, uint64_t unused)
{
	struct letter *l = &letters[n];
	struct caller *c = caller_of(l->i, l->gen);
	size_t len = 0;

	(void)unused;
	l->used = false;
	if (!c)
		return;
	if (c->runner == RUNNER_BUSY) {
		broken("R8", "a client is told to run a plugin while one runs");
		return;
	}
	c->run_id = l->run.run_id;
	c->run_gen = ++gens;
	c->runner = RUNNER_BUSY;
	if (l->run.verb == CNI_ADD || l->run.verb == CNI_DEL)
		promise_runs(c->run_id, c->call.claim, l->run.verb == CNI_DEL,
			     fd_text(l->stored ? l->fds[1] : c->stdin_fd, &len));
	when_after(l->run.deadline_ms * MS, plugin_late, l->i, c->run_gen);
	if (l->run.verb == CNI_GC) /* without a list a plugin takes nothing for valid */
		ipam_start_gc(l->i, c->run_gen, c->call.claim,
			      collect_named(
				      fd_text(l->stored ? l->fds[1] : c->stdin_fd, &len)),
			      c->start_ns, plugin_ended);
	else
		ipam_start(l->i, c->run_gen, l->run.verb, c->run_id, c->call.claim,
			   plugin_ended);
}

void callers_run(uint64_t conn, const struct frame_run *run, const int *fds, unsigned n_fds)
{
	struct caller *c = by_conn(conn);
	struct letter *l;
	unsigned n;

	if (!c)
		return;
	promise_run(c->call.claim, c->nonce, run, fds, n_fds);
	n = letter_new(c);
	l = &letters[n];
	l->run = *run;
	l->stored = run->flags & RUN_STORED;
	/* It keeps the byte to its end. */
	for (unsigned i = 0; i < n_fds && i < 3; i++)
		l->fds[i] = fd_pass(fds[i], OWNER_CALLER(place(c)));
	when_channel = from_engine(c);
	when_after(LETTER, on_run, n, 0);
}

static void on_cancel(uint64_t n, uint64_t unused)
{
	struct letter *l = &letters[n];
	struct caller *c = caller_of(l->i, l->gen);

	(void)unused;
	l->used = false;
	if (!c || c->runner != RUNNER_BUSY)
		return;
	ipam_kill(l->i, c->run_gen);
	plugin_ended(l->i, c->run_gen, RUN_CANCELLED, 0);
}

void callers_cancel(uint64_t conn)
{
	struct caller *c = by_conn(conn);

	if (!c)
		return;
	when_channel = from_engine(c);
	when_after(LETTER, on_cancel, letter_new(c), 0);
}

/* --- what a runtime does --- */

static const char *const settings_text[] = {
	"",
	",\"mtu\":1400",
	",\"vlan\":7,\"mac\":\"02:aa:00:00:00:01\"",
	",\"vlan\":9,\"spoofchk\":\"off\",\"trust\":\"on\"",
	",\"runtimeConfig\":{\"infinibandGUID\":\"02:11:22:33:44:55:66:77\"}",
	",\"rdmaIsolation\":true",
	",\"rdmaIsolation\":true,\"runtimeConfig\":{\"infinibandGUID\":\"02:11:22:33:44:55:66:88\"}",
	",\"promisc\":true,\"allmulti\":true,\"mtu\":1300",
};

unsigned callers_n_settings(void)
{
	return sizeof(settings_text) / sizeof(settings_text[0]);
}

static void make_texts(struct caller *c)
{
	const struct claim *claim = &claims[c->call.claim];
	char env[300], text[5000], list[4000], addr[PCI_STRLEN];
	bool gc = c->call.verb == CNI_GC;
	int n;

	n = snprintf(env, sizeof(env),
		     "CNI_COMMAND=%s%cCNI_CONTAINERID=%s%cCNI_NETNS=%s%cCNI_IFNAME=%s%c"
		     "CNI_PATH=/usr/bin%c",
		     c->call.verb == CNI_IMPORT ? "ADD" : verb_of(c), 0,
		     gc ? "" : claim->container, 0, c->call.netns ? "/run/netns/x" : "",
		     0, gc ? "" : claim->ifname, 0, 0);
	c->env_fd = fd_bytes(OWNER_CALLER(place(c)), env, (size_t)n);
	if (c->call.verb == CNI_IMPORT) {
		c->stdin_fd = fd_bytes(OWNER_CALLER(place(c)), peer_file(c->call.claim),
				       strlen(peer_file(c->call.claim)));
		return;
	}
	pci_format(vfs[c->call.vf].addr, addr);
	collect_list(list, sizeof(list), &c->call);
	n = snprintf(text, sizeof(text),
		     "{\"cniVersion\":\"1.1.0\",\"name\":\"%s\",\"type\":\"vfkeeper\","
		     "\"deviceID\":\"%s\"%s%s%s%s}",
		     claim->network, addr, settings_text[c->call.settings], c->call.members,
		     list, c->call.ipam ? ",\"ipam\":{\"type\":\"host-local\"}" : "");
	c->stdin_fd = fd_bytes(OWNER_CALLER(place(c)), text, (size_t)n);
}

static void open_netns(struct caller *c)
{
	const struct claim *claim = &claims[c->call.claim];
	const struct netns *n = &spaces[claim->ns];

	c->netns_fd = -1;
	c->netns_errno = 0;
	if (!c->call.netns) {
		c->netns_errno = -1;
		return;
	}
	if (c->call.in_ns && spaces[c->call.in_ns].path) {
		c->netns_fd = fd_netns(OWNER_CALLER(place(c)), c->call.in_ns);
		return;
	}
	if (!claim->ns || n->cookie != claim->ns_cookie || !n->path) {
		c->netns_errno = ENOENT;
		return;
	}
	c->netns_fd = fd_netns(OWNER_CALLER(place(c)), claim->ns);
}

int64_t caller_patience(enum cni_verb verb)
{
	if (verb == CNI_STATUS)
		return STATUS_GIVES_UP;
	if (verb == CNI_GC || verb == CNI_IMPORT)
		return GC_GIVES_UP;
	return verb == CNI_ADD ? ADD_GIVES_UP : DEL_GIVES_UP - DEL_GIVES_UP / 8;
}

/* No two begin at once: so it is known which of them an attachment is of. */
static uint64_t start_of(const struct call *call)
{
	uint64_t start = (uint64_t)(when_now - call->born_before_ns);

	for (unsigned i = 0; i < MAX_CALLERS; i++)
		if (callers[i].used && callers[i].start_ns == start) {
			start++;
			i = 0;
		}
	return start;
}

bool caller_start(const struct call *call)
{
	struct caller *c = NULL;
	struct claim *claim = &claims[call->claim];

	for (unsigned i = 0; !c && i < MAX_CALLERS; i++)
		if (!callers[i].used)
			c = &callers[i];
	if (!c)
		return false;
	*c = (struct caller){ .used = true,
			      .gen = ++gens,
			      .call = *call,
			      .nonce = ++nonces,
			      .heard = 1,
			      .start_ns = start_of(call) };
	c->until_ns = (int64_t)c->start_ns + caller_patience(call->verb);
	if (c->until_ns < when_now + SEC)
		c->until_ns = when_now + SEC;
	open_netns(c);
	make_texts(c);
	story("caller: %s %s %s%s%s%s%s", verb_of(c), claim->container, claim->ifname,
	      call->verb == CNI_ADD ? " vf" : "",
	      call->verb == CNI_ADD ? (const char[][2]){ "0", "1", "2", "3" }[call->vf % 4] :
				      "",
	      call->ipam ? ", with IPAM" : "",
	      c->netns_fd < 0 ? ", without its netns" : "");
	if (call->verb == CNI_ADD || call->verb == CNI_DEL) {
		last[call->claim].exit[call->verb == CNI_DEL] = -1;
		last[call->claim].code[call->verb == CNI_DEL] = 0;
	}
	if (call->verb == CNI_ADD) {
		claim->asked = true;
		claim->add_start = c->start_ns;
	}
	if (call->verb == CNI_GC)
		collect_begins(&c->call, c->start_ns);
	if (call->verb == CNI_DEL && claim->last_del_start < c->start_ns)
		claim->last_del_start = c->start_ns;
	if (call->verb == CNI_IMPORT)
		claim->import_start = c->start_ns;
	when_after(c->until_ns - when_now, gives_up, place(c), c->gen);
	when_after(when_jitter(20 * US), seek, place(c), c->gen);
	return true;
}

static void killed(struct caller *c)
{
	story("caller %s %s: is killed", verb_of(c), claims[c->call.claim].container);
	ipam_kill(place(c), c->run_gen);
	hang_up(c);
	over(c);
}

void caller_kill_any(unsigned nth)
{
	unsigned n = callers_running();

	if (!n)
		return;
	nth %= n;
	for (unsigned i = 0; i < MAX_CALLERS; i++)
		if (callers[i].used && !nth--) {
			killed(&callers[i]);
			return;
		}
}

unsigned callers_running(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAX_CALLERS; i++)
		n += callers[i].used;
	return n;
}

uint64_t callers_hash(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < MAX_CALLERS; i++) {
		const struct caller *c = &callers[i];

		if (c->used)
			sum = rng_mix(sum ^
				      (i << 16 | (c->conn != 0) << 8 | c->asked << 9 |
				       c->done << 10 | (unsigned)c->runner << 11 |
				       (unsigned)c->outcome << 13) ^
				      (uint64_t)(c->attempt > 0) << 32);
	}
	for (unsigned i = 0; i < n_claims; i++)
		sum = rng_mix(sum + (uint64_t)(last[i].exit[0] + 2) * 16 +
			      (uint64_t)(last[i].exit[1] + 2));
	return sum;
}

unsigned callers_connected(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAX_CALLERS; i++)
		n += callers[i].used && callers[i].conn;
	return n;
}

int caller_last_exit(unsigned claim, enum cni_verb verb)
{
	return last[claim].exit[verb == CNI_DEL];
}

int caller_last_code(unsigned claim, enum cni_verb verb)
{
	return last[claim].code[verb == CNI_DEL];
}

void callers_boot(void)
{
	for (unsigned i = 0; i < MAX_CALLERS; i++)
		if (callers[i].used)
			over(&callers[i]);
	memset(letters, 0, sizeof(letters));
	for (unsigned i = 0; i < SIM_PODS; i++)
		pods[i].ns = 0;
}

void callers_reset(void)
{
	memset(callers, 0, sizeof(callers));
	memset(letters, 0, sizeof(letters));
	memset(claims, 0, sizeof(claims));
	memset(pods, 0, sizeof(pods));
	n_claims = gens = 0;
	conns = nonces = 0;
	for (unsigned i = 0; i < SIM_PODS; i++)
		pod_new(i, false);
}
