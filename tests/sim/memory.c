/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include "engine/engine-internal.h"
#include "kernel.h"
#include "promises.h"
#include "rng.h"

uint64_t memory_hash(struct engine *e, uint64_t sum)
{
	sum |= (uint64_t)(e->discovered | e->discovering << 1 | e->rediscover << 2) << 16;
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		const struct vf *vf = e->node->vfs[i];

		sum = rng_mix(sum ^ ((uint64_t)vf->fsm.state << 32 | vf->rec.done |
				     (uint64_t)vf->rec.touched << 16));
		sum = rng_mix(sum ^
			      ((uint64_t)vf->rec.attempts << 8 | (vf->job != NULL) << 1 |
			       (vf->adder != NULL) << 2 | vf->verified << 3 | vf->stuck << 4 |
			       (vf->retry_at_ns != 0) << 5 | (vf->netns_fd >= 0) << 6));
		sum = rng_mix(sum ^ promise_owner(kernel_vf(vf->rec.addr)));
		sum = rng_mix(sum ^
			      (uint64_t)(vf->seen | vf->look_again << 1 |
					 vf->link_left << 2 | vf->rebind << 3 |
					 vf->hinted << 4 | vf->renewed << 5) ^
			      (uint64_t)vf->plan_failed << 8);
	}
	list_each(it, &e->node->leases) {
		const struct lease *l = list_entry(it, struct lease, link);

		sum += rng_mix(l->state * 64u + l->paying * 2 + (l->runner != NULL) +
			       (l->job != NULL) * 4 + l->rec.attempts * 1024u) ^
		       (uint64_t)l->rec.owner.container[1];
	}
	list_each(it, &e->requests) {
		const struct request *rq = list_entry(it, struct request, link);

		sum += rng_mix((uint64_t)rq->state << 8 | (rq->client != NULL) |
			       rq->run_sent << 1 | rq->run_waits << 2 | rq->observed << 3 |
			       rq->identified << 4 | (rq->early_out != NULL) << 5 |
			       (rq->job != NULL) << 6 | rq->ran_follows << 7) ^
		       rng_mix(rq->cni.verb | rq->ran_is_old << 3 |
			       (rq->holds_lease != 0) << 4 | rq->run_pays << 5 |
			       rq->own_del_due << 6 | (rq->netns_fd >= 0) << 7 |
			       (rq->lease != NULL) << 8 | (rq->vf != NULL) << 9 |
			       (uint64_t)(rq->wait_seq && synced(e, rq->wait_seq)) << 10 |
			       (uint64_t)rq->n_looks << 12 | (uint64_t)rq->code << 20);
	}
	list_each(it, &e->jobs_running) {
		const struct job *job = list_entry(it, struct job, link);

		if (job->kind == JOB_SYNC)
			sum += rng_mix(77 + (job->sync_upto >= e->sync_wanted));
	}
	sum += rng_mix(90 + e->n_young + (synced(e, e->sync_wanted) ? 10 : 0));
	list_each(it, &e->jobs_waiting)
		sum += rng_mix(list_entry(it, struct job, link)->kind);
	return rng_mix(sum);
}
