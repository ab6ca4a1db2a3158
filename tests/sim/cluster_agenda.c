/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"

#include "cluster.h"
#include "rng.h"

static bool before(const struct entry *a, const struct entry *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->turn < b->turn;
}

static void *grown(void *list, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return list;
	*room = *room ? *room * 2 : 256;
	list = reallocarray(list, *room, size);
	if (!list)
		abort();
	return list;
}

void agenda_put(struct agenda *a, int64_t at_ns, unsigned node, int what, uint64_t arg)
{
	const struct entry e = { at_ns, ++a->turns, node, what, arg };
	size_t at = a->n;

	a->heap = grown(a->heap, a->n, &a->room, sizeof(*a->heap));
	for (a->n++; at && before(&e, &a->heap[(at - 1) / 2]); at = (at - 1) / 2)
		a->heap[at] = a->heap[(at - 1) / 2];
	a->heap[at] = e;
}

bool agenda_next(struct agenda *a, struct entry *out)
{
	struct entry last;
	size_t at = 0, child;

	if (!a->n)
		return false;
	*out = a->heap[0];
	last = a->heap[--a->n];
	while ((child = at * 2 + 1) < a->n) {
		if (child + 1 < a->n && before(&a->heap[child + 1], &a->heap[child]))
			child++;
		if (!before(&a->heap[child], &last))
			break;
		a->heap[at] = a->heap[child];
		at = child;
	}
	a->heap[at] = last;
	return true;
}

void agenda_free(struct agenda *a)
{
	free(a->heap);
}

void waits_add(struct waits *w, int64_t ns, int64_t end_ns)
{
	w->ns = grown(w->ns, w->n, &w->room, sizeof(*w->ns));
	w->ns[w->n++] = ns;
	if (end_ns > w->last_end_ns)
		w->last_end_ns = end_ns;
}

double waits_mean_s(const struct waits *w)
{
	double sum = 0;

	for (size_t i = 0; i < w->n; i++)
		sum += (double)w->ns[i];
	return w->n ? sum / (double)w->n / (double)NS_PER_S : 0;
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

double waits_s(struct waits *w, unsigned percent)
{
	if (!w->n)
		return 0;
	qsort(w->ns, w->n, sizeof(*w->ns), compare);
	return (double)w->ns[(w->n - 1) * percent / 100] / (double)NS_PER_S;
}

void waits_free(struct waits *w)
{
	free(w->ns);
}

int64_t pod_begins_ns(uint64_t seed, unsigned node, unsigned pod)
{
	struct rng r = { rng_mix(seed) ^ rng_mix(node * UINT64_C(64) + pod) };

	return (int64_t)(rng_next(&r) % (uint64_t)(2 * NS_PER_S));
}
