/* SPDX-License-Identifier: Apache-2.0 */
/* P4: a GUID that a pod was given becomes nobody's baseline, also not when the PF's driver sets
 * it again on a VF that went and came back. */
#include <string.h>

#include "engine/baseline.h"
#include "engine_world.h"

#define OWN UINT64_C(0x1100000000000001)
#define POD UINT64_C(0x0200000000000001)
#define OTHER UINT64_C(0x3300000000000001)

#define GIVE                                                                             \
	"{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\","              \
	"\"deviceID\":\"0000:3b:00.%u\","                                                \
	"\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:00:00:00:01\"}}"

#define MAC_CONF(last)                                                                   \
	"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"vfkeeper\","              \
	"\"deviceID\":\"0000:3b:00.1\",\"mac\":\"02:00:00:00:00:" last "\"}"

static struct ew_client *give(struct ew *w, const char *container, unsigned vf)
{
	char text[300];

	snprintf(text, sizeof(text), GIVE, vf + 1);
	return EW_ADD(w, .container = container, .vf = vf, .text = text);
}

/* A world whose VF 0 was attached with the GUID of a pod and is not there. */
static struct ew *gone(unsigned n_vfs)
{
	struct ew *w = ew_new(n_vfs);

	w->guid = OWN;
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.set.port_guid, OWN);
	EW_OK(give(w, "c1", 0));
	w->gone_vf = 1;
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "ABSENT");
	CU_ASSERT_FALSE(ew_vf(w, 0)->rec.baseline.valid);
	return w;
}

static void comes(struct ew *w, uint64_t guid)
{
	w->gone_vf = 0;
	w->incarnation = w->n_vfs == 1 ? 2 : 1; /* each VF has the same here */
	w->guid = guid;
	ew_trace_clear(w);
	ew_look(w);
}

/* The settings were put back, and the VF is free with this GUID of its own. */
static void is_settled(struct ew *w, bool settled, uint64_t own)
{
	const struct rec_vf *rec = &ew_vf(w, 0)->rec;

	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_TRUE(rec->baseline.valid);
	SUITE_INT(rec->baseline.set.port_guid, own);
	SUITE_INT(rec->wanted.has, 0);
	SUITE_INT(strstr(w->trace.data, "job STEPS 400;") != NULL,
		  settled); /* SETTINGS_HOME */
}

static void guid_of_a_pod_is_undone(void)
{
	struct ew *w = gone(1);

	comes(w, POD);
	is_settled(w, true, OWN);
	ew_free(w);
}

static void any_other_is_its_own(void)
{
	struct ew *w = gone(1);

	comes(w, OTHER);
	is_settled(w, false, OTHER);
	ew_free(w);
}

static void next_engine_knows_it(void)
{
	struct ew *w = gone(1);

	ew_die(w);
	ew_start(w);
	comes(w, POD);
	is_settled(w, true, OWN);
	ew_free(w);
}

/* Dies when the record of its coming is written and nothing is done. */
static void next_engine_goes_on(void)
{
	struct ew *w = gone(1);

	w->gone_vf = 0;
	w->incarnation = 2;
	w->guid = POD;
	w->fail_steps = STEP_BIT(SETTINGS_HOME);
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	ew_die(w);
	w->fail_steps = 0;
	w->guid = OWN; /* when it is done */
	ew_trace_clear(w);
	ew_start(w);
	ew_pass(w, NS_PER_S);
	is_settled(w, true, OWN);
	ew_free(w);
}

static void boot_ends_it(void)
{
	struct ew *w = gone(1);

	ew_die(w);
	w->boot_id[0] = '9';
	ew_start(w);
	comes(w, POD);
	is_settled(w, false, POD);
	ew_free(w);
}

static void goes_twice(void)
{
	struct ew *w = gone(1);

	w->fail_steps = STEP_BIT(SETTINGS_HOME);
	comes(w, POD);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	w->gone_vf = 1;
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "ABSENT");
	w->fail_steps = 0;
	comes(w, POD);
	is_settled(w, true, OWN);
	ew_free(w);
}

/* Its GUID has long been given to another pod: that is no reason to leave it where it was. */
static void other_pod_has_it(void)
{
	struct ew *w = gone(2);

	EW_OK(EW_DEL(w, .container = "c1"));
	EW_OK(give(w, "c2", 1));
	comes(w, POD);
	is_settled(w, true, OWN);
	SUITE_STR(ew_state(w, 1), "ATTACHED");
	ew_free(w);
}

