/* SPDX-License-Identifier: Apache-2.0 */
#include "io/codec.h"

#include <stdlib.h>

#include "suite.h"

static const char boot[] = "0f3c9a2e-11d7-4b6e-9c05-7a8842f1e6d3";

static void fill_text(char *out, size_t cap, char c)
{
	memset(out, c, cap - 1);
	out[cap - 1] = '\0';
}

static struct rec_meta a_meta(void)
{
	struct rec_meta m = { .wall_ns = INT64_C(1795369436123456789),
			      .boot_ns = INT64_C(3600123456789),
			      .cause = CAUSE_REQUEST };

	snprintf(m.boot_id, sizeof(m.boot_id), "%s", boot);
	snprintf(m.cause_text, sizeof(m.cause_text), "ADD c1/net1");
	return m;
}

/* What a VF record of a pod on an InfiniBand node looks like. */
static struct rec_vf a_vf(void)
{
	struct rec_vf r = { .meta = a_meta(),
			    .addr = 0x3b0009,
			    .pf = 0x3b0000,
			    .index = 8,
			    .incarnation = 41234,
			    .from = 2,
			    .event = 2,
			    .state = 3,
			    .attach_seq = 81234,
			    .nonce = { 0x1122334455667788, 0x99aabbccddeeff00 },
			    .client_start_ns = 360012,
			    .netns_cookie = 8123,
			    .nsid = 17,
			    .since_wall_ns = INT64_C(1795369436123456789),
			    .plan = 1,
			    .begun = 0x3d,
			    .done = 0x3d,
			    .touched = 0x3d,
			    .ifindex = 1234,
			    .lease_id = 81233,
			    .request_blob = 81230,
			    .result_blob = 81240 };

	snprintf(r.driver, sizeof(r.driver), "infiniband");
	snprintf(r.owner.network, sizeof(r.owner.network), "ib-sriov-network");
	fill_text(r.owner.container, 65, 'c');
	snprintf(r.owner.ifname, sizeof(r.owner.ifname), "net1");
	snprintf(r.pod.ns, sizeof(r.pod.ns), "training");
	snprintf(r.pod.name, sizeof(r.pod.name), "llm-worker-0042-x7k2p");
	r.wanted.has = HAS_LINK_STATE | HAS_NODE_GUID | HAS_PORT_GUID;
	r.wanted.link_state = LINK_STATE_ENABLE;
	r.wanted.node_guid = r.wanted.port_guid = 0x0002c90300a1b2c3;
	r.baseline.valid = true;
	r.baseline.set = r.wanted;
	r.baseline.set.link_state = LINK_STATE_AUTO;
	snprintf(r.baseline.ifname, sizeof(r.baseline.ifname), "ibp59s0v8");
	snprintf(r.baseline.driver, sizeof(r.baseline.driver), "mlx5_core");
	snprintf(r.baseline.rdma_dev, sizeof(r.baseline.rdma_dev), "mlx5_10");
	r.baseline.hwaddr_len = 20;
	memset(r.baseline.hwaddr, 0xfe, 20);
	return r;
}

/* Every field at its longest or highest. */
static struct rec_vf full_vf(void)
{
	struct rec_vf r = a_vf();

	fill_text(r.meta.cause_text, sizeof(r.meta.cause_text), 'a');
	r.addr = r.pf = UINT64_C(0xffffffffffff);
	r.index = UINT16_MAX;
	fill_text(r.driver, sizeof(r.driver), 'b');
	r.incarnation = r.attach_seq = r.client_start_ns = r.netns_cookie = UINT64_MAX;
	r.from = r.event = r.state = UINT8_MAX;
	r.foreign = true;
	fill_text(r.owner.network, sizeof(r.owner.network), 'c');
	fill_text(r.owner.container, sizeof(r.owner.container), 'd');
	fill_text(r.owner.ifname, sizeof(r.owner.ifname), 'e');
	fill_text(r.pod.ns, sizeof(r.pod.ns), 'f');
	fill_text(r.pod.name, sizeof(r.pod.name), 'g');
	r.nonce.hi = r.nonce.lo = UINT64_MAX;
	r.nsid = INT32_MAX;
	r.since_wall_ns = INT64_MAX;
	r.plan = 2;
	r.begun = r.done = r.touched = r.attempts = r.ifindex = UINT32_MAX;
	memset(&r.wanted, 0, sizeof(r.wanted));
	r.wanted.has = 0xffff;
	r.wanted.link_state = 2;
	r.wanted.spoofchk = r.wanted.trust = r.wanted.allmulti = r.wanted.promisc = 1;
	r.wanted.rdma_isolation = r.wanted.ipoib_mode = r.wanted.scrub = 1;
	r.wanted.node_guid = r.wanted.port_guid = UINT64_MAX;
	memset(r.wanted.mac, 0xaa, 6);
	r.wanted.vlan = r.wanted.qos = r.wanted.vlan_proto = r.wanted.pkey = UINT16_MAX;
	r.wanted.min_tx_mbps = r.wanted.max_tx_mbps = r.wanted.mtu_bytes = UINT32_MAX;
	r.baseline.set = r.wanted;
	fill_text(r.baseline.ifname, sizeof(r.baseline.ifname), 'h');
	fill_text(r.baseline.driver, sizeof(r.baseline.driver), 'i');
	fill_text(r.baseline.rdma_dev, sizeof(r.baseline.rdma_dev), 'j');
	r.lease_id = r.request_blob = r.result_blob = UINT64_MAX;
	fill_text(r.reason, sizeof(r.reason), 'k');
	return r;
}

