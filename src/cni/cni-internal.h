/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the CNI contract share among themselves.  Layer: cni; only its own
 * files and their tests include this. */
#ifndef VFK_CNI_CNI_INTERNAL_H
#define VFK_CNI_CNI_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "cni/cni.h"
#include "cni/cni_cidr.h"
#include "cni/cni_json.h"

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
/* "02:00:..": exactly 'n' octets with colons. */
bool cni_octets(const char *text, unsigned n, uint8_t *out);

/* --- cni_ipam.c --- */

/* Turns ips, routes and dns of a result of any supported version into those of 1.1.0.
 * 'keep_interface': ips[].interface stays.  The caller owns *out. */
int cni_result_normalise(const json_t *in, bool keep_interface, json_t **out,
			 struct vfk_err *err) VFK_MUST_CHECK;

#endif