static void comes_without_driver(void)
{
	struct ew *w = gone(1);

	w->unbound_vf = 1;
	comes(w, POD);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	CU_ASSERT_FALSE(ew_vf(w, 0)->rec.baseline.valid);
	ew_die(w);
	ew_start(w);
	w->unbound_vf = 0;
	ew_look(w);
	is_settled(w, true, OWN);
	ew_free(w);
}

/* Its attachment had been given what it has by itself: no reason to doubt it. */
static void was_given_its_own(void)
{
	struct ew *w = ew_new(1);

	w->guid = POD;
	ew_look(w);
	EW_OK(give(w, "c1", 0));
	w->gone_vf = 1;
	ew_look(w);
	w->unbound_vf = 1;
	comes(w, POD);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	w->unbound_vf = 0;
	ew_look(w);
	is_settled(w, false, POD);
	ew_free(w);
}

/* --- by itself --- */

static struct vf_baseline infiniband(uint64_t guid)
{
	struct vf_baseline b = { .valid = true, .hwaddr_len = 20 };

	b.set.has = HAS_NODE_GUID | HAS_PORT_GUID | HAS_LINK_STATE;
	b.set.node_guid = b.set.port_guid = guid;
	for (int i = 0; i < 8; i++)
		b.hwaddr[12 + i] = (uint8_t)(guid >> (56 - 8 * i));
	return b;
}

static void link_address_goes_with_the_guid(void)
{
	struct vf_baseline before = infiniband(OWN), is = infiniband(POD);
	struct vf_settings given = { .has = HAS_PORT_GUID, .port_guid = POD };

	baseline_former(&before, &given);
	CU_ASSERT_FALSE(before.valid);
	SUITE_INT(before.set.has, HAS_PORT_GUID);
	CU_ASSERT_TRUE(baseline_mend(&is, &before, &given));
	SUITE_INT(is.set.port_guid, OWN);
	SUITE_INT(is.set.node_guid, POD); /* nobody gave that */
	CU_ASSERT_EQUAL(memcmp(is.hwaddr, infiniband(OWN).hwaddr, 20), 0);
	CU_ASSERT_FALSE(baseline_mend(&is, &before, &given));
}

static void mac_likewise(void)
{
	struct vf_baseline before = { .valid = true,
				      .set = { .has = HAS_MAC | HAS_VLAN },
				      .hwaddr_len = 6,
				      .hwaddr = { 2, 9 } };
	struct vf_settings given = { .has = HAS_MAC | HAS_VLAN, .mac = { 2, 1 } };
	struct vf_baseline is = before;

	is.set.mac[0] = is.hwaddr[0] = 2;
	is.set.mac[1] = is.hwaddr[1] = 1;
	baseline_former(&before, &given);
	SUITE_INT(given.has, HAS_MAC);
	CU_ASSERT_TRUE(baseline_mend(&is, &before, &given));
	SUITE_INT(is.set.mac[0], 0);
	SUITE_INT(is.hwaddr[1], 9);
}

static void the_name_of_an_rdma_device_is_an_operators_word(void)
{
	struct ew *w = ew_new(1);

	w->rdma = true;
	ew_look(w);
	SUITE_STR(ew_vf(w, 0)->rec.baseline.rdma_dev, "mlx5_0");
	w->rdma_renamed = true;
	ew_look(w);
	SUITE_STR(ew_vf(w, 0)->rec.baseline.rdma_dev, "other_0");
	ew_free(w);
}

