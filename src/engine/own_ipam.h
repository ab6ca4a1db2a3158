/* SPDX-License-Identifier: Apache-2.0 */
/* IPAM of our own (ipam type vfkeeper): addresses are part of the VF's record, so that they are
 * leased and given back with it; no process, no sync, no lock beyond this node.  The ranges
 * come with each request; several nodes share them by slices.  Contract: vfkeeper-cni(7).
 * Layer: engine. */
#ifndef VFK_ENGINE_OWN_IPAM_H
#define VFK_ENGINE_OWN_IPAM_H

#include "cni/cni.h"
#include "engine/addr_range.h"
#include "engine/config.h"
#include "io/codec.h"

/* Each set gives one address, from the first of its ranges that has one. */
struct own_ipam {
	unsigned n_sets, n_ranges, n_requested;
	struct {
		unsigned n;
		struct addr_range *ranges; /* in 'all' */
	} sets[REC_OWN_MAX];
	struct cni_cidr requested[REC_OWN_MAX];
	const json_t *routes,
		*dns; /* borrowed from the request's configuration; NULL: none */
	struct addr_range all[];
};

/* Reads "ipam" of 'rq'.  'config' says which slice is this node's.  NULL with 'fail' filled:
 * code 7, what and where.  The caller frees with free(). */
struct own_ipam *own_ipam_parse(const struct cni_request *rq, const struct config *config,
				struct cni_fail *fail);

/* What the VFs of a node hold, both families, sorted; the caller frees. */
struct own_held {
	addr_num *v4, *v6;
	size_t n_v4, n_v6;
};

/* Chooses one address of each set, the requested ones where there are any, and fills 'out'
 * ('*n_out' of them).  'seed' spreads the choice, so that an address is not given again as soon
 * as it is free.  False with 'fail': 11 if all are held, 7 if a requested one is in no range. */
bool own_ipam_pick(const struct own_ipam *own, const struct own_held *held, uint64_t seed,
		   struct rec_addr out[REC_OWN_MAX], unsigned *n_out,
		   struct cni_fail *fail);

/* The answer of an IPAM plugin that gave these addresses; the caller frees.  NULL: out of
 * memory, or an address that is in no range. */
char *own_ipam_answer(const struct own_ipam *own, const struct rec_addr *addrs, unsigned n);

#endif
