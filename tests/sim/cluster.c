/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster in simulated time.  On each node: the real engine with IPAM of our own and the
 * node's slice, 8 pods of 5 VFs that call one ADD after the other, a kernel that moves one link
 * at a time.  Beside it a model of IPAM with one lease for the whole cluster (cluster_lease.c),
 * with the same pods.
 *
 *   cluster [-s SEED] [NODES...]       default: 1 10 30
 *
 * Prints a table and PASS or FAIL lines: what a node's calls wait for is the same whatever
 * others there are, and no address is given twice in the cluster.  A seed is one history. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine_world.h"

#include "cluster.h"
#include "rng.h"

#define SLICES 300 /* of the range, whatever the size of the cluster */
#define ADDRS (PODS * VFS_OF_A_POD)
#define BEGIN_NS (1000 * NS_PER_S)
#define DOWN_NS (BEGIN_NS + 600 * NS_PER_S) /* when the pods end */

enum what { POD_CALLS, JOB_ENDS, ENGINE_WAKES };

struct pod {
	unsigned n_up, n_down;	/* attachments */
	struct ew_client *call; /* under way */
	int64_t began_ns;
};

struct member {
	struct ew *w;
	struct rng rng;
	int64_t moving_until_ns; /* the kernel moves one link at a time */
	int64_t wakes_ns;	 /* 0: not put down */
	struct pod pods[PODS];
	unsigned n_free; /* VFs at the end */
	uint64_t digest; /* of all its waits, in their order */
};

struct cluster {
	unsigned n;
	bool same_slice; /* a deliberate fault: each node has the first one */
	struct agenda agenda;
	struct member *members;
	struct waits add, del;
	unsigned n_failed;
	addr_num *given; /* all that were there at one time */
	size_t n_given;
};

/* Whose turn it is, for what its engine calls. */
static struct cluster *now_in;
static unsigned now_at;

static int64_t between(struct rng *r, int64_t from_ns, int64_t to_ns)
{
	return from_ns + (int64_t)(rng_next(r) % (uint64_t)(to_ns - from_ns + 1));
}

/* --- what the engine calls --- */

/* A move takes 16 to 18 ms of a lock that the kernel has once; another job, little. */
static int64_t job_end_ns(struct member *m, const struct job_req *rq)
{
	int64_t now = m->w->now_ns;

	if (rq->kind != JOB_STEPS ||
	    !(rq->steps & (STEP_BIT(LINK_TO_POD) | STEP_BIT(LINK_HOME))))
		return now + between(&m->rng, NS_PER_MS / 5, 2 * NS_PER_MS);
	if (m->moving_until_ns < now)
		m->moving_until_ns = now;
	m->moving_until_ns += between(&m->rng, 16 * NS_PER_MS, 18 * NS_PER_MS);
	return m->moving_until_ns;
}

static int begin_job(void *ctx, const struct job_req *rq, size_t len, const int *fds,
		     unsigned n_fds, struct vfk_err *err)
{
	agenda_put(&now_in->agenda, job_end_ns(&now_in->members[now_at], rq), now_at,
		   JOB_ENDS, rq->id);
	return ew_job(ctx, rq, len, fds, n_fds, err);
}

static void wake_at(void *ctx, int64_t at_ns)
{
	struct member *m = &now_in->members[now_at];

	(void)ctx;
	if (m->wakes_ns && m->wakes_ns <= at_ns)
		return;
	m->wakes_ns = at_ns;
	agenda_put(&now_in->agenda, at_ns, now_at, ENGINE_WAKES, 0);
}

/* --- pods --- */

static void ask(struct cluster *c, unsigned i, unsigned p)
{
	struct member *m = &c->members[i];
	struct pod *pod = &m->pods[p];
	bool up = pod->n_up < VFS_OF_A_POD;
	unsigned k = up ? pod->n_up : pod->n_down;
	char conf[500], container[32], ifname[16], vf[PCI_STRLEN];

	snprintf(container, sizeof(container), "n%u-p%u", i, p);
	snprintf(ifname, sizeof(ifname), "net%u", k + 1);
	snprintf(conf, sizeof(conf),
		 "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\","
		 "\"deviceID\":\"%s\",\"ipam\":{\"type\":\"vfkeeper\",\"subnet\":\"10.0.0.0/16\","
		 "\"nodeSlice\":{\"count\":%d}}}",
		 pci_format(EW_VF(p * VFS_OF_A_POD + k), vf), SLICES);
	pod->began_ns = m->w->now_ns;
	pod->call = ew_ask(m->w, (struct ew_call){ .verb = up ? CNI_ADD : CNI_DEL,
						   .container = container,
						   .ifname = ifname,
						   .text = conf });
}

