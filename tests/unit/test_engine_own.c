/* SPDX-License-Identifier: Apache-2.0 */
/* IPAM of our own in the engine: an address lives and dies with the record of its VF. */
#include "engine_world.h"

#define CONF(vf, subnet)                                                                      \
	"{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\",\"deviceID\":\"" vf \
	"\",\"ipam\":{\"type\":\"vfkeeper\",\"subnet\":\"" subnet "\"}}"
#define VF0 "0000:3b:00.1"
#define VF1 "0000:3b:00.2"
#define VF2 "0000:3b:00.3"

/* The address in the result. */
static const char *address(const struct ew_client *c)
{
	static char text[2][64];
	static unsigned turn;
	const char *at = c->text ? strstr(c->text, "\"address\":\"") : NULL;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%.*s",
		 at ? (int)strcspn(at + 11, "\"") : 0, at ? at + 11 : "");
	return text[turn];
}

static void gives_and_takes_back(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *a, *b;
	char first[64];

	a = EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/30"));
	EW_OK(a);
	SUITE_STR(address(a), "10.1.0.2/30"); /* the only one: .1 is the gateway */
	snprintf(first, sizeof(first), "%s", address(a));
	SUITE_INT(a->n_runs, 0); /* no process */
	SUITE_INT(ew_vf(w, 0)->rec.n_own, 1);
	b = EW_ADD(w, .container = "b", .text = CONF(VF1, "10.1.0.0/30"));
	EW_FAILED(b, "\"code\":11,\"msg\":\"no address is free in 10.1.0.1 to 10.1.0.2: all are "
		     "held by attachments of this node (vfctl list)\"");
	SUITE_STR(ew_state(w, 1), "FREE");
	EW_OK(EW_DEL(w, .container = "a", .text = CONF(VF0, "10.1.0.0/30")));
	SUITE_INT(ew_vf(w, 0)->rec.n_own, 0);
	b = EW_ADD(w, .container = "b", .text = CONF(VF1, "10.1.0.0/30"));
	EW_OK(b);
	SUITE_STR(address(b), first);
	ew_free(w);
}

static void survives_the_engine(void)
{
	struct ew *w = ew_new(3);
	struct ew_client *c;
	char first[64];

	c = EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/29"));
	EW_OK(c);
	snprintf(first, sizeof(first), "%s", address(c));
	ew_die(w);
	ew_start(w);
	SUITE_INT(ew_vf(w, 0)->rec.n_own, 1);
	/* All that are left, and none twice. */
	for (unsigned i = 1; i < 3; i++) {
		c = EW_ADD(w, .container = i == 1 ? "b" : "c",
			   .text = i == 1 ? CONF(VF1, "10.1.0.0/29") :
					    CONF(VF2, "10.1.0.0/29"));
		EW_OK(c);
		CU_ASSERT(strcmp(address(c), first) != 0);
	}
	CU_ASSERT(memcmp(&ew_vf(w, 1)->rec.own[0], &ew_vf(w, 2)->rec.own[0],
			 sizeof(struct rec_addr)) != 0);
	ew_free(w);
}

/* The record with the address is written, then the engine dies: the client that comes back
 * gets what is on record then. */
static void goes_on_behind_a_dead_engine(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;
	char on_record[64];

	w->hold_jobs = true;
	EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/24"), .nonce = 9);
	SUITE_STR(ew_state(w, 0), "RESERVED");
	SUITE_INT(ew_vf(w, 0)->rec.n_own, 1);
	ew_die(w);
	w->hold_jobs = false;
	ew_start(w);
	c = EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/24"), .nonce = 9);
	ew_pass(w, NS_PER_S);
	EW_OK(c);
	SUITE_INT(ew_vf(w, 0)->rec.n_own, 1);
	snprintf(on_record, sizeof(on_record), "10.1.0.%u/24",
		 ew_vf(w, 0)->rec.own[0].addr[3]);
	SUITE_STR(address(c), on_record);
	ew_free(w);
}

