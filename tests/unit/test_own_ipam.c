/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/own_ipam.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "suite.h"

#define CONF "configuration: "

static struct cni_fail fail;
static struct config config;
static struct cni_request rq;
static struct own_held held;
static addr_num held_v4[64], held_v6[64];

/* Reads {"ipam": <ipam><more>}. */
static struct own_ipam *parse_with(const char *ipam, const char *more)
{
	char text[4000];

	snprintf(text, sizeof(text), "{\"ipam\":%s%s}", ipam, more);
	memset(&fail, 0, sizeof(fail));
	json_decref(rq.conf);
	rq.conf = json_loads(text, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rq.conf);
	return own_ipam_parse(&rq, &config, &fail);
}

static struct own_ipam *parse(const char *ipam)
{
	return parse_with(ipam, "");
}

static void up(void)
{
	config_default(&config);
	rq = (struct cni_request){ .dialect = DIALECT_VFKEEPER };
	held = (struct own_held){ .v4 = held_v4, .v6 = held_v6 };
}

static void down(void)
{
	json_decref(rq.conf);
	rq.conf = NULL;
}

static void hold(const char *text)
{
	struct cni_cidr c;

	CU_ASSERT_FATAL(cni_cidr_parse(text, true, &c));
	if (c.family == AF_INET)
		held_v4[held.n_v4++] = addr_to_num(c.family, c.addr);
	else
		held_v6[held.n_v6++] = addr_to_num(c.family, c.addr);
}

/* "10.1.0.2 fd00::2", or the error. */
static const char *pick(const struct own_ipam *own, uint64_t seed)
{
	static char text[800];
	struct rec_addr out[REC_OWN_MAX];
	unsigned n = 0;

	memset(&fail, 0, sizeof(fail));
	text[0] = '\0';
	if (!own_ipam_pick(own, &held, seed, out, &n, &fail))
		snprintf(text, sizeof(text), "%d %s", fail.code, fail.msg);
	for (unsigned i = 0; i < n; i++) {
		struct cni_cidr c = { .family = out[i].family };
		char one[CNI_CIDR_TEXT];

		memcpy(c.addr, out[i].addr, sizeof(c.addr));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 i ? " " : "", cni_cidr_format(&c, true, one));
	}
	return text;
}

#define WANT_PICK(ipam, seed, want)                                                      \
	do {                                                                             \
		struct own_ipam *ipam_own = parse(ipam);                                 \
                                                                                         \
		SUITE_STR(fail.msg, "");                                                 \
		CU_ASSERT_PTR_NOT_NULL_FATAL(ipam_own);                                  \
		SUITE_STR(pick(ipam_own, seed), want);                                   \
		free(ipam_own);                                                          \
	} while (0)

static void all_shapes(void)
{
	up();
	/* The first address is the gateway's. */
	WANT_PICK("{\"subnet\":\"10.1.0.0/16\"}", 0, "10.1.0.2");
	WANT_PICK("{\"subnet\":\"10.1.0.0/16\"}", 8, "10.1.0.9");
	WANT_PICK("{\"ranges\":[{\"subnet\":\"10.1.0.0/16\"}]}", 0, "10.1.0.2");
	WANT_PICK("{\"ranges\":[[{\"subnet\":\"10.1.0.0/16\"}]]}", 0, "10.1.0.2");
	WANT_PICK("{\"Ranges\":[[{\"SUBNET\":\"10.1.0.0/16\"}],[{\"subnet\":\"fd00::/64\"}]]}",
		  0, "10.1.0.2 fd00::2");
	WANT_PICK("{\"subnet\":\"10.1.0.0/16\",\"rangeStart\":\"10.1.5.0\","
		  "\"rangeEnd\":\"10.1.5.1\"}",
		  1, "10.1.5.1");
	WANT_PICK("{\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.1.0.254\"}", 0, "10.1.0.1");
	WANT_PICK("{\"subnet\":\"10.1.0.0/24\",\"exclude\":[\"10.1.0.0/25\",\"10.1.0.130\"]}",
		  0, "10.1.0.128");
	WANT_PICK("{\"subnet\":\"10.1.0.4/31\"}", 0, "10.1.0.4");
	/* Two sets over one subnet never give the same address. */
	WANT_PICK("{\"ranges\":[[{\"subnet\":\"10.1.0.0/16\"}],[{\"subnet\":\"10.1.0.0/16\"}]]}",
		  0, "10.1.0.2 10.1.0.3");
	down();
}

