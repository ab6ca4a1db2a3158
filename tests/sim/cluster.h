/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the simulated cluster share: an agenda of what comes when, and how
 * long calls waited. */
#ifndef VFK_TESTS_SIM_CLUSTER_H
#define VFK_TESTS_SIM_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PODS 8 /* of a node */
#define VFS_OF_A_POD 5

/* What happens at 'at_ns' to node 'node'; in equal moments, first put, first had. */
struct entry {
	int64_t at_ns;
	uint64_t turn;
	unsigned node;
	int what;
	uint64_t arg;
};

struct agenda {
	struct entry *heap;
	size_t n, room;
	uint64_t turns;
};

void agenda_put(struct agenda *a, int64_t at_ns, unsigned node, int what, uint64_t arg);
bool agenda_next(struct agenda *a, struct entry *out);
void agenda_free(struct agenda *a);

struct waits {
	int64_t *ns;
	size_t n, room;
	int64_t last_end_ns; /* when the last of them was over */
};

void waits_add(struct waits *w, int64_t ns, int64_t end_ns);
double waits_mean_s(const struct waits *w);
/* The wait that 'percent' of all do not exceed; sorts. */
double waits_s(struct waits *w, unsigned percent);
void waits_free(struct waits *w);

/* One lease for the whole cluster, as a plugin has it that elects itself leader for each
 * address (cluster_lease.c). */
struct lease_figures {
	struct waits add; /* from the call to its answer, good or not */
	unsigned n_timeouts;
	unsigned n_pods_up;
	int64_t all_up_ns; /* 0: never, within the hours that are played */
};

void lease_cluster(unsigned n_nodes, uint64_t seed, struct lease_figures *out);

/* When pod 'pod' of 'node' begins: the same whatever else there is in the cluster. */
int64_t pod_begins_ns(uint64_t seed, unsigned node, unsigned pod);

#endif