static void held_until_the_vf_is_free(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	EW_OK(EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/30")));
	w->fail_steps = STEP_BIT(LINK_HOME);
	EW_DEL(w, .container = "a", .text = CONF(VF0, "10.1.0.0/30"));
	for (unsigned i = 0; i < 20 && strcmp(ew_state(w, 0), "FAULTED") != 0; i++)
		ew_pass(w, 61 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	SUITE_INT(ew_vf(w, 0)->rec.n_own, 1);
	c = EW_ADD(w, .container = "b", .text = CONF(VF1, "10.1.0.0/30"));
	EW_FAILED(c, "no address is free");
	w->fail_steps = 0;
	ew_pass(w, 61 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	EW_OK(EW_ADD(w, .container = "b", .text = CONF(VF1, "10.1.0.0/30")));
	ew_free(w);
}

static void refused_by_the_disk(void)
{
	struct ew *w = ew_new(1);

	w->disk.fail_at = w->disk.n_ops + 1;
	w->disk.fail_count = 1000;
	w->disk.fail_errno = ENOSPC;
	EW_FAILED(EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/24")),
		  "no ADD is served");
	SUITE_INT(ew_vf(w, 0)->rec.n_own, 0);
	ew_free(w);
}

static void a_reboot_frees_all(void)
{
	struct ew *w = ew_new(1);

	EW_OK(EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/30")));
	ew_die(w);
	w->boot_id[0] = '9';
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_INT(ew_vf(w, 0)->rec.n_own, 0);
	EW_OK(EW_ADD(w, .container = "b", .text = CONF(VF0, "10.1.0.0/30")));
	ew_free(w);
}

/* The second of two VFs is in a namespace that nobody has a record of. */
static struct ew *somebody_is_unknown(void)
{
	struct ew *w = ew_new(2);

	w->foreign_vf = 2;
	w->incarnation = 2;
	discover_start(w->e);
	ew_settle(w);
	SUITE_STR(ew_state(w, 1), "FAULTED");
	return w;
}

static void nothing_while_somebody_is_unknown(void)
{
	struct ew *w = somebody_is_unknown();
	struct ew_client *c;

	EW_OK(EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/24")));
	EW_OK(EW_DEL(w, .container = "a"));
	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	ew_tell(w, WHERE_UNKNOWN, false);
	c = EW_ADD(w, .container = "b", .text = CONF(VF0, "10.1.0.0/24"));
	ew_pass(w, NS_PER_S);
	EW_FAILED(c,
		  "\"code\":11,\"msg\":\"records may be missing, and VF 0000:3b:00.2 is in a "
		  "namespace that nobody has a record of: its addresses cannot be seen\"");
	ew_free(w);
}

static void unknown_users_keep_theirs(void)
{
	struct ew *w = somebody_is_unknown();
	struct ew_client *c;

	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	w->n_addrs = 1 + 2;
	w->addrs[0] = (struct drv_addr){ AF_INET, { 10, 1, 0, 2 } };
	w->addrs[1] = (struct drv_addr){ AF_INET6, { 0xfd } };
	ew_tell(w, WHERE_ELSEWHERE, true);
	ew_trace_clear(w);
	c = EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/30"));
	ew_pass(w, NS_PER_S);
	EW_FAILED(c, "no address is free in 10.1.0.1 to 10.1.0.2");
	CU_ASSERT(!strncmp(w->trace.data, "job OBSERVE;answer 1;", 21));
	/* One look is enough. */
	c = EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0/29"));
	EW_OK(c);
	CU_ASSERT_PTR_NOT_NULL(strstr(c->text, "10.1.0."));
	CU_ASSERT_PTR_NULL(strstr(c->text, "\"10.1.0.2/"));
	EW_OK(EW_DEL(w, .container = "a"));
	/* The link comes home: its address is free. */
	w->told = false;
	w->foreign_vf = 0;
	discover_start(w->e);
	ew_settle(w);
	SUITE_STR(ew_state(w, 1), "FREE");
	EW_OK(EW_ADD(w, .container = "b", .text = CONF(VF0, "10.1.0.0/30")));
	ew_free(w);
}

static void bad_ranges_touch_nothing(void)
{
	struct ew *w = ew_new(1);

	EW_FAILED(EW_ADD(w, .container = "a", .text = CONF(VF0, "10.1.0.0")),
		  "\"code\":7,\"msg\":\"configuration: ipam.subnet \\\"10.1.0.0\\\" is not a subnet "
		  "like 10.1.0.0/16\"");
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

VFK_SUITE(engine_own,
	  { "an address is given with the VF and free with it", gives_and_takes_back },
	  { "no address is given twice across engines", survives_the_engine },
	  { "an ADD whose engine died has the address that is on record",
	    goes_on_behind_a_dead_engine },
	  { "an address is held until the VF is FREE", held_until_the_vf_is_free },
	  { "P1: no record, no address", refused_by_the_disk },
	  { "R13: a reboot frees all addresses", a_reboot_frees_all },
	  { "P10: after damage nothing is given while a VF is nobody knows where",
	    nothing_while_somebody_is_unknown },
	  { "P10: after damage the addresses on links in pods are taken back first",
	    unknown_users_keep_theirs },
	  { "ranges that cannot be read are refused before anything",
	    bad_ranges_touch_nothing })