static void falls_back_to_the_next_range(void)
{
	static const char two[] =
		"{\"ranges\":[[{\"subnet\":\"10.1.0.0/30\"},{\"subnet\":\"10.2.0.0/30\"}]]}";

	up();
	WANT_PICK(two, 0, "10.1.0.2");
	hold("10.1.0.2");
	WANT_PICK(two, 0, "10.2.0.2");
	hold("10.2.0.2");
	WANT_PICK(two, 0,
		  "11 no address is free in 10.1.0.1 to 10.1.0.2 and the other ranges of its set: "
		  "all are held by attachments of this node (vfctl list)");
	held.n_v4 = 0;
	down();
}

static void slices(void)
{
	static const char by_file[] =
		"{\"subnet\":\"10.1.0.0/16\",\"nodeSlice\":{\"count\":300}}";
	static const char by_name[] =
		"{\"subnet\":\"10.1.0.0/16\",\"nodeSlice\":{\"count\":300,"
		"\"nodes\":{\"a\":0,\"b\":299,\"c\":300,\"d\":\"x\"}}}";

	up();
	CU_ASSERT_PTR_NULL(parse(by_file));
	SUITE_STR(fail.msg,
		  CONF "ipam.nodeSlice: this node has no place in it: set node_slice in "
		       "vfkeeper.conf, or name it in nodeSlice.nodes");
	config.node_slice = 2; /* 218 addresses each */
	WANT_PICK(by_file, 0, "10.1.1.181");
	config.node_slice = 300;
	CU_ASSERT_PTR_NULL(parse(by_file));
	SUITE_INT(fail.code, 7);
	SUITE_STR(fail.msg, CONF "ipam.nodeSlice: this node is number 300 (from 0) of 300");
	snprintf(config.node_name, sizeof(config.node_name), "b");
	WANT_PICK(by_name, 0, "10.1.254.159");
	snprintf(config.node_name, sizeof(config.node_name), "c");
	CU_ASSERT_PTR_NULL(parse(by_name));
	SUITE_STR(fail.msg, CONF "ipam.nodeSlice: this node is number 300 (from 0) of 300");
	snprintf(config.node_name, sizeof(config.node_name), "d");
	CU_ASSERT_PTR_NULL(parse(by_name));
	SUITE_STR(fail.msg, CONF "ipam.nodeSlice.nodes \"x\" is not a number from 0");
	snprintf(config.node_name, sizeof(config.node_name), "e");
	CU_ASSERT_PTR_NULL(parse(by_name));
	SUITE_STR(fail.msg, CONF
		  "ipam.nodeSlice.nodes: node e is not in it (node_name in vfkeeper.conf)");
	config.node_slice = 1;
	CU_ASSERT_PTR_NULL(
		parse("{\"subnet\":\"10.1.0.0/30\",\"nodeSlice\":{\"count\":3}}"));
	SUITE_STR(fail.msg, CONF "ipam.nodeSlice: a range has fewer than 3 addresses");
	down();
}

