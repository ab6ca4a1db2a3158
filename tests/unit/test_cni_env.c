/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a call: the skeleton's checks, CNI_ARGS, what is stored and what is
 * shown. */
#include "suite.h"

#include "cni/cni.h"
#include "cni/cni-internal.h"

#define CONF "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"deviceID\":\"0000:3b:00.4\"}"

/* "A=1\nB=2" becomes the block "A=1\0B=2\0". */
static size_t block(char *out, size_t cap, const char *lines)
{
	size_t len = (size_t)snprintf(out, cap, "%s\n", lines);

	for (size_t i = 0; i < len; i++)
		if (out[i] == '\n')
			out[i] = '\0';
	return *lines ? len : 0;
}

static char env_now[4096];
static struct cni_request rq_now;
static struct cni_fail fail_now;

static int parse_as(enum cni_verb verb, enum cni_dialect dialect, const char *lines)
{
	size_t len = block(env_now, sizeof(env_now), lines);

	memset(&fail_now, 0, sizeof(fail_now));
	return cni_parse(&rq_now, verb, dialect, env_now, len, CONF, strlen(CONF),
			 &fail_now);
}

static void refused(enum cni_verb verb, enum cni_dialect dialect, const char *lines,
		    const char *msg, const char *details)
{
	int rc = parse_as(verb, dialect, lines);

	SUITE_INT(rc, -1);
	if (rc == 0)
		cni_request_free(&rq_now);
	SUITE_INT(fail_now.code, 4);
	SUITE_STR(fail_now.msg, msg);
	SUITE_STR(fail_now.details, details);
}

static void accepted(enum cni_verb verb, enum cni_dialect dialect, const char *lines)
{
	int rc = parse_as(verb, dialect, lines);

	SUITE_INT(rc, 0);
	SUITE_STR(fail_now.msg, "");
	if (rc == 0)
		cni_request_free(&rq_now);
}

#define REST "\nCNI_NETNS=/n\nCNI_PATH=/p"
#define GOOD "CNI_CONTAINERID=c1\nCNI_IFNAME=net1" REST

/* --- missing variables --- */

static void names_all_missing(void)
{
	static const struct {
		enum cni_verb verb;
		const char *lines, *missing;
	} rows[] = {
		{ CNI_ADD, "", "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH" },
		{ CNI_CHECK, "", "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH" },
		{ CNI_DEL, "", "CNI_CONTAINERID,CNI_IFNAME,CNI_PATH" },
		{ CNI_GC, "", "CNI_PATH" },
		{ CNI_STATUS, "", "CNI_PATH" },
		{ CNI_ADD, "CNI_CONTAINERID=c\nCNI_IFNAME=i\nCNI_PATH=/p", "CNI_NETNS" },
		{ CNI_ADD, "CNI_CONTAINERID=\nCNI_IFNAME=\nCNI_NETNS=\nCNI_PATH=",
		  "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH" },
		{ CNI_DEL, "CNI_CONTAINERID=c\nCNI_IFNAME=i", "CNI_PATH" },
		{ CNI_DEL, "CNI_IFNAME=i" REST, "CNI_CONTAINERID" },
		{ CNI_DEL, "CNI_CONTAINERID=c" REST, "CNI_IFNAME" },
	};
	char msg[200];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		snprintf(msg, sizeof(msg), "required env variables [%s] missing",
			 rows[i].missing);
		refused(rows[i].verb, DIALECT_IB_SRIOV, rows[i].lines, msg, "");
	}
}

static void del_needs_no_netns(void)
{
	accepted(CNI_DEL, DIALECT_VFKEEPER, "CNI_CONTAINERID=c\nCNI_IFNAME=i\nCNI_PATH=/p");
	SUITE_INT(parse_as(CNI_DEL, DIALECT_VFKEEPER,
			   "CNI_CONTAINERID=c\nCNI_IFNAME=i\nCNI_PATH=/p\nCNI_NETNS="),
		  0);
	SUITE_STR(rq_now.netns_path, "");
	SUITE_STR(rq_now.cni_path, "/p");
	cni_request_free(&rq_now);
}

static void invalid_before_missing(void)
{
	refused(CNI_ADD, DIALECT_VFKEEPER, "CNI_CONTAINERID=a/b",
		"invalid characters in containerID", "a/b");
	refused(CNI_DEL, DIALECT_VFKEEPER, "CNI_IFNAME=a/b",
		"interface name contains / or : or whitespace characters", "");
}

/* --- invalid ones --- */