static void answered(struct cluster *c, unsigned i, unsigned p)
{
	struct member *m = &c->members[i];
	struct pod *pod = &m->pods[p];
	int64_t now = m->w->now_ns, wait = now - pod->began_ns;
	int64_t pause = between(&m->rng, NS_PER_MS, 5 * NS_PER_MS); /* the runtime's own */
	bool up = pod->n_up < VFS_OF_A_POD;

	c->n_failed += pod->call->exit_code != 0;
	m->digest = rng_mix(m->digest ^ (uint64_t)wait);
	waits_add(up ? &c->add : &c->del, wait, now);
	free(pod->call->text);
	memset(pod->call, 0, sizeof(*pod->call));
	pod->call = NULL;
	if (!up)
		pod->n_down++;
	else if (++pod->n_up == VFS_OF_A_POD)
		pause = DOWN_NS + pod_begins_ns(1, i, p) - now;
	if (pod->n_down < VFS_OF_A_POD)
		agenda_put(&c->agenda, now + pause, i, POD_CALLS, p);
}

/* --- the cluster --- */

static void member_begin(struct cluster *c, unsigned i, uint64_t seed)
{
	struct member *m = &c->members[i];

	m->w = ew_new(ADDRS);
	m->rng.state = rng_mix(seed) ^ rng_mix(i + 1);
	m->w->config.node_slice = m->w->e->config.node_slice = c->same_slice ? 0 : i;
	m->w->hold_jobs = m->w->hold_sync = m->w->hold_ipam = true;
	m->w->e->ops.job = begin_job;
	m->w->e->ops.wake_at = wake_at;
	m->w->now_ns = BEGIN_NS;
	for (unsigned p = 0; p < PODS; p++)
		agenda_put(&c->agenda, m->w->now_ns + pod_begins_ns(seed, i, p), i,
			   POD_CALLS, p);
}

static void happen(struct cluster *c, const struct entry *e)
{
	struct member *m = &c->members[e->node];
	struct ew *w = m->w;

	now_at = e->node;
	if (w->now_ns < e->at_ns)
		w->now_ns = e->at_ns;
	switch ((enum what)e->what) {
	case POD_CALLS:
		ask(c, e->node, (unsigned)e->arg);
		break;
	case JOB_ENDS:
		for (unsigned k = 0; k < w->n_jobs; k++)
			if (w->jobs[k].rq->id == e->arg) {
				ew_job_end(w, k);
				break;
			}
		break;
	case ENGINE_WAKES:
		m->wakes_ns = 0;
		engine_turn(w->e);
		break;
	}
	for (unsigned p = 0; p < PODS; p++)
		if (m->pods[p].call && m->pods[p].call->answered)
			answered(c, e->node, p);
}

static int compare(const void *a, const void *b)
{
	addr_num left = *(const addr_num *)a, right = *(const addr_num *)b;

	return (left > right) - (left < right);
}

/* What all nodes have on record now. */
static void take_stock(struct cluster *c)
{
	c->given = calloc((size_t)c->n * ADDRS, sizeof(*c->given));
	if (!c->given)
		abort();
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned v = 0; v < ADDRS; v++) {
			const struct rec_vf *rec = &ew_vf(c->members[i].w, v)->rec;

			if (rec->n_own == 1)
				c->given[c->n_given++] = addr_to_num(rec->own[0].family,
								     rec->own[0].addr);
		}
	qsort(c->given, c->n_given, sizeof(*c->given), compare);
}

static size_t given_twice(const struct cluster *c)
{
	size_t n = 0;

	for (size_t i = 1; i < c->n_given; i++)
		n += c->given[i] == c->given[i - 1];
	return n;
}

static void cluster_play(struct cluster *c, unsigned n, uint64_t seed)
{
	struct entry e;

	c->n = n;
	c->members = calloc(n, sizeof(*c->members));
	if (!c->members)
		abort();
	now_in = c;
	for (unsigned i = 0; i < n; i++)
		member_begin(c, i, seed);
	while (agenda_next(&c->agenda, &e)) {
		if (!c->given && e.at_ns >= DOWN_NS)
			take_stock(c);
		happen(c, &e);
		if (c->del.n == (size_t)n * ADDRS)
			break; /* engines look again at their VFs for ever */
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned v = 0; v < ADDRS; v++)
			c->members[i].n_free += !strcmp(ew_state(c->members[i].w, v),
							"FREE") &&
						!ew_vf(c->members[i].w, v)->rec.n_own;
}

