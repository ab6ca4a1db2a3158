/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's process: the real struct engine with the simulated world around it; how it is
 * started, dies, hangs and gives way.  At most one process holds LOCK (R1). */
#ifndef VFK_TESTS_SIM_ENGINES_H
#define VFK_TESTS_SIM_ENGINES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

void engines_reset(bool sync_all);
void engines_stop(void); /* frees the engine, if there is one; end of a history */
void engines_boot(void); /* another boot id, a fresh /run */

/* Somebody starts one: systemd, or a client that found none (R2). */
bool engine_start_service(void); /* false: it is there */
void engine_start_on_demand(void);
bool engine_serves(void);	      /* its socket can be connected to */
bool engine_exists(void);	      /* it holds LOCK */
void engine_kill(unsigned after_ops); /* at the n-th thing that it does to the world */
void engine_kill_never(void);
void engines_power_off(void); /* it is gone without a word */
void engine_hang(int64_t ns);
/* What was called then it could read only now, or less than a DEL may wait ago. */
bool engine_read_late(uint64_t start_ns);
bool engine_has_conf(uint64_t lease); /* what its IPAM DEL needs can be read */
void engine_give_way(void);
bool engine_is_service(void);
unsigned engine_generation(void);

/* For the disk: */
bool engine_lives(void);     /* false: killed, what it still does has no effect */
bool engine_dies_here(void); /* counts one thing that it does to the world */
int engine_file_fd(unsigned file);

/* Messages to the engine; each is one turn of its loop. */
void engine_ask(uint64_t conn, const struct frame_request *rq, int stdin_fd, int env_fd,
		int netns_fd);
void engine_result(uint64_t conn, const struct frame_ran *ran, const char *out);
void engine_hangup(uint64_t conn);
void engine_job_end(unsigned gen, const struct job_res *res, const char *lost);
void engines_nsid_gone(int32_t nsid);
/* An event about this VF's link or device, whoever's doing it is. */
void engines_vf_touched(pci_addr_t addr);
struct ctl_request;
bool engine_says_yes(const struct ctl_request *rq);
struct json_t;
struct json_t *engine_answers(const struct ctl_request *rq); /* NULL: it says no, or dies */
/* False: it does not listen now (it hangs); the message has to wait so long. */
bool engine_listens(int64_t *wait_ns);

/* NULL: there is none.  Only for looking. */
const struct engine *engine_now(void);
unsigned engine_ops(void); /* what engines have done to the world so far, journals opened */
uint64_t engine_hash(void);
bool engine_has_journal(void); /* false: there is an engine and it could not open one */

#endif