static void requested(void)
{
	static const char ipam[] = "{\"ranges\":[[{\"subnet\":\"10.1.0.0/24\"}],"
				   "[{\"subnet\":\"fd00::/64\"}]]}";
	struct own_ipam *own;

	up();
	own = parse_with(ipam, ",\"runtimeConfig\":{\"ips\":[\"fd00::77/64\"]}");
	CU_ASSERT_PTR_NOT_NULL_FATAL(own);
	SUITE_STR(pick(own, 0), "10.1.0.2 fd00::77");
	hold("fd00::77");
	SUITE_STR(pick(own, 0),
		  "11 requested address fd00::77 is held by another attachment");
	held.n_v6 = 0;
	free(own);
	own = parse_with(ipam, ",\"args\":{\"cni\":{\"ips\":[\"10.1.0.9\",\"fd00::9\"]}}");
	CU_ASSERT_PTR_NOT_NULL_FATAL(own);
	SUITE_STR(pick(own, 0), "10.1.0.9 fd00::9");
	free(own);
	own = parse_with(ipam, ",\"runtimeConfig\":{\"ips\":[\"10.2.0.9\"]}");
	SUITE_STR(pick(own, 0),
		  "7 requested address 10.2.0.9 is in no range that this node gives");
	free(own);
	own = parse_with(ipam,
			 ",\"runtimeConfig\":{\"ips\":[\"10.1.0.1\"]}"); /* the gateway */
	SUITE_STR(pick(own, 0),
		  "7 requested address 10.1.0.1 is in no range that this node gives");
	free(own);
	CU_ASSERT_PTR_NULL(parse_with(ipam, ",\"runtimeConfig\":{\"ips\":[\"10.1.0.5\","
					    "\"10.1.0.6\",\"10.1.0.7\"]}"));
	SUITE_STR(fail.msg, CONF "3 addresses are requested, the ranges of ipam give 2");
	down();
}

/* --- a long life --- */

#define LIFE_V4 30 /* addresses that the ranges below can give */
#define LIFE_IPAM                                                                          \
	"{\"ranges\":[[{\"subnet\":\"10.1.0.0/27\",\"gateway\":\"10.1.0.30\",\"exclude\":" \
	"[\"10.1.0.8/30\"]},{\"subnet\":\"10.2.0.0/29\"}],[{\"subnet\":\"fd00::/122\","    \
	"\"exclude\":[\"fd00::4\"]}]]}"

/* Whether the ranges above can give it, by the words of the contract. */
static bool may_have(const struct rec_addr *a)
{
	static const uint8_t fd00[15] = { 0xfd };
	const uint8_t *b = a->addr;

	if (a->family == AF_INET6)
		return !memcmp(b, fd00, 15) && b[15] >= 2 && b[15] <= 63 && b[15] != 4;
	if (b[0] != 10 || b[2])
		return false;
	return b[1] == 1 ? b[3] >= 1 && b[3] <= 29 && (b[3] < 8 || b[3] > 11) :
			   b[1] == 2 && b[3] >= 2 && b[3] <= 6;
}

struct life {
	struct rec_addr has[LIFE_V4][2]; /* of each attachment */
	unsigned n;
	uint64_t state;
	unsigned n_full, n_held, n_outside, n_asked;
};

static uint64_t roll(struct life *l, uint64_t n)
{
	l->state ^= l->state << 13;
	l->state ^= l->state >> 7;
	l->state ^= l->state << 17;
	return l->state % n;
}

static int by_number(const void *a, const void *b)
{
	addr_num left = *(const addr_num *)a, right = *(const addr_num *)b;

	return (left > right) - (left < right);
}

static bool life_holds(const struct life *l, const struct rec_addr *a)
{
	for (unsigned i = 0; i < l->n; i++)
		for (unsigned k = 0; k < 2; k++)
			if (!memcmp(&l->has[i][k], a, sizeof(*a)))
				return true;
	return false;
}