static void container_ids(void)
{
	static const char *const bad[] = { "bad id!", "../../../tmp/x", "-a",  ".a",
					   "_a",      "a\xc3\xa4",	"a b", "a;b",
					   "a\tb" };
	static const char *const good[] = { "a", "0", "A.b_c-d", "c1", "9-._" };
	char lines[200];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(bad); i++) {
		snprintf(lines, sizeof(lines), "CNI_CONTAINERID=%s\nCNI_IFNAME=i" REST,
			 bad[i]);
		refused(CNI_ADD, DIALECT_VFKEEPER, lines,
			"invalid characters in containerID", bad[i]);
		refused(CNI_DEL, DIALECT_VFKEEPER, lines,
			"invalid characters in containerID", bad[i]);
	}
	for (size_t i = 0; i < VFK_ARRAY_SIZE(good); i++) {
		snprintf(lines, sizeof(lines), "CNI_CONTAINERID=%s\nCNI_IFNAME=i" REST,
			 good[i]);
		accepted(CNI_ADD, DIALECT_VFKEEPER, lines);
	}
}

static void interface_names(void)
{
	static const struct {
		const char *name, *msg, *details;
	} bad[] = {
		{ "n234567890123456", "interface name is too long",
		  "interface name should be less than 16 characters" },
		{ ".", "interface name is . or ..", "" },
		{ "..", "interface name is . or ..", "" },
		{ "a/b", "interface name contains / or : or whitespace characters", "" },
		{ "a:b", "interface name contains / or : or whitespace characters", "" },
		{ "a b", "interface name contains / or : or whitespace characters", "" },
		{ "a\tb", "interface name contains / or : or whitespace characters", "" },
		{ "a\xc2\xa0"
		  "b",
		  "interface name contains / or : or whitespace characters", "" },
		{ "a\xe3\x80\x80"
		  "b",
		  "interface name contains / or : or whitespace characters", "" },
	};
	static const char *const good[] = { "net1", "...", "n23456789012345",
					    "a.b",  "lo",  "n\xc3\xa4" };
	char lines[200];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(bad); i++) {
		snprintf(lines, sizeof(lines), "CNI_CONTAINERID=c\nCNI_IFNAME=%s" REST,
			 bad[i].name);
		refused(CNI_ADD, DIALECT_SRIOV, lines, bad[i].msg, bad[i].details);
		refused(CNI_DEL, DIALECT_SRIOV, lines, bad[i].msg, bad[i].details);
		snprintf(lines, sizeof(lines), "CNI_PATH=/p\nCNI_IFNAME=%s", bad[i].name);
		accepted(CNI_STATUS, DIALECT_SRIOV, lines);
		accepted(CNI_GC, DIALECT_SRIOV, lines);
	}
	for (size_t i = 0; i < VFK_ARRAY_SIZE(good); i++) {
		snprintf(lines, sizeof(lines), "CNI_CONTAINERID=c\nCNI_IFNAME=%s" REST,
			 good[i]);
		SUITE_INT(parse_as(CNI_ADD, DIALECT_VFKEEPER, lines), 0);
		SUITE_STR(rq_now.att.ifname, good[i]);
		cni_request_free(&rq_now);
	}
}

static void only_text_for_the_result(void)
{
	refused(CNI_ADD, DIALECT_VFKEEPER, "CNI_CONTAINERID=c\nCNI_IFNAME=n\xff" REST,
		"CNI_IFNAME is not UTF-8 text", "");
	refused(CNI_ADD, DIALECT_VFKEEPER,
		"CNI_CONTAINERID=c\nCNI_IFNAME=n\nCNI_PATH=/p\nCNI_NETNS=/\xc3",
		"CNI_NETNS is not UTF-8 text", "");
	accepted(CNI_DEL, DIALECT_VFKEEPER, "CNI_CONTAINERID=c\nCNI_IFNAME=n\xff" REST);
}

static void no_patterns(void)
{
	static const char *const names[] = { "net%d", "%", "50%" };
	char lines[200];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(names); i++) {
		snprintf(lines, sizeof(lines), "CNI_CONTAINERID=c\nCNI_IFNAME=%s" REST,
			 names[i]);
		refused(CNI_ADD, DIALECT_IB_SRIOV, lines,
			"interface name contains %, which the kernel fills in", "");
		refused(CNI_CHECK, DIALECT_SRIOV, lines,
			"interface name contains %, which the kernel fills in", "");
		accepted(CNI_DEL, DIALECT_VFKEEPER, lines);
	}
}

