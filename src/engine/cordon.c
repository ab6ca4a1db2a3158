/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cordon.h"

#include <stdio.h>
#include <string.h>

#include "engine/view.h"

/* Where it stands in the list; n_cordons: nowhere. */
static unsigned place(const struct node *n, enum cordon_scope scope, pci_addr_t addr)
{
	unsigned i = 0;

	while (i < n->rec.n_cordons &&
	       (n->rec.cordons[i].scope != scope || n->rec.cordons[i].addr != addr))
		i++;
	return i;
}

const struct rec_cordon *cordon_get(const struct node *n, enum cordon_scope scope,
				    pci_addr_t addr)
{
	unsigned i = place(n, scope, addr);

	return i < n->rec.n_cordons ? &n->rec.cordons[i] : NULL;
}

const struct rec_cordon *cordon_of(const struct node *n, const struct rec_vf *vf)
{
	const struct rec_cordon *c = cordon_get(n, CORDON_NODE, 0);

	if (!c)
		c = cordon_get(n, CORDON_PF, vf->pf);
	return c ? c : cordon_get(n, CORDON_VF, vf->addr);
}

int cordon_add(struct node *n, enum cordon_scope scope, pci_addr_t addr,
	       const char *reason, int64_t since_wall_ns, struct vfk_err *err)
{
	unsigned i = place(n, scope, addr);
	struct rec_cordon *c = &n->rec.cordons[i];

	if (i >= REC_CORDON_MAX)
		return vfk_err_set(err, VFK_E_LIMIT, 0,
				   "%d cordons are the most: cordon the PF or the node",
				   REC_CORDON_MAX);
	if (i == n->rec.n_cordons) {
		*c = (struct rec_cordon){ (uint8_t)scope, addr, since_wall_ns, "" };
		n->rec.n_cordons++;
	}
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
	return 0;
}

bool cordon_remove(struct node *n, enum cordon_scope scope, pci_addr_t addr)
{
	struct rec_cordon *list = n->rec.cordons;
	unsigned i = place(n, scope, addr);

	if (i == n->rec.n_cordons)
		return false;
	n->rec.n_cordons--;
	memmove(&list[i], &list[i + 1], (n->rec.n_cordons - i) * sizeof(list[0]));
	return true;
}

/* The PF that the word names; also one that is gone, if it is cordoned or has VFs on record. */
static bool is_pf(const struct node *n, const char *word, pci_addr_t *addr)
{
	for (size_t i = 0; i < n->n_pfs; i++) {
		if (n->pfs[i].ifname[0] && !strcmp(n->pfs[i].ifname, word)) {
			*addr = n->pfs[i].addr;
			return true;
		}
	}
	if (!pci_parse(word, addr) || node_vf(n, *addr))
		return false;
	if (node_pf(n, *addr) || cordon_get(n, CORDON_PF, *addr))
		return true;
	for (size_t i = 0; i < n->n_vfs; i++)
		if (n->vfs[i]->rec.pf == *addr)
			return true;
	return false;
}

int cordon_target(const struct node *n, const char *const *words, unsigned n_words,
		  enum cordon_scope *scope, pci_addr_t *addr, struct vfk_err *err)
{
	const struct vf *vf;

	*addr = 0;
	if (n_words == 1 && !strcmp(words[0], "node")) {
		*scope = CORDON_NODE;
		return 0;
	}
	*scope = CORDON_PF;
	if (n_words == 1 && is_pf(n, words[0], addr))
		return 0;
	*scope = CORDON_VF;
	if (view_find(n, words, n_words, &vf, err) < 0)
		return -err->kind;
	*addr = vf->rec.addr;
	return 0;
}

const char *cordon_scope_name(uint8_t scope)
{
	switch ((enum cordon_scope)scope) {
	case CORDON_NODE:
		return "node";
	case CORDON_PF:
		return "pf";
	case CORDON_VF:
		return "vf";
	case CORDON_NONE:
		break;
	}
	return "?";
}