/* One more attachment, with a wish or without; what comes of it has to be what 'l' says. */
static bool life_takes(struct life *l, const struct rec_addr *wish)
{
	struct rec_addr out[REC_OWN_MAX];
	char more[100] = "";
	struct own_ipam *own;
	unsigned n = 0;
	bool good, wished;

	if (wish)
		snprintf(more, sizeof(more),
			 ",\"runtimeConfig\":{\"ips\":[\"%u.%u.%u.%u\"]}", wish->addr[0],
			 wish->addr[1], wish->addr[2], wish->addr[3]);
	own = parse_with(LIFE_IPAM, more);
	CU_ASSERT_PTR_NOT_NULL_FATAL(own);
	held.n_v4 = held.n_v6 = 0;
	for (unsigned i = 0; i < l->n; i++) {
		held_v4[held.n_v4++] = addr_to_num(AF_INET, l->has[i][0].addr);
		held_v6[held.n_v6++] = addr_to_num(AF_INET6, l->has[i][1].addr);
	}
	qsort(held_v4, held.n_v4, sizeof(addr_num), by_number);
	qsort(held_v6, held.n_v6, sizeof(addr_num), by_number);
	good = own_ipam_pick(own, &held, roll(l, 1000), out, &n, &fail);
	free(own);
	if (wish && !may_have(wish)) {
		l->n_outside++;
		return !good && fail.code == 7;
	}
	if (wish && life_holds(l, wish)) {
		l->n_held++;
		return !good && fail.code == 11;
	}
	if (l->n == LIFE_V4) {
		l->n_full++;
		return !good && fail.code == 11 && !strchr(fail.msg, '\n') &&
		       !strncmp(fail.msg,
				"no address is free in 10.1.0.1 to 10.1.0.30 and", 47);
	}
	l->n_asked += wish != NULL;
	wished = !wish || !memcmp(&out[0], wish, sizeof(*wish));
	if (!good || n != 2 || !wished || !may_have(&out[0]) || !may_have(&out[1]) ||
	    life_holds(l, &out[0]) || life_holds(l, &out[1]))
		return false;
	memcpy(l->has[l->n++], out, sizeof(l->has[0]));
	return true;
}

static void a_long_life(void)
{
	struct life l = { .state = 7 };
	bool good = true;

	up();
	for (unsigned step = 0; step < 20000 && good; step++) {
		struct rec_addr wish = { .family = AF_INET, .addr = { 10, 1 } };
		unsigned way = step / 200 % 2 ? 3 : 7; /* it fills, and empties again */

		wish.addr[1] = (uint8_t)(1 + roll(&l, 3));
		wish.addr[3] = (uint8_t)roll(&l, 32);
		if (roll(&l, 10) >= way && l.n) {
			unsigned i = (unsigned)roll(&l, l.n);

			memmove(l.has[i], l.has[--l.n], sizeof(l.has[i]));
		} else {
			good = life_takes(&l, roll(&l, 4) ? NULL : &wish);
		}
	}
	CU_ASSERT_TRUE(good);
	CU_ASSERT(l.n_full > 100 && l.n_held > 100 && l.n_outside > 100 && l.n_asked > 100);
	/* None is lost: given back, all can be had again. */
	l.n = 0;
	while (l.n < LIFE_V4 && life_takes(&l, NULL))
		;
	SUITE_INT(l.n, LIFE_V4);
	CU_ASSERT_TRUE(life_takes(&l, NULL)); /* exhausted, as it has to be */
	down();
}

