/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator wants no ADD on: the node, a PF with all its VFs, or a VF.  The list
 * is in the node's record, so it outlives the engine and a reboot.  Layer: engine. */
#ifndef VFK_ENGINE_CORDON_H
#define VFK_ENGINE_CORDON_H

#include "base/attr.h"
#include "base/err.h"
#include "engine/node.h"

/* The widest one that covers the VF; NULL: it is not cordoned. */
const struct rec_cordon *cordon_of(const struct node *n, const struct rec_vf *vf);
/* The one of exactly this scope and address; NULL: none. */
const struct rec_cordon *cordon_get(const struct node *n, enum cordon_scope scope,
				    pci_addr_t addr);
/* Adds one, or gives the one that is there another reason; VFK_E_LIMIT: there are
 * REC_CORDON_MAX. */
int cordon_add(struct node *n, enum cordon_scope scope, pci_addr_t addr, const char *reason,
	       int64_t since_wall_ns, struct vfk_err *err) VFK_MUST_CHECK;
/* False: there was none. */
bool cordon_remove(struct node *n, enum cordon_scope scope, pci_addr_t addr);

/* What "node", a PF (PCI address or netdev) or the names of a VF (view_find) mean. */
int cordon_target(const struct node *n, const char *const *words, unsigned n_words,
		  enum cordon_scope *scope, pci_addr_t *addr,
		  struct vfk_err *err) VFK_MUST_CHECK;

const char *cordon_scope_name(uint8_t scope); /* "node", "pf", "vf" */

#endif
