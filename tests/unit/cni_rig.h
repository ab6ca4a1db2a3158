/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations of calls, made and parsed. */
#ifndef VFK_TESTS_CNI_RIG_H
#define VFK_TESTS_CNI_RIG_H

#include "cni/cni-internal.h"
#include "cni/cni.h"
#include "suite.h"

#define RC(x) "\"runtimeConfig\":{" x "}"
#define GUID "02:00:00:00:00:00:bb:61"
#define ARGS(x) "\"args\":{\"cni\":{" x "}}"

static const char env_add[] =
	"CNI_CONTAINERID=c1\0CNI_NETNS=/run/netns/p\0CNI_IFNAME=net1\0CNI_PATH=/opt/cni/bin\0";

static struct cni_request rq_now;
static struct cni_fail fail_now;

static inline int parse_len(enum cni_verb verb, enum cni_dialect dialect,
			    const char *text, size_t len)
{
	/* A copy of its very length: ASan sees what is read beyond it. */
	char *copy = malloc(len ? len : 1);
	int rc;

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memcpy(copy, text, len);
	memset(&fail_now, 0, sizeof(fail_now));
	rc = cni_parse(&rq_now, verb, dialect, env_add, sizeof(env_add) - 1, copy, len,
		       &fail_now);
	free(copy);
	return rc;
}

static inline int parse(enum cni_verb verb, enum cni_dialect dialect, const char *text)
{
	return parse_len(verb, dialect, text, strlen(text));
}

static inline void refused(enum cni_verb verb, enum cni_dialect dialect, const char *text,
			   int code, const char *msg, const char *details)
{
	int rc = parse(verb, dialect, text);

	SUITE_INT(rc, -1);
	if (rc == 0)
		cni_request_free(&rq_now);
	SUITE_INT(fail_now.code, code);
	SUITE_STR(fail_now.msg, msg);
	SUITE_STR(fail_now.details, details);
}

/* A configuration that is good but for 'keys'. */
static const char *with(const char *keys)
{
	static char text[4096];

	snprintf(text, sizeof(text),
		 "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"x\",\"deviceID\":"
		 "\"0000:3b:00.4\"%s%s}",
		 *keys ? "," : "", keys);
	return text;
}

/* Parses an ADD that has to succeed; the caller frees rq_now. */
static inline void add(enum cni_dialect dialect, const char *keys)
{
	int rc = parse(CNI_ADD, dialect, with(keys));

	SUITE_STR(fail_now.msg, "");
	CU_ASSERT_EQUAL_FATAL(rc, 0);
}

static inline const char *prefix(enum cni_dialect dialect)
{
	return dialect == DIALECT_IB_SRIOV ?
		       "infiniBand SRI-OV CNI failed to load netconf: " :
	       dialect == DIALECT_SRIOV ? "SRIOV-CNI failed to load netconf: LoadConf(): " :
					  "configuration: ";
}

#endif