static void long_container_id(void)
{
	char lines[700], id[300];

	memset(id, 'a', sizeof(id));
	id[255] = '\0';
	snprintf(lines, sizeof(lines), "CNI_CONTAINERID=%s\nCNI_IFNAME=i" REST, id);
	SUITE_INT(parse_as(CNI_ADD, DIALECT_VFKEEPER, lines), 0);
	SUITE_STR(rq_now.att.container, id);
	cni_request_free(&rq_now);
	id[255] = 'a';
	id[256] = '\0';
	snprintf(lines, sizeof(lines), "CNI_CONTAINERID=%s\nCNI_IFNAME=i" REST, id);
	refused(CNI_ADD, DIALECT_VFKEEPER, lines,
		"CNI_CONTAINERID is 256 bytes long, at most 255 are supported", "");
	/* No ADD with it was accepted, so its DEL may match nothing at all. */
	SUITE_INT(parse_as(CNI_DEL, DIALECT_VFKEEPER, lines), 0);
	CU_ASSERT_FALSE(cni_name_valid(rq_now.att.container));
	CU_ASSERT_FALSE(attachment_none(&rq_now.att));
	cni_request_free(&rq_now);
}

/* --- CNI_ARGS --- */

static void args_errors(void)
{
	static const struct {
		const char *args, *msg;
	} rows[] = {
		{ "no-equals-sign", "ARGS: invalid pair \"no-equals-sign\"" },
		{ "A=1=2", "ARGS: invalid pair \"A=1=2\"" },
		{ "MAC=02:00:00:00:00:01;", "ARGS: invalid pair \"\"" },
		{ "FOO=bar;BAZ=1", "ARGS: unknown args [\"FOO=bar\" \"BAZ=1\"]" },
		{ "mac=1", "ARGS: unknown args [\"mac=1\"]" },
		{ "A=1;B=2;C=3;D=4", "ARGS: unknown args [\"A=1\" \"B=2\" \"C=3\" ...]" },
		{ "IgnoreUnknown=0;A=1", "ARGS: unknown args [\"A=1\"]" },
		{ "IgnoreUnknown=maybe", "ARGS: IgnoreUnknown must be 1, true, 0 or false: "
					 "\"IgnoreUnknown=maybe\"" },
	};
	char lines[300], msg[300];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		snprintf(lines, sizeof(lines), GOOD "\nCNI_ARGS=%s", rows[i].args);
		snprintf(msg, sizeof(msg), "SRIOV-CNI failed to parse args: %s",
			 rows[i].msg);
		refused(CNI_ADD, DIALECT_SRIOV, lines, msg, "");
		snprintf(msg, sizeof(msg), "failed to parse args: %s", rows[i].msg);
		refused(CNI_ADD, DIALECT_VFKEEPER, lines, msg, "");
		/* ib-sriov never read them, and a DEL must not fail for them. */
		accepted(CNI_ADD, DIALECT_IB_SRIOV, lines);
		accepted(CNI_DEL, DIALECT_SRIOV, lines);
	}
}

static void args_pod(void)
{
	static const struct {
		const char *args, *ns, *name;
	} rows[] = {
		{ "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=p-0;"
		  "K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=u",
		  "ns", "p-0" },
		{ "K8S_POD_NAME=a;K8S_POD_NAME=b", "", "b" },
		{ "K8S_POD_NAME=a/b;K8S_POD_NAMESPACE=n s", "", "" },
		{ "IgnoreUnknown=TRUE;X=1;K8S_POD_NAMESPACE=d.e_f", "d.e_f", "" },
		{ "", "", "" },
	};
	char lines[300];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		snprintf(lines, sizeof(lines), GOOD "\nCNI_ARGS=%s", rows[i].args);
		SUITE_INT(parse_as(CNI_ADD, DIALECT_SRIOV, lines), 0);
		SUITE_STR(rq_now.pod.ns, rows[i].ns);
		SUITE_STR(rq_now.pod.name, rows[i].name);
		cni_request_free(&rq_now);
	}
}

static void args_on_del(void)
{
	SUITE_INT(parse_as(CNI_DEL, DIALECT_SRIOV,
			   GOOD "\nCNI_ARGS=broken;;K8S_POD_NAME=p;a=b=c"),
		  0);
	SUITE_STR(rq_now.pod.name, "p");
	cni_request_free(&rq_now);
}

static void long_pod_names(void)
{
	char lines[700], name[300];

	memset(name, 'n', sizeof(name));
	name[254] = '\0';
	snprintf(lines, sizeof(lines), GOOD "\nCNI_ARGS=K8S_POD_NAME=%s", name);
	SUITE_INT(parse_as(CNI_ADD, DIALECT_VFKEEPER, lines), 0);
	SUITE_STR(rq_now.pod.name, "");
	cni_request_free(&rq_now);
	name[253] = '\0';
	snprintf(lines, sizeof(lines), GOOD "\nCNI_ARGS=K8S_POD_NAME=%s", name);
	SUITE_INT(parse_as(CNI_ADD, DIALECT_VFKEEPER, lines), 0);
	SUITE_STR(rq_now.pod.name, name);
	cni_request_free(&rq_now);
}