static void modes_and_address_of_a_free_vf_are_an_operators_word(void)
{
	static const char conf[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"vfkeeper\","
		"\"deviceID\":\"0000:3b:00.2\",\"mac\":\"02:00:00:00:00:77\"}";
	struct ew *w = ew_new(2);
	const struct vf_baseline *base = &ew_vf(w, 0)->rec.baseline;
	struct vf_settings *set = &w->modes.set;

	w->modes = (struct vf_baseline){
		.valid = true,
		.set = { .has = HAS_PROMISC | HAS_ALLMULTI | HAS_IPOIB_MODE },
		.hwaddr_len = 6,
		.hwaddr = { 2, 0, 0, 0, 0, 1 },
	};
	ew_look(w);
	SUITE_INT(base->hwaddr[5], 1);
	set->promisc = 1;
	ew_look(w);
	SUITE_INT(base->set.promisc, 1);
	set->allmulti = 1;
	ew_look(w);
	SUITE_INT(base->set.allmulti, 1);
	set->ipoib_mode = 1;
	ew_look(w);
	SUITE_INT(base->set.ipoib_mode, 1);
	w->modes.hwaddr[5] = 2;
	ew_look(w);
	SUITE_INT(base->hwaddr[5], 2);
	EW_OK(EW_ADD(w, .container = "c1", .vf = 1, .text = conf));
	w->modes.hwaddr[5] = 0x77; /* the address of that pod */
	ew_look(w);
	SUITE_INT(base->hwaddr[5], 2);
	ew_free(w);
}

/* Comes home under another name, its RDMA device later; perhaps with another engine. */
static void late_device(bool dies)
{
	struct ew *w = ew_new(1);

	w->rdma = true;
	ew_look(w);
	w->unbound_vf = 1;
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	w->unbound_vf = 0;
	w->rdma_away = true;
	w->other_name = "eth7";
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_vf(w, 0)->rec.baseline.ifname, "vf0");
	if (dies) {
		ew_die(w);
		ew_start(w);
	}
	w->rdma_away = false;
	w->fail_steps = STEP_BIT(VERIFY);
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "DETACHING"); /* it gets its name again */
	SUITE_STR(ew_vf(w, 0)->rec.baseline.ifname, "vf0");
	ew_free(w);
}

static void waits_for_its_rdma_device(void)
{
	late_device(false);
}

static void the_next_engine_waits_for_it(void)
{
	late_device(true);
}

/* RoCE was switched off for it: what an operator does later is learned all the same. */
static void an_rdma_device_may_never_come(void)
{
	struct ew *w = ew_new(1);

	w->rdma = true;
	ew_look(w);
	w->unbound_vf = 1;
	ew_look(w);
	w->unbound_vf = 0;
	w->rdma_away = true;
	w->other_name = "eth7";
	for (int i = 0; i < 3; i++) {
		ew_look(w);
		ew_pass(w, 60 * NS_PER_S);
	}
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_vf(w, 0)->rec.baseline.rdma_dev, "");
	w->other_name = "opers";
	ew_look(w);
	SUITE_STR(ew_vf(w, 0)->rec.baseline.ifname, "opers");
	ew_free(w);
}

/* An operator gives the VF a VLAN while a pod has it that asked for none. */
static void what_is_set_beside_a_pod_is_undone(void)
{
	struct ew *w = ew_new(1);

	w->modes = (struct vf_baseline){ .valid = true, .set = { .has = HAS_VLAN } };
	ew_look(w);
	ew_attach(w, "c1", NULL);
	ew_pass(w, 31 * NS_PER_S);
	SUITE_INT(ew_vf(w, 0)->rec.touched & STEP_BIT(SETTINGS), 0);
	w->modes.set.vlan = 9;
	ew_pass(w, 31 * NS_PER_S);
	ew_trace_clear(w);
	w->hold_jobs = true;
	EW_DEL(w, .container = "c1");
	w->modes.set.vlan = 0; /* by its steps */
	w->hold_jobs = false;
	ew_settle(w);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS 400;")); /* SETTINGS_HOME */
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.set.vlan, 0);
	w->modes.set.vlan = 9; /* of a free VF it is his word */
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.set.vlan, 9);
	ew_free(w);
}

/* Of an IPoIB link: joining its partition in a pod has cut it. */
static void an_mtu_that_was_cut_is_nobodys(void)
{
	struct ew *w = ew_new(1);
	uint32_t *mtu = &w->modes.set.mtu_bytes;

	w->modes = (struct vf_baseline){ .valid = true,
					 .set = { .has = HAS_MTU | HAS_IPOIB_MODE,
						  .mtu_bytes = 4092 } };
	ew_look(w);
	ew_attach(w, "c1", NULL);
	*mtu = 2044;
	EW_DEL(w, .container = "c1");
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.set.mtu_bytes, 4092);
	ew_die(w);
	ew_start(w);
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.set.mtu_bytes, 4092);
	*mtu = 1400; /* by an operator */
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.set.mtu_bytes, 1400);
	ew_attach(w, "c2", NULL);
	EW_DEL(w, .container = "c2");
	*mtu = 1300; /* before anybody has looked */
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.set.mtu_bytes, 1300);
	w->modes.set.ipoib_mode = 1; /* nothing is cut there */
	ew_look(w);
	ew_attach(w, "c3", NULL);
	*mtu = 1200;
	EW_DEL(w, .container = "c3");
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.set.mtu_bytes, 1200);
	ew_free(w);
}

