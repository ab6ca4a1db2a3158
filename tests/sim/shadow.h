/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the journal's files, read beside the engine: every record that was written
 * whole, newest of each VF and lease. */
#ifndef VFK_TESTS_SIM_SHADOW_H
#define VFK_TESTS_SIM_SHADOW_H

#include <stdbool.h>

#include "fsm/lease.h"
#include "fsm/vf.h"
#include "io/codec.h"
#include "io/journal.h"
#include "kernel.h"

#define SHADOW_LEASES 24

struct shadow_vf {
	bool have;
	struct rec_vf rec;
	struct rec_vf before; /* the record before it */
	/* Where it ends on the disk, and where it stood before a new file was begun. */
	uint64_t file, end, old_file, old_end;
};

struct shadow_lease {
	bool have;
	struct rec_lease rec;
	/* Where its record ends on the disk, and where it stood before a new file was begun. */
	uint64_t file, end, old_file, old_end;
	bool survives; /* a loss of power */
	bool fresh;    /* stands in the snapshot that is being written */
};

struct shadow {
	struct shadow_vf vf[SIM_VFS];
	struct shadow_lease lease[SHADOW_LEASES];
	struct rec_node node;
	unsigned n_records; /* appended */
	bool write_failed;  /* the last attempt to write did */
	bool snapshot;	    /* one was written, or is being written */
};

extern struct shadow shadow;

void shadow_reset(void);
/* False: not a record of a VF or lease that we know. */
bool shadow_take(uint16_t type, const void *buf, size_t len, struct shadow_vf **vf,
		 struct shadow_lease **lease);
struct shadow_vf *shadow_of(const struct kvf *v);
struct shadow_lease *shadow_lease(uint64_t id);
const struct kvf *shadow_vf_of_lease(uint64_t id); /* NULL: of no VF on record */
/* It outlives a loss of power: in the present file, or in the one before. */
bool shadow_synced(const struct shadow_lease *l);
/* P4: an owner on record asked for this GUID or MAC. */
bool shadow_pod_has(const struct vf_settings *set);
bool shadow_vf_synced(const struct shadow_vf *s);

/* Called for each record as it is appended. */
void promise_vf_record(struct kvf *v, struct shadow_vf *s);
void promise_lease_record(struct shadow_lease *l);

#endif