/* Compares field by field, so that padding does not matter. */
static bool meta_equal(const struct rec_meta *a, const struct rec_meta *b)
{
	return a->wall_ns == b->wall_ns && a->boot_ns == b->boot_ns &&
	       a->cause == b->cause && !strcmp(a->boot_id, b->boot_id) &&
	       !strcmp(a->cause_text, b->cause_text);
}

static bool pod_equal(const struct pod_ref *a, const struct pod_ref *b)
{
	return !strcmp(a->ns, b->ns) && !strcmp(a->name, b->name);
}

static bool set_equal(const struct vf_settings *a, const struct vf_settings *b)
{
	return a->has == b->has && a->link_state == b->link_state &&
	       a->spoofchk == b->spoofchk && a->trust == b->trust &&
	       a->allmulti == b->allmulti && a->promisc == b->promisc &&
	       a->rdma_isolation == b->rdma_isolation && a->ipoib_mode == b->ipoib_mode &&
	       a->scrub == b->scrub && a->node_guid == b->node_guid &&
	       a->port_guid == b->port_guid && !memcmp(a->mac, b->mac, 6) &&
	       a->vlan == b->vlan && a->qos == b->qos && a->vlan_proto == b->vlan_proto &&
	       a->pkey == b->pkey && a->min_tx_mbps == b->min_tx_mbps &&
	       a->max_tx_mbps == b->max_tx_mbps && a->mtu_bytes == b->mtu_bytes;
}

static bool vf_equal(const struct rec_vf *a, const struct rec_vf *b)
{
	return meta_equal(&a->meta, &b->meta) && a->addr == b->addr && a->pf == b->pf &&
	       a->index == b->index && !strcmp(a->driver, b->driver) &&
	       a->incarnation == b->incarnation && a->from == b->from &&
	       a->event == b->event && a->state == b->state && a->foreign == b->foreign &&
	       attachment_equal(&a->owner, &b->owner) && pod_equal(&a->pod, &b->pod) &&
	       a->attach_seq == b->attach_seq && a->nonce.hi == b->nonce.hi &&
	       a->nonce.lo == b->nonce.lo && a->client_start_ns == b->client_start_ns &&
	       a->netns_cookie == b->netns_cookie && a->nsid == b->nsid &&
	       a->since_wall_ns == b->since_wall_ns && a->plan == b->plan &&
	       a->begun == b->begun && a->done == b->done && a->touched == b->touched &&
	       a->attempts == b->attempts && set_equal(&a->wanted, &b->wanted) &&
	       a->baseline.valid == b->baseline.valid &&
	       set_equal(&a->baseline.set, &b->baseline.set) &&
	       !strcmp(a->baseline.ifname, b->baseline.ifname) &&
	       !strcmp(a->baseline.driver, b->baseline.driver) &&
	       !strcmp(a->baseline.rdma_dev, b->baseline.rdma_dev) &&
	       a->baseline.hwaddr_len == b->baseline.hwaddr_len &&
	       !memcmp(a->baseline.hwaddr, b->baseline.hwaddr, 20) &&
	       a->ifindex == b->ifindex && a->lease_id == b->lease_id &&
	       a->request_blob == b->request_blob && a->result_blob == b->result_blob &&
	       !strcmp(a->reason, b->reason);
}

static struct strbuf buf;
static struct vfk_err err;

