/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl reconcile: looks at every VF now instead of when its turn comes, and tells what was
 * found and done; a dry run tells what would be done. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#include "engine/view-internal.h"

/* As the rounds of reconciliation: no more than the workers that are kept. */
#define AT_A_TIME 8

struct look_change {
	struct list link;
	pci_addr_t addr;
	enum vf_state from;
	enum vf_event ev;
	char why[200];
	bool failed; /* it could not be looked at: 'why', and no event */
};

struct look {
	bool dry;
	size_t next; /* index of the VF that is looked at next */
	unsigned n_looked, n_left_alone;
	size_t n_before;
	bool discovering; /* at the end, unless it is a dry run: what is new on the bus */
	struct list changes;
};

void look_free(struct look *look)
{
	if (!look)
		return;
	list_each_safe(it, &look->changes)
		free(list_entry(it, struct look_change, link));
	free(look);
}

int look_begin(struct engine *e, bool dry, struct vfk_err *err)
{
	if (e->look)
		return vfk_err_set(err, VFK_E_BUSY, 0,
				   "another vfctl reconcile is under way");
	e->look = calloc(1, sizeof(*e->look));
	if (!e->look)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "reconcile");
	e->look->dry = dry;
	e->look->n_before = e->node->n_vfs;
	list_init(&e->look->changes);
	return 0;
}

static void look_at(struct engine *e, struct vf *vf)
{
	bool wanted = vf->fsm.state == VF_FREE || vf->fsm.state == VF_ATTACHED ||
		      (vf->fsm.state == VF_FAULTED && vf->fsm.foreign);

	if (wanted && !vf->job)
		observe_start(e, vf, NULL);
	else
		wanted = false;
	vf->admin_look = wanted && vf->job;
	if (!vf->admin_look)
		e->look->n_left_alone++;
}

/* Whether looks are under way; those whose job is gone without a word are given up. */
static unsigned n_running(struct engine *e)
{
	unsigned n = 0;

	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		if (!vf->admin_look)
			continue;
		if (vf->job && vf->job->kind == JOB_OBSERVE) {
			n++;
			continue;
		}
		vf->admin_look = false;
		e->look->n_left_alone++;
	}
	return n;
}

void look_turn(struct engine *e)
{
	unsigned n;

	if (!e->look)
		return;
	n = n_running(e);
	while (n < AT_A_TIME && e->look->next < e->node->n_vfs) {
		struct vf *vf = e->node->vfs[e->look->next++];

		look_at(e, vf);
		n += vf->admin_look;
	}
	if (n == 0 && !e->look->dry && !e->look->discovering) {
		e->look->discovering = true;
		discover_start(e);
	}
}

bool look_over(const struct engine *e)
{
	if (!e->look)
		return true;
	if (e->look->next < e->node->n_vfs)
		return false;
	for (size_t i = 0; i < e->node->n_vfs; i++)
		if (e->node->vfs[i]->admin_look)
			return false;
	return e->look->dry || (e->look->discovering && !e->discovering);
}

/* The look at this VF is over: 'judged' is what it means.  True: nothing must be done. */
bool look_seen(struct engine *e, struct vf *vf, const struct job_res *res,
	       const struct judgement *judged)
{
	struct look_change *c;

	if (!vf->admin_look || !e->look)
		return false;
	vf->admin_look = false;
	e->look->n_looked++;
	if (!res->err.kind && !judged->found)
		return e->look->dry;
	c = calloc(1, sizeof(*c));
	if (!c)
		return e->look->dry;
	c->addr = vf->rec.addr;
	c->from = vf->fsm.state;
	c->ev = judged->ev;
	c->failed = res->err.kind != 0;
	snprintf(c->why, sizeof(c->why), "%.190s", c->failed ? res->err.msg : judged->why);
	list_push_back(&e->look->changes, &c->link);
	return e->look->dry;
}

int look_end(struct engine *e, char **json, struct vfk_err *err)
{
	json_t *doc = json_object(), *list = json_array();
	struct look *look = e->look;

	if (!look) {
		json_decref(doc);
		json_decref(list);
		return vfk_err_set(err, VFK_E_GONE, 0, "the reconcile is over");
	}
	view_set(doc, "dry_run", json_boolean(look->dry));
	view_set(doc, "complete", json_boolean(look_over(e)));
	view_set(doc, "looked_at", json_integer(look->n_looked));
	view_set(doc, "left_alone", json_integer(look->n_left_alone));
	view_set(doc, "new_vfs",
		 json_integer((json_int_t)(e->node->n_vfs - look->n_before)));
	list_each(it, &look->changes) {
		const struct look_change *c = list_entry(it, struct look_change, link);
		const struct vf *vf = node_vf(e->node, c->addr);
		json_t *obj = json_object();

		view_set(obj, "address", view_addr(c->addr));
		view_set(obj, "from", json_string(vf_state_name(c->from)));
		view_set(obj, "event",
			 c->failed ? NULL : json_string(vf_event_name(c->ev)));
		view_set(obj, "found", view_str(c->why));
		view_set(obj, "state",
			 vf ? json_string(vf_state_name(vf->fsm.state)) : NULL);
		view_append(list, obj);
	}
	view_set(doc, "changes", list);
	for (size_t i = 0; i < e->node->n_vfs; i++)
		e->node->vfs[i]->admin_look = false;
	look_free(look);
	e->look = NULL;
	return view_dump(doc, json, err);
}
