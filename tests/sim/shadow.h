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

/* Where the newest record of something ends in each file, 0: it does not stand there.  Each
 * file that is begun says it again, and the one before may be synced after that. */
struct places {
	uint64_t end[JOURNAL_FILES];
	bool outside; /* it was appended, or read: not only in a snapshot */
};

struct shadow_vf {
	bool have;
	struct rec_vf rec;
	struct rec_vf before; /* the record before it */
	struct places at;
	bool survives; /* a loss of power */
};

struct shadow_lease {
	bool have;
	struct rec_lease rec;
	struct places at;
	bool survives; /* a loss of power */
	bool fresh;    /* stands in the snapshot that is being written */
};

struct shadow {
	struct shadow_vf vf[SIM_VFS];
	struct shadow_lease lease[SHADOW_LEASES];
	unsigned n_records; /* appended */
	bool write_failed;  /* the last attempt to write did */
	bool snapshot;	    /* one was written, or is being written */
	unsigned begun; /* the file that it stands in, which is none before it is whole */
};

extern struct shadow shadow;

void shadow_reset(void);
/* False: not a record of a VF or lease that we know. */
bool shadow_take(uint16_t type, const void *buf, size_t len, struct shadow_vf **vf,
		 struct shadow_lease **lease);
struct shadow_vf *shadow_of(const struct kvf *v);
struct shadow_lease *shadow_lease(uint64_t id);
unsigned shadow_n_leases(void);
const struct kvf *shadow_vf_of_lease(uint64_t id); /* NULL: of no VF on record */
/* It outlives a loss of power: one of the files where it stands does. */
bool shadow_synced(const struct places *at);
/* It stands in more than the snapshot that is being written. */
bool shadow_whole(const struct places *at);
/* Bytes of a file are others now. */
void shadow_rot(unsigned file, uint64_t from, uint64_t to);
/* The configuration of this lease was among them, wherever it stands as well. */
bool shadow_conf_lost(uint64_t lease);
/* P4: another VF is called so at home, by its record. */
bool shadow_name_of_another(const struct kvf *v, const char *name);
/* P4: an owner on record asked for this GUID or MAC. */
bool shadow_pod_has(const struct vf_settings *set);
/* It is there, and what stands elsewhere is older news. */
void shadow_stands(struct places *at, unsigned file, uint64_t end);
void shadow_begun(unsigned file); /* anew: nothing stands there any more */
/* A blob's payload stands there. */
void shadow_blob(const void *payload, size_t len, unsigned file, uint64_t offset);

/* Called for each record as it is appended. */
void promise_vf_record(struct kvf *v, struct shadow_vf *s);
void promise_lease_record(struct shadow_lease *l);
/* A snapshot says of a VF what could not be recorded before. */
void promise_vf_snapshot(struct kvf *v, const struct shadow_vf *s);

#endif