static void wrong(void)
{
	static const struct {
		const char *ipam, *msg;
	} rows[] = {
		{ "{}", "ipam.subnet (none) is not a subnet like 10.1.0.0/16" },
		{ "{\"subnet\":7}", "ipam.subnet 7 is not a subnet like 10.1.0.0/16" },
		{ "{\"ranges\":[]}",
		  "ipam.ranges an array is not an array of one range set or more" },
		{ "{\"ranges\":[[7]]}",
		  "ipam.ranges[0][0].subnet (none) is not a subnet like 10.1.0.0/16" },
		{ "{\"ranges\":[[{\"subnet\":\"10.1.0.0\"}]]}",
		  "ipam.ranges[0][0].subnet \"10.1.0.0\" is not a subnet like 10.1.0.0/16" },
		{ "{\"ranges\":[{\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.2.0.1\"}]}",
		  "ipam.ranges[0].gateway \"10.2.0.1\" is not an address of the subnet" },
		{ "{\"ranges\":[{\"subnet\":\"10.1.0.0/24\",\"rangeStart\":\"fd00::1\"}]}",
		  "ipam.ranges[0].rangeStart \"fd00::1\" is not an address of the subnet's "
		  "family" },
		{ "{\"subnet\":\"10.1.0.0/24\",\"rangeStart\":\"10.1.0.9\",\"rangeEnd\":"
		  "\"10.1.0.8\"}",
		  "ipam.rangeEnd \"10.1.0.8\" is not at or behind the beginning of the range" },
		{ "{\"subnet\":\"10.1.0.0/24\",\"exclude\":[\"x\"]}",
		  "ipam.exclude \"x\" is not a subnet or an address of the subnet's family" },
		{ "{\"ranges\":[[{\"subnet\":\"10.1.0.0/24\"},{\"subnet\":\"fd00::/64\"}]]}",
		  "ipam.ranges[0][1].subnet \"fd00::/64\" is not of the family of its set" },
		{ "{\"subnet\":\"10.1.0.0/24\",\"nodeSlice\":3}",
		  "ipam.nodeSlice 3 is not an object" },
		{ "{\"subnet\":\"10.1.0.0/24\",\"nodeSlice\":{\"count\":0}}",
		  "ipam.nodeSlice.count 0 is not a number from 1" },
	};

	up();
	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		CU_ASSERT_PTR_NULL(parse(rows[i].ipam));
		SUITE_INT(fail.code, 7);
		CU_ASSERT(!strncmp(fail.msg, CONF, strlen(CONF)));
		SUITE_STR(fail.msg + strlen(CONF), rows[i].msg);
	}
	down();
}

static void answers_like_a_plugin(void)
{
	struct rec_addr out[REC_OWN_MAX];
	struct cni_ipam ipam = { 0 };
	struct own_ipam *own;
	struct vfk_err err;
	unsigned n;
	char *text;

	up();
	own = parse(
		"{\"ranges\":[[{\"subnet\":\"10.1.0.0/16\",\"gateway\":\"10.1.0.254\"}],"
		"[{\"subnet\":\"fd00::8/127\"}]],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{\"nameservers\":[\"10.1.0.53\"]}}");
	CU_ASSERT_PTR_NOT_NULL_FATAL(own);
	CU_ASSERT_TRUE_FATAL(own_ipam_pick(own, &held, 4, out, &n, &fail));
	text = own_ipam_answer(own, out, n);
	SUITE_STR(text,
		  "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.1.0.5/16\",\"gateway\":"
		  "\"10.1.0.254\"},{\"address\":\"fd00::8/127\"}],\"routes\":[{\"dst\":"
		  "\"0.0.0.0/0\"}],\"dns\":{\"nameservers\":[\"10.1.0.53\"]}}");
	SUITE_INT(cni_ipam_parse(&ipam, text, strlen(text), &err), 0);
	SUITE_INT(ipam.n_ips, 2);
	SUITE_INT(ipam.n_routes, 1);
	cni_ipam_free(&ipam);
	free(text);
	out[0].addr[0] = 11; /* of another configuration */
	CU_ASSERT_PTR_NULL(own_ipam_answer(own, out, n));
	free(own);
	down();
}

VFK_SUITE(own_ipam, { "reads ranges in all their shapes", all_shapes },
	  { "goes on in the next range of a set, and says when all are full",
	    falls_back_to_the_next_range },
	  { "gives of this node's slice only", slices },
	  { "gives requested addresses or says why not", requested },
	  { "in a long life gives none twice, loses none, and says when all are held",
	    a_long_life },
	  { "says what is wrong, and where", wrong },
	  { "answers as a plugin does", answers_like_a_plugin })
