/* SPDX-License-Identifier: Apache-2.0 */
/* CNI requests, results and errors: text in, typed structs out, and back.  No I/O.
 * Contract: vfkeeper-cni(7).  Layer: cni. */
#ifndef VFK_CNI_CNI_H
#define VFK_CNI_CNI_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/attachment.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/pci.h"
#include "base/strbuf.h"
#include "base/vfconf.h"
#include "drivers/driver.h"
#include "drivers/pod.h"

/* Order matters: comparisons with < are used. */
enum cni_spec {
	CNI_0_1_0 = 1,
	CNI_0_2_0,
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0
};
#define CNI_SPEC_NEWEST CNI_1_1_0

const char *cni_spec_name(enum cni_spec spec); /* "1.1.0" */

/* What goes to the caller's stdout when a verb fails. */
struct cni_fail {
	int code;
	char msg[600];
	char details[400]; /* "": left out */
};

enum guid_policy { GUID_GIVEN = 0, GUID_DERIVED, GUID_KEEP };

struct cni_request {
	enum cni_verb verb;
	enum cni_dialect dialect;
	enum cni_spec spec;
	struct attachment att;
	struct pod_ref pod;
	const char *netns_path; /* CNI_NETNS as given, "" if unset; points into 'env' */
	const char *cni_path;	/* CNI_PATH, likewise */
	bool has_device; /* deviceID (or runtimeConfig.deviceID, or pciBusID) was given */
	pci_addr_t device;
	struct vf_settings wanted;
	enum guid_policy guid_policy;
	char ipam_type[64];  /* "": no IPAM */
	bool ipam_own;	     /* type is "vfkeeper": not delegated */
	json_t *prev_result; /* borrowed from 'conf', NULL if none */
	json_t *conf;	     /* the whole configuration */
	const char *env;     /* borrowed block "K=V\0..." */
	size_t env_len;
	unsigned timeout_s;   /* timeoutSeconds, 0: default */
	bool skip_ipam_check; /* ipamCheck false */
	bool vfio_mode;	      /* vfioPciMode true: the VF has to be on vfio-pci */
};

/* Checks the environment (in the order and with the words of the Go skeleton), then the
 * configuration (name, version, every key of the dialect), all of it before anything is
 * touched.  'env' has to outlive 'rq'.  DEL is lenient (P6): with
 * a valid environment only lack of memory fails it.  Bad values are ignored; without a
 * usable name the network is "" (unknown: container and interface decide), with one that is
 * too long for any ADD the part in question is "!", which no attachment has.
 * 0, or -1 with 'fail' filled and 'rq' needing no free (rq->spec is still good for
 * cni_fail_text). */
int cni_parse(struct cni_request *rq, enum cni_verb verb, enum cni_dialect dialect,
	      const char *env, size_t env_len, const char *stdin_text, size_t stdin_len,
	      struct cni_fail *fail) VFK_MUST_CHECK;
void cni_request_free(struct cni_request *rq);

/* The key whose setting has this bit of enum vf_has. */
const char *cni_setting_key(uint32_t bit);

/* The last value of variable 'name' in an environment block, or NULL. */
const char *cni_env_get(const char *env, size_t env_len, const char *name);
/* Only CNI_*, K8S_*, PATH and proxy variables: what may be stored. Appends to 'out'. */
void cni_env_filter(struct strbuf *out, const char *env, size_t env_len);
/* The same block for the eyes of people: user and password of proxy URLs are replaced. */
void cni_env_redact(struct strbuf *out, const char *env, size_t env_len);

/* An IPAM answer of any supported version, normalised to 1.1.0 ({ips, routes, dns}). */
struct cni_ipam {
	json_t *result; /* owned */
	unsigned n_ips, n_routes;
	struct drv_ip ips[DRV_MAX_IPS];
	struct drv_route routes[DRV_MAX_ROUTES];
};
/* VFK_E_IPAM in one line: not JSON, an unsupported version, no address, a bad address,
 * more than DRV_MAX_*. */
int cni_ipam_parse(struct cni_ipam *out, const char *text, size_t len,
		   struct vfk_err *err) VFK_MUST_CHECK;
void cni_ipam_free(struct cni_ipam *ipam);
/* The error object that a failing plugin printed (or the lack of one): its code, msg and
 * details, prefixed with the plugin's name. */
void cni_ipam_failure(struct cni_fail *fail, const char *plugin, enum run_outcome outcome,
		      int status, const char *text, size_t len);

/* The facts of the link for interfaces[0]. */
struct cni_link {
	char mac[64]; /* formatted, "" if unknown: 6 or 20 octets with colons */
	unsigned mtu_bytes;
	pci_addr_t pci;
};
/* The result at rq->spec: prevResult passed through with ours merged, interfaces, ips with
 * their interface index.  'ipam' may be NULL.  The caller frees.
 * VFK_E_UNSUPPORTED: cannot be expressed at that version (no IP in 0.1.0/0.2.0); to be
 * checked with cni_result_possible before anything is touched. */
char *cni_result(const struct cni_request *rq, const struct cni_link *link,
		 const struct cni_ipam *ipam, struct vfk_err *err) VFK_MUST_CHECK;
int cni_result_possible(const struct cni_request *rq, struct vfk_err *err) VFK_MUST_CHECK;

/* CHECK: what a result (prevResult, or the one of the ADD) says of our interface: its
 * hardware address, MTU and addresses, all routes.  VFK_E_IPAM, VFK_E_DECODE: it is no
 * result; VFK_E_NOTFOUND: one without our interface. */
struct cni_expect {
	struct pod_expect pod;
	unsigned n_ips, n_routes;
	struct drv_ip ips[DRV_MAX_IPS];
	struct drv_route routes[DRV_MAX_ROUTES];
};
int cni_expect(struct cni_expect *out, const struct cni_request *rq, const json_t *result,
	       struct vfk_err *err) VFK_MUST_CHECK;

/* GC: the attachments that the caller holds valid, sorted; strings are those of rq->conf. */
struct cni_valid {
	bool given; /* false: the key is not there, which is not the same as none */
	size_t n;
	struct cni_valid_one {
		const char *container, *ifname;
	} * all;
};
int cni_valid_parse(struct cni_valid *out, const struct cni_request *rq,
		    struct cni_fail *fail) VFK_MUST_CHECK;
bool cni_valid_has(const struct cni_valid *valid, const struct attachment *att);
void cni_valid_free(struct cni_valid *valid);
/* The configuration with these attachments as the valid ones; the caller frees; NULL: out
 * of memory. */
char *cni_valid_conf(const struct cni_request *rq, const struct attachment *all, size_t n);

/* {"cniVersion", "code", "msg"[, "details"]}; the caller frees; NULL: out of memory. */
char *cni_fail_text(const struct cni_fail *fail, enum cni_spec spec);
/* Fills 'fail' from an error: code by kind, the line, and " (vfctl explain <addr>)" where
 * 'vf' is not PCI_NONE. */
void cni_fail_from(struct cni_fail *fail, const struct vfk_err *err, pci_addr_t vf);
void cni_fail_set(struct cni_fail *fail, int code, const char *fmt, ...) VFK_PRINTF(3, 4);
/* To be called on the failure of a DEL before it is printed: callers take "not found" and "no
 * such file or directory" in it for success, and the words may be a plugin's. */
void cni_fail_for_del(struct cni_fail *fail);

/* Beginning of the lines about the configuration, as people grep for it. */
const char *cni_conf_prefix(enum cni_dialect dialect);

#endif