static void cluster_free(struct cluster *c)
{
	for (unsigned i = 0; i < c->n; i++)
		ew_free(c->members[i].w);
	free(c->members);
	free(c->given);
	agenda_free(&c->agenda);
	waits_free(&c->add);
	waits_free(&c->del);
}

/* --- what is said --- */

static unsigned n_bad;

static void verdict(bool good, const char *sentence, unsigned n)
{
	n_bad += !good;
	printf("%s: cluster: %s (nodes: %u)\n", good ? "PASS" : "FAIL", sentence, n);
}

static void row(struct cluster *c, struct lease_figures *l)
{
	char up[32] = "never";

	if (l->all_up_ns)
		snprintf(up, sizeof(up), "%.0f", (double)l->all_up_ns / (double)NS_PER_S);
	printf("    %5u %5u | %5.3f %5.3f %5.3f %5.2f | %5.3f %5.3f | %6.2f %6.2f %6.2f %5s "
	       "%6u\n",
	       c->n, c->n * PODS, waits_mean_s(&c->add), waits_s(&c->add, 99),
	       waits_s(&c->add, 100),
	       (double)(c->add.last_end_ns - BEGIN_NS) / (double)NS_PER_S,
	       waits_mean_s(&c->del), waits_s(&c->del, 100), waits_mean_s(&l->add),
	       waits_s(&l->add, 99), waits_s(&l->add, 100), up, l->n_timeouts);
	fflush(stdout);
}

static void judge(const struct cluster *c, const struct cluster *least)
{
	unsigned same = 0, clean = 0;

	for (unsigned i = 0; i < c->n; i++)
		clean += c->members[i].n_free == ADDRS;
	for (unsigned i = 0; i < least->n; i++)
		same += c->members[i].digest == least->members[i].digest;
	verdict(c->add.n == (size_t)c->n * ADDRS && !c->n_failed, "every call succeeds",
		c->n);
	verdict(c->n_given == (size_t)c->n * ADDRS && !given_twice(c),
		"each attachment has an address, and none is there twice", c->n);
	verdict(clean == c->n, "in the end each VF is FREE and holds no address", c->n);
	if (c != least)
		verdict(same == least->n,
			"calls wait to the nanosecond as long as in the smallest cluster",
			c->n);
}

/* The eyes are open: nodes that have the same slice give addresses twice. */
static void control(uint64_t seed)
{
	struct cluster c = { .same_slice = true };

	cluster_play(&c, 2, seed);
	verdict(given_twice(&c) > 0,
		"with one slice for both, addresses given twice are seen", 2);
	cluster_free(&c);
}

int main(int argc, char **argv)
{
	static char *usual[] = { "1", "10", "30" };
	struct rlimit files = { 0 };
	struct cluster least = { 0 };
	uint64_t seed = 1;
	double first_mean = 0, last_mean = 0;
	char **sizes = usual;
	int n_sizes = 3, opt;

	while ((opt = getopt(argc, argv, "s:")) != -1) {
		if (opt != 's') {
			fputs("usage: cluster [-s SEED] [NODES...]\n", stderr);
			return 2;
		}
		seed = strtoull(optarg, NULL, 10);
	}
	if (optind < argc) {
		sizes = argv + optind;
		n_sizes = argc - optind;
	}
	/* Each call under way has a few descriptors. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	printf("    seconds; %d pods of %d VFs on each node; seed %" PRIu64 "\n"
	       "                | vfkeeper: ADD           | DEL         | one lease: ADD\n"
	       "    nodes  pods |  mean   p99   max   all |  mean   max |   mean    p99    max"
	       "   all  fails\n",
	       PODS, VFS_OF_A_POD, seed);
	for (int i = 0; i < n_sizes; i++) {
		unsigned n = (unsigned)strtoul(sizes[i], NULL, 10);
		struct cluster c = { 0 };
		struct lease_figures lease;

		if (n < 1 || n > SLICES) {
			fprintf(stderr, "cluster: 1 to %d nodes\n", SLICES);
			return 2;
		}
		cluster_play(&c, n, seed);
		lease_cluster(n, seed, &lease);
		row(&c, &lease);
		judge(&c, least.n ? &least : &c);
		last_mean = waits_mean_s(&lease.add);
		first_mean = first_mean != 0 ? first_mean : last_mean;
		waits_free(&lease.add);
		if (least.n)
			cluster_free(&c);
		else
			least = c;
	}
	if (n_sizes > 1)
		verdict(last_mean > 2 * first_mean,
			"with one lease for all, a wait is seen that grows with the cluster",
			(unsigned)strtoul(sizes[n_sizes - 1], NULL, 10));
	control(seed);
	cluster_free(&least);
	return n_bad ? 1 : 0;
}