/* --- names --- */

static const char *own_name(struct ew *w, unsigned i)
{
	return ew_vf(w, i)->rec.baseline.ifname;
}

/* It is being restored; what it ends with is 'name'. */
static void is_renamed(struct ew *w, unsigned i, const char *name)
{
	SUITE_STR(ew_state(w, i), "DETACHING");
	SUITE_STR(own_name(w, i), name);
	w->names[i] = name;
	w->fail_steps = 0;
	ew_pass(w, 2 * NS_PER_S);
	ew_look(w);
	SUITE_STR(ew_state(w, i), "FREE");
	SUITE_STR(own_name(w, i), name);
	w->fail_steps = STEP_BIT(VERIFY);
}

static void the_name_of_another_is_given_back(void)
{
	struct ew *w = ew_new(2);

	ew_look(w);
	ew_attach(w, "c1", NULL); /* VF 0, whose link is away */
	w->fail_steps = STEP_BIT(VERIFY);
	w->names[1] = "vf0";
	ew_look(w);
	is_renamed(w, 1, "vf1");
	w->foreign_vf = 1; /* somebody has taken it */
	w->fail_steps = 0;
	EW_DEL(w, .container = "c1");
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	w->fail_steps = STEP_BIT(VERIFY);
	w->names[1] = "vf0";
	ew_look(w);
	is_renamed(w, 1, "vf1");
	ew_free(w);
}