static void vf_round(const struct rec_vf *in)
{
	static struct rec_vf out;

	strbuf_free(&buf);
	codec_put_vf(&buf, in);
	CU_ASSERT_FALSE(buf.failed);
	memset(&out, 0x55, sizeof(out));
	SUITE_INT(codec_get_vf(buf.data, buf.len, &out, &err), 0);
	CU_ASSERT(vf_equal(in, &out));
}

static void vf_both_ways(void)
{
	struct rec_vf r = { .nsid = -1 };

	vf_round(&r);
	/* Nothing known costs next to nothing. */
	CU_ASSERT(buf.len <= 4);
	r.baseline.valid = true;
	vf_round(&r);
	/* What is kept of an earlier incarnation is no baseline. */
	r.baseline = (struct vf_baseline){ .set = { .has = HAS_PORT_GUID,
						    .port_guid = 0x0002c90300a1b2c3 } };
	vf_round(&r);
	r = a_vf();
	vf_round(&r);
	printf("a VF record has %zu bytes\n", buf.len);
	r.nsid = 0;
	vf_round(&r);
	r.nsid = -1;
	vf_round(&r);
	r = full_vf();
	vf_round(&r);
	strbuf_free(&buf);
}

static void boot_ids(void)
{
	static const char *ids[] = { "", "boot-2", "0f3c9a2e-11d7-4b6e-9c05-7a8842f1e6d",
				     "0F3C9A2E-11D7-4B6E-9C05-7A8842F1E6D3",
				     "0f3c9a2e11d74b6e9c057a8842f1e6d3xxxx" };
	struct rec_vf r = { .nsid = -1 };

	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(r.meta.boot_id, sizeof(r.meta.boot_id), "%s", ids[i]);
		vf_round(&r);
	}
	/* A real one takes 16 bytes. */
	snprintf(r.meta.boot_id, sizeof(r.meta.boot_id), "%s", boot);
	vf_round(&r);
	CU_ASSERT(buf.len <= 22);
	strbuf_free(&buf);
}

static void lease_both_ways(void)
{
	struct rec_lease in = { .meta = a_meta(),
				.id = 77,
				.from = 1,
				.event = 1,
				.state = 2,
				.vf = 0x3b0009,
				.nonce = { 1, 2 },
				.request_blob = 76,
				.attempts = 3,
				.asked_wall_ns = 5 },
			 out;

	snprintf(in.owner.network, sizeof(in.owner.network), "net");
	snprintf(in.owner.container, sizeof(in.owner.container), "c1");
	snprintf(in.owner.ifname, sizeof(in.owner.ifname), "net1");
	snprintf(in.plugin, sizeof(in.plugin), "host-local");
	fill_text(in.last_error, sizeof(in.last_error), 'e');
	for (unsigned i = 0; i < 3; i++) {
		in.vf = i == 0 ? 0x3b0009 : i == 1 ? 0 : PCI_NONE;
		codec_put_lease(&buf, &in);
		memset(&out, 0x55, sizeof(out));
		SUITE_INT(codec_get_lease(buf.data, buf.len, &out, &err), 0);
		CU_ASSERT(meta_equal(&in.meta, &out.meta));
		CU_ASSERT(attachment_equal(&in.owner, &out.owner));
		CU_ASSERT(pod_equal(&in.pod, &out.pod));
		CU_ASSERT(in.vf == out.vf);
		SUITE_INT(out.id, 77);
		SUITE_INT(out.from * 100 + out.event * 10 + out.state, 112);
		SUITE_INT(out.nonce.hi * 10 + out.nonce.lo, 12);
		SUITE_STR(out.plugin, "host-local");
		SUITE_INT(out.request_blob, 76);
		SUITE_INT(out.attempts, 3);
		SUITE_INT(out.asked_wall_ns, 5);
		SUITE_STR(out.last_error, in.last_error);
		strbuf_free(&buf);
	}
}