/* --- the block --- */

static void looks_up(void)
{
	static const char env[] = "A=1\0AB=2\0A=3\0=x\0NOEQ\0E=\0";
	size_t len = sizeof(env) - 1;

	SUITE_STR(cni_env_get(env, len, "A"), "3");
	SUITE_STR(cni_env_get(env, len, "AB"), "2");
	SUITE_STR(cni_env_get(env, len, "E"), "");
	SUITE_STR(cni_env_get(env, len, "NOEQ"), NULL);
	SUITE_STR(cni_env_get(env, len, "NO"), NULL);
	SUITE_STR(cni_env_get(env, len, ""), NULL);
	SUITE_STR(cni_env_get(env, 0, "A"), NULL);
	SUITE_STR(cni_env_get(NULL, 0, "A"), NULL);
}

/* A hostile block has no NUL at its end: nothing behind it is read (ASan sees it). */
static void unterminated_block(void)
{
	char *env = malloc(8);

	CU_ASSERT_PTR_NOT_NULL_FATAL(env);
	memcpy(env, "A=1\0B=22", 8);
	SUITE_STR(cni_env_get(env, 8, "A"), "1");
	SUITE_STR(cni_env_get(env, 8, "B"), NULL);
	free(env);
}

/* The block as lines. */
static void filtered(void (*fn)(struct strbuf *, const char *, size_t), const char *lines,
		     const char *expected)
{
	char env[1024];
	struct strbuf out = { 0 };
	size_t len = block(env, sizeof(env), lines);

	fn(&out, env, len);
	CU_ASSERT_FALSE(out.failed);
	for (size_t i = 0; i < out.len; i++)
		if (out.data[i] == '\0')
			out.data[i] = '\n';
	strbuf_add(&out, "", 1);
	SUITE_STR(out.data, expected);
	strbuf_free(&out);
}

static void stores_only_what_is_needed(void)
{
	filtered(cni_env_filter,
		 "CNI_ARGS=a=b;c=d\nHOME=/root\nPATH=/bin\nPATHS=/x\nK8S_NODE=n\nCNIX=1\n"
		 "http_proxy=p\nHTTPS_PROXY=q\nNo_Proxy=r\nproxy=s\nCNI_NOEQ\nSECRET=t\n"
		 "LD_PRELOAD=u\nCNI_ARGS=again",
		 "CNI_ARGS=a=b;c=d\nPATH=/bin\nK8S_NODE=n\nhttp_proxy=p\nHTTPS_PROXY=q\n"
		 "No_Proxy=r\nCNI_ARGS=again\n");
	filtered(cni_env_filter, "", "");
}

static void redacts_credentials(void)
{
	filtered(cni_env_redact,
		 "https_proxy=http://user:pa@ss@proxy:3128/\nHTTP_PROXY=user:pass@proxy\n"
		 "no_proxy=a.example,b\nALL_PROXY=socks5://proxy:1080\nCNI_ARGS=A=x@y",
		 "https_proxy=http://[redacted]@proxy:3128/\nHTTP_PROXY=[redacted]@proxy\n"
		 "no_proxy=a.example,b\nALL_PROXY=socks5://proxy:1080\nCNI_ARGS=A=x@y\n");
}

VFK_SUITE(cni_env,
	  { "all missing variables are named together, in the skeleton's order",
	    names_all_missing },
	  { "a DEL needs no network namespace", del_needs_no_netns },
	  { "an invalid variable is reported before missing ones", invalid_before_missing },
	  { "container IDs follow the skeleton's rule", container_ids },
	  { "interface names follow the skeleton's rule", interface_names },
	  { "what an ADD prints has to be UTF-8", only_text_for_the_result },
	  { "an interface name is no pattern, but a DEL of one is a success", no_patterns },
	  { "a container ID of 256 bytes fails an ADD and matches nothing in a DEL",
	    long_container_id },
	  { "CNI_ARGS are held to Go's rule, except for ib-sriov and DEL", args_errors },
	  { "the pod is read from CNI_ARGS, its last value", args_pod },
	  { "a DEL reads the pod from broken CNI_ARGS", args_on_del },
	  { "a pod name that does not fit is left out", long_pod_names },
	  { "the last value of a variable is found", looks_up },
	  { "a block without its last NUL is not read beyond its end", unterminated_block },
	  { "only CNI, K8S, PATH and proxy variables are stored",
	    stores_only_what_is_needed },
	  { "user and password of proxies are not shown", redacts_credentials })