/* Not only at the next look: an ADD may come before it. */
static void a_vf_that_comes_home_gets_its_name_back_at_once(void)
{
	struct ew *w = ew_new(1);

	ew_look(w);
	w->foreign_vf = 1;
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	w->foreign_vf = 0;
	w->names[0] = "net7";
	w->hold_jobs = true;
	engine_bus_changed(w->e);
	ew_pass(w, 2 * NS_PER_S);
	for (unsigned i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].rq->kind == JOB_DISCOVER)
			ew_job_end(w, i);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	SUITE_STR(own_name(w, 0), "vf0");
	w->names[0] = NULL;
	w->hold_jobs = false;
	ew_pass(w, 2 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* One look cannot tell whether an operator has exchanged two. */
static void a_list_of_all_tells(void)
{
	struct ew *w = ew_new(2);

	w->modes.valid = true;
	ew_look(w);
	EW_OK(EW_ADD(w, .container = "c1", .vf = 1));
	w->fail_steps = STEP_BIT(VERIFY);
	w->names[0] = "vf1";
	engine_vf_touched(w->e, EW_VF(0));
	ew_pass(w, 30 * NS_PER_S / 1000);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(own_name(w, 0), "vf0");
	ew_pass(w, NS_PER_S);
	is_renamed(w, 0, "vf0");
	ew_free(w);
}

static void a_new_vf_gets_another(void)
{
	struct ew *w = ew_new(2);

	w->gone_vf = 2;
	ew_look(w);
	SUITE_STR(ew_state(w, 1), "ABSENT");
	ew_attach(w, "c1", NULL);
	w->gone_vf = 0;
	w->names[1] = "vf0";
	w->fail_steps = STEP_BIT(VERIFY);
	ew_look(w);
	is_renamed(w, 1, "vfk3b02");
	ew_free(w);
}

/* Also of an operator's exchange, or of a VF that went. */
static void a_name_that_is_free_is_anybodys(void)
{
	struct ew *w = ew_new(2);

	ew_look(w);
	w->fail_steps = STEP_BIT(VERIFY);
	w->names[0] = "vf1";
	w->names[1] = "vf0";
	ew_look(w);
	SUITE_STR(own_name(w, 0), "vf1");
	SUITE_STR(own_name(w, 1), "vf0");
	w->gone_vf = 2;
	w->names[0] = "vf0";
	ew_look(w);
	SUITE_STR(own_name(w, 0), "vf0");
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* Both went and came between two looks, each with the other's name. */
static void two_that_come_anew_have_what_they_have(void)
{
	struct ew *w = ew_new(2);

	ew_look(w);
	w->fail_steps = STEP_BIT(VERIFY);
	w->incarnation = 2;
	w->names[0] = "vf1";
	w->names[1] = "vf0";
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(own_name(w, 0), "vf1");
	SUITE_STR(own_name(w, 1), "vf0");
	ew_free(w);
}

static struct ew *with_mac(uint8_t last, const char *conf)
{
	struct ew *w = ew_new(1);

	w->modes = (struct vf_baseline){ .valid = true,
					 .set = { .has = HAS_MAC },
					 .hwaddr_len = 6,
					 .hwaddr = { 2, 0, 0, 0, 0, 1 } };
	ew_look(w);
	EW_OK(EW_ADD(w, .container = "c1", .vf = 0, .text = conf));
	w->gone_vf = 1;
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "ABSENT");
	w->gone_vf = 0;
	w->incarnation = 2;
	w->modes.hwaddr[5] = last;
	return w;
}

/* A pod was given the very address that its VF has. */
static void its_own_mac_is_nobody_elses(void)
{
	struct ew *w = with_mac(1, MAC_CONF("01"));

	w->unbound_vf = 1;
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	w->unbound_vf = 0;
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* The card kept the pod's address in the VF's link, and its PF does not tell it. */
static void a_mac_that_only_the_link_keeps_is_undone(void)
{
	struct ew *w = with_mac(0x77, MAC_CONF("77"));

	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.hwaddr[5], 1);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_look(w);
	SUITE_INT(ew_vf(w, 0)->rec.baseline.hwaddr[5], 1);
	ew_free(w);
}

/* R6: an engine that could write nothing down has left a step under way. */
static void nothing_is_learnt_during_a_step(void)
{
	struct ew *w = ew_new(1);

	ew_look(w);
	ew_hold(w, inflight_vf(EW_VF(0)));
	w->guid = 0x0200000000000077;
	ew_look(w);
	CU_ASSERT_NOT_EQUAL(ew_vf(w, 0)->rec.baseline.set.port_guid, w->guid);
	CU_ASSERT_FALSE(ew_vf(w, 0)->verified);
	ew_let_go(w);
	ew_pass(w, 2 * NS_PER_S);
	CU_ASSERT_EQUAL(ew_vf(w, 0)->rec.baseline.set.port_guid, w->guid);
	CU_ASSERT_TRUE(ew_vf(w, 0)->verified);
	ew_free(w);
}

/* Somebody set the PF while the link got its name again: that is not waited for in vain. */
static void a_failed_look_has_the_pf_put_back(void)
{
	struct ew *w = ew_new(1);

	ew_look(w);
	w->other_name = "eth7";
	w->fail_steps = STEP_BIT(VERIFY);
	ew_look(w);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job STEPS 400;"));
	w->fail_steps = 0;
	ew_pass(w, 2 * NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS 400;"));
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* Also of an ADD that has not touched it: somebody else may have, meanwhile. */
static void and_the_link(void)
{
	struct ew *w = ew_new(1);

	w->guid = OWN;
	ew_look(w);
	w->fail_steps = STEP_BIT(SETTINGS) | STEP_BIT(VERIFY);
	give(w, "c1", 0);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job STEPS 3000;"));
	w->fail_steps = 0;
	ew_pass(w, 2 * NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS 3000;")); /* LINK_BASELINE */
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void without_a_driver_no_other_vf_is_bound(void)
{
	struct ew *w = ew_new(1);

	ew_look(w);
	EW_OK(EW_ADD(w, .container = "c1"));
	w->took_driver = true;
	w->fail_steps = STEP_BIT(VERIFY);
	EW_DEL(w, .container = "c1", .netns = "");
	SUITE_STR(ew_state(w, 0), "DETACHING");
	CU_ASSERT_TRUE(ew_vf(w, 0)->half_bound);
	ew_free(w);
}

/* While the PF's link is away it tells nothing of its VFs. */
static void what_is_not_told_stays(void)
{
	struct vf_baseline base = { .valid = true,
				    .set = { .has = HAS_LINK_STATE | HAS_VLAN | HAS_MTU,
					     .link_state = 2,
					     .vlan = 9 } };
	struct vf_baseline seen = { .valid = true, .set = { .has = HAS_MTU } };

	baseline_fill(&seen, &base);
	SUITE_INT(seen.set.has, base.set.has);
	SUITE_INT(seen.set.link_state, 2);
	SUITE_INT(seen.set.vlan, 9);
	CU_ASSERT_TRUE(baseline_equal(&base, &seen));
}

static void a_new_link_gets_what_it_lost(void)
{
	struct vf_baseline base = { .valid = true,
				    .set = { .has = HAS_MAC | HAS_MTU | HAS_PROMISC |
						    HAS_VLAN,
					     .mtu_bytes = 9000,
					     .promisc = 1 },
				    .ifname = "ens1v0",
				    .rdma_dev = "roce0",
				    .hwaddr_len = 6,
				    .hwaddr = { 2, 1 } };
	struct vf_baseline seen = { .valid = true,
				    .set = { .has = HAS_MAC | HAS_MTU | HAS_PROMISC |
						    HAS_VLAN,
					     .mtu_bytes = 1500,
					     .vlan = 5 },
				    .ifname = "eth7",
				    .rdma_dev = "mlx5_7",
				    .hwaddr_len = 6,
				    .hwaddr = { 2, 9 } };
	struct vf_baseline owed;

	baseline_owed(&owed, &base, &seen);
	SUITE_STR(owed.ifname, "ens1v0");
	SUITE_STR(owed.rdma_dev, "roce0");
	SUITE_INT(owed.set.mtu_bytes, 9000);
	SUITE_INT(owed.set.promisc, 1);
	SUITE_INT(owed.set.vlan, 5); /* an operator's word */
	SUITE_INT(owed.hwaddr[1], 1);
	memcpy(seen.set.mac, seen.hwaddr, 6); /* and so is this */
	baseline_owed(&owed, &base, &seen);
	SUITE_INT(owed.hwaddr[1], 9);
}

VFK_SUITE(engine_baseline,
	  { "P4: a pod's GUID that the PF sets again is undone", guid_of_a_pod_is_undone },
	  { "P4: a VF that comes back with any other GUID has it", any_other_is_its_own },
	  { "P4: so after the death of the engine", next_engine_knows_it },
	  { "P4: the next engine goes on with it", next_engine_goes_on },
	  { "P4: no card keeps a GUID over a boot", boot_ends_it },
	  { "P4: a VF that goes twice is known still", goes_twice },
	  { "P4: also where another pod has that GUID now", other_pod_has_it },
	  { "P4: also where the VF comes without a driver", comes_without_driver },
	  { "P4: unless it is the VF's own", was_given_its_own },
	  { "the address of a link goes with the GUID", link_address_goes_with_the_guid },
	  { "a MAC is treated likewise", mac_likewise },
	  { "an RDMA device that an operator renames is called so from then on",
	    the_name_of_an_rdma_device_is_an_operators_word },
	  { "modes and address that an operator gives a free VF are its baseline",
	    modes_and_address_of_a_free_vf_are_an_operators_word },
	  { "P4: an RDMA device that is late is waited for", waits_for_its_rdma_device },
	  { "P4: also by the next engine", the_next_engine_waits_for_it },
	  { "P4: but not for ever", an_rdma_device_may_never_come },
	  { "P4: what is set on the PF while a pod has the VF is undone",
	    what_is_set_beside_a_pod_is_undone },
	  { "P4: an MTU that was cut in a pod is not the free VF's",
	    an_mtu_that_was_cut_is_nobodys },
	  { "P4: the name of another VF is given back", the_name_of_another_is_given_back },
	  { "P4: a VF that comes home gets its name back at once",
	    a_vf_that_comes_home_gets_its_name_back_at_once },
	  { "P4: by a look at all of them", a_list_of_all_tells },
	  { "P4: a new VF gets another", a_new_vf_gets_another },
	  { "P4: a name that is free is anybody's", a_name_that_is_free_is_anybodys },
	  { "P4: two VFs that come anew have the names that they have",
	    two_that_come_anew_have_what_they_have },
	  { "P4: a VF's own MAC is nobody else's", its_own_mac_is_nobody_elses },
	  { "P4: a pod's MAC that only the link keeps is undone",
	    a_mac_that_only_the_link_keeps_is_undone },
	  { "R6: nothing is learnt of a VF while a step is under way",
	    nothing_is_learnt_during_a_step },
	  { "P5: after a failed look the PF's settings are put back, too",
	    a_failed_look_has_the_pf_put_back },
	  { "P5: and the link, also where the ADD had not touched it", and_the_link },
	  { "a VF without its driver lets no other be bound",
	    without_a_driver_no_other_vf_is_bound },
	  { "P4: what a PF does not tell stays as it was", what_is_not_told_stays },
	  { "P4: a new link gets what it lost", a_new_link_gets_what_it_lost })