static void node_and_blob(void)
{
	struct rec_node in = { .meta = a_meta(),
			       .records_missing = true,
			       .next_lease_id = 9,
			       .n_cordons = 2,
			       .cordons = { { CORDON_NODE, 0, 7, "" },
					    { CORDON_VF, 0x3b0004, 8, "cable" } } };
	struct rec_node out;
	struct rec_blob blob = { .id = 12, .bytes = "\0\1\2", .len_bytes = 3 }, got;
	void *hold;

	snprintf(in.version, sizeof(in.version), "0.1.0");
	snprintf(in.missing_reason, sizeof(in.missing_reason), "damaged");
	codec_put_node(&buf, &in);
	memset(&out, 0x55, sizeof(out));
	SUITE_INT(codec_get_node(buf.data, buf.len, &out, &err), 0);
	CU_ASSERT(meta_equal(&in.meta, &out.meta));
	SUITE_STR(out.version, "0.1.0");
	CU_ASSERT(out.records_missing);
	SUITE_STR(out.missing_reason, "damaged");
	SUITE_INT(out.next_lease_id, 9);
	SUITE_INT(out.n_cordons, 2);
	SUITE_INT(out.cordons[0].scope, CORDON_NODE);
	SUITE_INT(out.cordons[1].scope, CORDON_VF);
	SUITE_INT(out.cordons[1].addr, 0x3b0004);
	SUITE_INT(out.cordons[1].since_wall_ns, 8);
	SUITE_STR(out.cordons[0].reason, "");
	SUITE_STR(out.cordons[1].reason, "cable");
	strbuf_free(&buf);
	codec_put_blob(&buf, &blob);
	SUITE_INT(codec_get_blob(buf.data, buf.len, &got, &hold, &err), 0);
	SUITE_INT(got.id, 12);
	SUITE_INT(got.len_bytes, 3);
	CU_ASSERT(!memcmp(got.bytes, "\0\1\2", 3));
	free(hold);
	strbuf_free(&buf);
	blob.len_bytes = 0;
	codec_put_blob(&buf, &blob);
	SUITE_INT(codec_get_blob(buf.data, buf.len, &got, &hold, &err), 0);
	SUITE_INT(got.len_bytes, 0);
	free(hold);
	strbuf_free(&buf);
}

static void large_blob(void)
{
	static uint8_t big[200000];
	struct rec_blob blob = { .id = 1, .bytes = big, .len_bytes = sizeof(big) }, got;
	void *hold;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7);
	codec_put_blob(&buf, &blob);
	SUITE_INT(codec_get_blob(buf.data, buf.len, &got, &hold, &err), 0);
	CU_ASSERT(got.len_bytes == sizeof(big) && !memcmp(got.bytes, big, sizeof(big)));
	free(hold);
	strbuf_free(&buf);
}

/* --- wire bytes made by hand --- */

static void wire_varint(uint64_t value)
{
	do {
		unsigned char c = (unsigned char)((value & 0x7f) |
						  (value > 0x7f ? 0x80 : 0));

		strbuf_add(&buf, &c, 1);
		value >>= 7;
	} while (value);
}

static void wire_number(unsigned field, uint64_t value)
{
	wire_varint((uint64_t)field << 3);
	wire_varint(value);
}

static void wire_bytes(unsigned field, const char *bytes, size_t len)
{
	wire_varint((uint64_t)field << 3 | 2);
	wire_varint(len);
	strbuf_add(&buf, bytes, len);
}

static void refuses_vf(const char *message)
{
	struct rec_vf out;

	SUITE_INT(codec_get_vf(buf.data, buf.len, &out, &err), -VFK_E_DECODE);
	SUITE_STR(err.msg, message);
	strbuf_free(&buf);
}

static void refuses(void)
{
	char text[300];

	fill_text(text, sizeof(text), 'x');
	wire_number(2, UINT64_C(1) << 48);
	refuses_vf("decode vf record: addr is out of range");
	wire_number(4, 65536);
	refuses_vf("decode vf record: index is out of range");
	wire_number(9, 256);
	refuses_vf("decode vf record: state is out of range");
	wire_number(17, UINT64_C(0x80000001));
	refuses_vf("decode vf record: nsid_plus1 is out of range");
	wire_number(19, 3);
	refuses_vf("decode vf record: plan is out of range");
	wire_bytes(5, text, 16);
	refuses_vf("decode vf record: driver is too long");
	wire_bytes(30, text, 200);
	refuses_vf("decode vf record: reason is too long");
	/* owner { container = 256 times x }, wanted { mac of 5, link_state 3 } */
	wire_bytes(11, "\x12\x80\x02", 3);
	buf.data[1] = (char)0x83;
	strbuf_add(&buf, "\x02", 1);
	memmove(buf.data + 3, buf.data + 2, buf.len - 3);
	buf.data[2] = 2;
	strbuf_add(&buf, text, 256);
	refuses_vf("decode vf record: owner.container is too long");
	wire_bytes(24,
		   "\x2a\x05"
		   "aaaaa",
		   7);
	refuses_vf("decode vf record: mac is too short");
	wire_bytes(24, "\x10\x03", 2);
	refuses_vf("decode vf record: link_state is out of range");
	wire_bytes(25,
		   "\x2a\x15"
		   "aaaaaaaaaaaaaaaaaaaaa",
		   23);
	refuses_vf("decode vf record: baseline.hwaddr is too long");
	wire_bytes(1,
		   "\x1a\x11"
		   "aaaaaaaaaaaaaaaaa",
		   19);
	refuses_vf("decode vf record: meta.boot_id is too long");
	strbuf_add(&buf, "\x12", 1);
	refuses_vf("decode vf record: not such a message (1 bytes)");
}

