/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the CNI contract share among themselves.  Layer: engine. */
#ifndef VFK_ENGINE_CNI_INTERNAL_H
#define VFK_ENGINE_CNI_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "engine/cni.h"

/* --- cni_json.c: JSON as the Go callers and plugins read it --- */

/* Decodes one JSON value of any kind.  Bytes that are not UTF-8 become U+FFFD and integers
 * beyond 64 bits become reals: as long as nobody looks at them they must not disturb.
 * NULL: 'why' holds one line; '*no_memory' tells whether that was the reason. */
json_t *cni_json_load(const char *text, size_t len, char *why, size_t why_cap,
		      bool *no_memory);

/* The member 'key' of an object the way Go fills a struct: upper and lower case are the
 * same, the last one in the text wins, null is no value.  NULL: none, or no object. */
json_t *cni_json_find(const json_t *obj, const char *key);
/* The same one level down; every spelling of 'outer' counts. */
json_t *cni_json_find2(const json_t *obj, const char *outer, const char *inner);

/* Whether the text is UTF-8, so that it can stand in a result. */
bool cni_text_valid(const char *text);
/* Whether it holds no control character. */
bool cni_one_line(const char *text);
/* "a string", "a number", ... for messages. */
const char *cni_json_kind(const json_t *value);
/* A string without NUL inside, or NULL. */
const char *cni_json_text(const json_t *value);
/* A number without a fraction that fits, else false. */
bool cni_json_int(const json_t *value, int64_t *out);
/* A value for a message: strings quoted and cut, arrays and objects named.  Returns 'buf'. */
#define CNI_SHOW_LEN 72
const char *cni_json_show(const json_t *value, char buf[CNI_SHOW_LEN]);
/* Likewise for a plain text. */
const char *cni_show(const char *text, char buf[CNI_SHOW_LEN]);

/* --- cni_env.c --- */

/* The variables of the call, in the order and with the words of the Go skeleton.  Fills
 * container and ifname. */
int cni_env_check(struct attachment *att, enum cni_verb verb, const char *env,
		  size_t env_len, struct cni_fail *fail) VFK_MUST_CHECK;
/* CNI_ARGS: fills 'pod' and 'mac' ("" if not given).  'strict': broken pairs and unknown keys
 * are errors. */
#define CNI_MAC_TEXT 64
int cni_args_parse(struct pod_ref *pod, char mac[CNI_MAC_TEXT], const char *args,
		   enum cni_dialect dialect, bool strict,
		   struct cni_fail *fail) VFK_MUST_CHECK;
/* ^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$ */
bool cni_name_valid(const char *text);

/* --- cni_fail.c --- */

/* A value of the wrong kind: one line with key and value, code 6; returns -1. */
int cni_fail_kind(struct cni_fail *fail, const char *prefix, const char *key,
		  const json_t *value, const char *wanted);

/* --- cni_spec.c --- */

enum cni_spec cni_spec_parse(const char *name); /* 0: not supported */

/* --- cni_keys.c --- */

/* Reads every key of the dialect into rq->wanted and its neighbours.  'strict' false (DEL,
 * GC): bad values are left out.  'args_mac' is MAC of CNI_ARGS. */
int cni_keys_parse(struct cni_request *rq, const char *args_mac, bool strict,
		   struct cni_fail *fail) VFK_MUST_CHECK;
/* The name of the i-th of those keys, NULL behind the last one (for the man page's test). */
const char *cni_key(unsigned i);
/* Beginning of the lines about the configuration, as people grep for it. */
const char *cni_conf_prefix(enum cni_dialect dialect);

/* "02:00:..": exactly 'n' octets with colons. */
bool cni_octets(const char *text, unsigned n, uint8_t *out);

/* --- cni_ipam.c --- */

/* "10.1.2.3/24", "fd00::1/64" (no prefix length: 32 or 128 where 'bare' allows it). */
struct cni_cidr {
	uint8_t family, prefix_len, addr[16];
};
bool cni_cidr_parse(const char *text, bool bare, struct cni_cidr *out);
#define CNI_CIDR_TEXT 56
const char *cni_cidr_format(const struct cni_cidr *cidr, bool bare,
			    char buf[CNI_CIDR_TEXT]);

/* Clears what is behind the prefix. */
void cni_mask(uint8_t addr[16], unsigned prefix_len);

/* Turns ips, routes and dns of a result of any supported version into those of 1.1.0.
 * 'keep_interface': ips[].interface stays.  The caller owns *out. */
int cni_result_normalise(const json_t *in, bool keep_interface, json_t **out,
			 struct vfk_err *err) VFK_MUST_CHECK;

#endif
