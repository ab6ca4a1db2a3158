/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine counts, and its text for Prometheus.  Every family stands in the list
 * below and in vfkeeper-http(7).  Layer: engine. */
#ifndef VFK_ENGINE_METRICS_H
#define VFK_ENGINE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/strbuf.h"
#include "engine/job.h"

/* X(NAME, name, type, help) */
#define METRICS(X)                                                                          \
	X(BUILD_INFO, "vfkeeper_build_info", "gauge", "Always 1, with the version.")        \
	X(START, "vfkeeper_start_time_seconds", "gauge",                                    \
	  "When this engine started, in seconds since 1970.")                               \
	X(READY, "vfkeeper_ready", "gauge", "1 if an ADD would be served.")                 \
	X(VFS, "vfkeeper_vfs", "gauge", "VFs by PF and state.")                             \
	X(VFS_STUCK, "vfkeeper_vfs_stuck", "gauge",                                         \
	  "VFs with a step in the kernel that is past its deadline.")                       \
	X(VF_PENDING, "vfkeeper_vf_oldest_pending_seconds", "gauge",                        \
	  "Age of the oldest RESERVED or DETACHING VF, 0 if there is none.")                \
	X(PF_INFO, "vfkeeper_pf_info", "gauge", "Always 1, with driver and link of a PF.")  \
	X(PORT, "vfkeeper_port_state", "gauge",                                             \
	  "1 for the state that a port of a PF is in.")                                     \
	X(REQUESTS, "vfkeeper_requests_total", "counter", "CNI calls answered.")            \
	X(ERRORS, "vfkeeper_request_errors_total", "counter",                               \
	  "CNI calls answered with an error, by its code.")                                 \
	X(IN_FLIGHT, "vfkeeper_requests_in_flight", "gauge", "CNI calls not answered yet.") \
	X(REQUEST_S, "vfkeeper_request_duration_seconds", "histogram",                      \
	  "From a CNI call's arrival at the engine to its answer.")                         \
	X(TRANSITIONS, "vfkeeper_transitions_total", "counter",                             \
	  "Transitions of VFs and leases, by event.")                                       \
	X(REFUSED, "vfkeeper_refused_events_total", "counter",                              \
	  "Events that a state machine has no transition for.")                             \
	X(REPAIRS, "vfkeeper_reconcile_repairs_total", "counter",                           \
	  "Transitions of VFs that were caused by what the kernel showed, not by a call.")  \
	X(PORT_TRANSITIONS, "vfkeeper_port_transitions_total", "counter",                   \
	  "Transitions of the ports of a PF, by the state they led to.")                    \
	X(SOURCE_OPEN, "vfkeeper_event_source_open", "gauge",                               \
	  "1 if the engine listens to this source of events.")                              \
	X(SOURCE_EVENTS, "vfkeeper_event_source_events_total", "counter",                   \
	  "Events of a source that were read.")                                             \
	X(SOURCE_OVERRUNS, "vfkeeper_event_source_overruns_total", "counter",               \
	  "Times that events of a source were lost, upon which everything is looked at.")   \
	X(HINTS, "vfkeeper_hints_total", "counter",                                         \
	  "Events that spoke of a VF and asked for a look at it.")                          \
	X(HINTS_COALESCED, "vfkeeper_hints_coalesced_total", "counter",                     \
	  "Those of them whose VF was going to be looked at already.")                      \
	X(LOOKS, "vfkeeper_vf_looks_total", "counter", "Looks at single VFs.")              \
	X(LEASES, "vfkeeper_leases", "gauge", "Leases of IPAM plugins by state.")           \
	X(LEASE_OWED, "vfkeeper_lease_oldest_owed_seconds", "gauge",                        \
	  "Age of the oldest lease whose release is owed, 0 if there is none.")             \
	X(IPAM_S, "vfkeeper_ipam_duration_seconds", "histogram",                            \
	  "How long IPAM plugins ran.")                                                     \
	X(JOBS, "vfkeeper_jobs", "gauge",                                                   \
	  "Jobs for worker processes: waiting, running, or stuck past their deadline.")     \
	X(JOB_S, "vfkeeper_job_duration_seconds", "histogram",                              \
	  "How long jobs of worker processes took.")                                        \
	X(REBIND_S, "vfkeeper_rebind_duration_seconds", "histogram",                        \
	  "How long jobs held the node's rebind window.")                                   \
	X(WORKERS, "vfkeeper_workers", "gauge", "Worker processes.")                        \
	X(WORKER_STARTS, "vfkeeper_worker_starts_total", "counter",                         \
	  "Worker processes started.")                                                      \
	X(CLIENTS, "vfkeeper_clients", "gauge", "Connections of CNI clients.")              \
	X(RECORDS, "vfkeeper_journal_records_total", "counter",                             \
	  "Records appended to the journal.")                                               \
	X(BYTES, "vfkeeper_journal_bytes_total", "counter",                                 \
	  "Bytes of the records appended, without snapshots.")                              \
	X(SYNCS, "vfkeeper_journal_syncs_total", "counter", "Syncs of the journal.")        \
	X(JOURNAL_WORKS, "vfkeeper_journal_works", "gauge",                                 \
	  "1 if records can be written and synced.")                                        \
	X(MISSING, "vfkeeper_journal_records_missing", "gauge",                             \
	  "1 if the journal is marked: records may be missing.")                            \
	X(LAST, "vfkeeper_journal_last_sequence", "gauge",                                  \
	  "Sequence of the last record written.")                                           \
	X(DURABLE, "vfkeeper_journal_durable_sequence", "gauge",                            \
	  "Sequence of the last record known to be on the disk.")

#define HISTOGRAM_BUCKETS 17
#define METRIC_VERBS (CNI_VERSION + 1) /* 0: it could not be read */
#define METRIC_CODES 14
#define METRIC_JOB_KINDS 12 /* above the highest enum job_kind */

struct histogram {
	uint64_t n[HISTOGRAM_BUCKETS]; /* not cumulated; the last one has no bound */
	double sum_s;
};

struct metrics {
	struct histogram requests[METRIC_VERBS][2]; /* ok, error */
	uint64_t errors[METRIC_VERBS][METRIC_CODES];
	struct histogram jobs[METRIC_JOB_KINDS][2];
	struct histogram ipam[METRIC_VERBS][2], rebind;
	uint64_t vf_events[64], lease_events[32]; /* by enum value */
	uint64_t repairs, n_records, record_bytes;
	uint64_t hints, hints_coalesced;
};

/* 'code' is that of the CNI error, 0: success. */
void metrics_request(struct metrics *m, enum cni_verb verb, int code, int64_t took_ns);
void metrics_job(struct metrics *m, enum job_kind kind, bool rebind, bool ok,
		 int64_t took_ns);
void metrics_ipam(struct metrics *m, enum cni_verb verb, bool ok, int64_t took_ns);

#endif
