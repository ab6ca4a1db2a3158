/* SPDX-License-Identifier: Apache-2.0 */
/* Pods, their attachments, and the processes of the client (src/vfkeeper) that a runtime
 * starts for them. */
#ifndef VFK_TESTS_SIM_CALLERS_H
#define VFK_TESTS_SIM_CALLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "kernel.h"
#include "rng.h"

#define SIM_PODS 4
#define SIM_CLAIMS 64

/* One attachment that was ever asked for: network, container, interface. */
struct claim {
	bool used;
	char container[16], ifname[8], network[8];
	unsigned ns; /* of its pod */
	uint64_t ns_cookie;
	/* What callers have said and heard. */
	uint64_t last_del_start; /* of the newest DEL whose client has begun */
	uint64_t del_read_ns;	 /* when an engine has last read one */
	uint64_t del_done_start; /* of the newest DEL that was answered with 0 */
	uint64_t add_start;	 /* of the newest ADD whose client has begun */
	uint64_t added_start;	 /* of the newest ADD that was answered with 0 */
	uint64_t gone_start;	 /* of the newest ADD whose end an engine has read */
	bool asked;		 /* an ADD has ever begun */
	bool lost_vf;		 /* its VF went from the bus */
	uint64_t import_start;	 /* of the newest import whose client has begun */
	uint64_t imported_start; /* the same, when its record was written */
	uint64_t imported_ns;	 /* when its record was written */
};

extern struct claim claims[SIM_CLAIMS];

struct pod {
	unsigned ns;
	char container[16];
	unsigned generation;
};
extern struct pod pods[SIM_PODS];

struct call {
	enum cni_verb verb;
	unsigned claim, vf;
	bool ipam;
	bool netns;		 /* CNI_NETNS is given */
	unsigned settings;	 /* which of some configurations */
	char members[160];	 /* more of it, as text */
	bool listed;		 /* GC: it says what is valid */
	uint64_t valid;		 /* GC: claims that it names, as bits */
	uint64_t takes[SIM_VFS]; /* GC: the attachment of each VF that it ends; 0: none */
	int64_t born_before_ns;	 /* the client began that much earlier */
	unsigned in_ns;		 /* IMPORT: another namespace than the pod's */
};

void callers_reset(void);
void callers_boot(void); /* all of them are gone */
void pod_new(unsigned pod, bool same_id);
unsigned claim_of(unsigned pod, unsigned att);
unsigned claim_any(struct rng *r);
unsigned claim_find(const char *container, const char *ifname); /* SIM_CLAIMS: none */
bool claim_ns_lives(unsigned claim);

bool caller_start(const struct call *call); /* false: too many run already */
void caller_kill_any(unsigned nth);
unsigned callers_n_settings(void);
unsigned callers_running(void);
unsigned callers_connected(void);
uint64_t callers_hash(void);
/* How the last call of all for this claim with this verb ended: exit code, -1 not yet. */
int caller_last_exit(unsigned claim, enum cni_verb verb);
int caller_last_code(unsigned claim, enum cni_verb verb); /* of the CNI error; 0: none */

/* From the engine, by connection. */
void callers_answer(uint64_t conn, int exit_code, const char *text, size_t len);
void callers_run(uint64_t conn, const struct frame_run *run, const int *fds,
		 unsigned n_fds);
void callers_cancel(uint64_t conn);
void callers_eof(void);	       /* the engine's end of every connection is closed */
void callers_not_served(void); /* likewise of those that have not asked yet */
void callers_engine_up(void);

/* How long a call waits for its answer, in ns. */
int64_t caller_patience(enum cni_verb verb);

#endif