static void ignores_unknown(void)
{
	struct rec_vf in = a_vf(), out;

	codec_put_vf(&buf, &in);
	wire_number(900, 77);
	wire_bytes(901, "future", 6);
	SUITE_INT(codec_get_vf(buf.data, buf.len, &out, &err), 0);
	CU_ASSERT(vf_equal(&in, &out));
	strbuf_free(&buf);
}

/* No cut and no changed byte makes a decoder read or write where it must not (the sanitizers
 * watch), and what it accepts is within its bounds. */
static void survives_any_bytes(void)
{
	struct rec_vf in = full_vf(), out;
	struct rec_lease lease;
	struct rec_node node;
	unsigned n_refused = 0;

	codec_put_vf(&buf, &in);
	for (size_t len = 0; len < buf.len; len++) {
		char *copy = malloc(len ? len : 1);

		memcpy(copy, buf.data, len);
		n_refused += codec_get_vf(copy, len, &out, &err) < 0;
		free(copy);
	}
	CU_ASSERT(n_refused > buf.len / 2);
	for (size_t at = 0; at < buf.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			buf.data[at] = (char)(buf.data[at] ^ 1 << bit);
			n_refused += codec_get_vf(buf.data, buf.len, &out, &err) < 0;
			n_refused += codec_get_lease(buf.data, buf.len, &lease, &err) < 0;
			n_refused += codec_get_node(buf.data, buf.len, &node, &err) < 0;
			buf.data[at] = (char)(buf.data[at] ^ 1 << bit);
		}
	}
	SUITE_INT(codec_get_vf(buf.data, buf.len, &out, &err), 0);
	strbuf_free(&buf);
}

/* --- control --- */

static void control_both_ways(void)
{
	struct ctl_request rq = { .version = 1, .id = 7, .n_args = 2 }, got;
	struct ctl_reply rp = { .version = 1,
				.id = 7,
				.kind = VFK_E_BUSY,
				.more = true,
				.text = "{\"a\":1}",
				.text_len = 7 },
			 back;
	void *hold;

	snprintf(rq.command, sizeof(rq.command), "show");
	fill_text(rq.args[0], sizeof(rq.args[0]), 'a');
	codec_put_ctl_request(&buf, &rq);
	SUITE_INT(codec_get_ctl_request(buf.data, buf.len, &got, &err), 0);
	SUITE_INT(got.version * 100 + got.id, 107);
	SUITE_STR(got.command, "show");
	SUITE_INT(got.n_args, 2);
	SUITE_STR(got.args[0], rq.args[0]);
	SUITE_STR(got.args[1], "");
	for (unsigned i = 0; i < 7; i++)
		wire_bytes(4, "x", 1);
	SUITE_INT(codec_get_ctl_request(buf.data, buf.len, &got, &err), -VFK_E_DECODE);
	SUITE_STR(err.msg, "decode control request: number of arguments is out of range");
	strbuf_free(&buf);

	snprintf(rp.msg, sizeof(rp.msg), "busy");
	codec_put_ctl_reply(&buf, &rp);
	SUITE_INT(codec_get_ctl_reply(buf.data, buf.len, &back, &hold, &err), 0);
	SUITE_INT(back.kind, VFK_E_BUSY);
	CU_ASSERT(back.more);
	SUITE_STR(back.msg, "busy");
	SUITE_INT(back.text_len, 7);
	SUITE_STR(back.text, "{\"a\":1}");
	free(hold);
	strbuf_free(&buf);
}

VFK_SUITE(codec, { "carries VF records both ways", vf_both_ways },
	  { "keeps boot ids of any form", boot_ids },
	  { "carries lease records both ways", lease_both_ways },
	  { "carries node and blob records both ways", node_and_blob },
	  { "carries a large blob", large_blob },
	  { "refuses what does not fit and names the field", refuses },
	  { "ignores fields of a later version", ignores_unknown },
	  { "survives any cut and any changed bit", survives_any_bytes },
	  { "carries control messages both ways", control_both_ways })
