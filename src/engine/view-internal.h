/* SPDX-License-Identifier: Apache-2.0 */
/* Small pieces that the views share.  Layer: engine; only its files that make
 * JSON include this. */
#ifndef VFK_ENGINE_VIEW_INTERNAL_H
#define VFK_ENGINE_VIEW_INTERNAL_H

#include "base/clock.h"
#include "engine/view.h"

void view_set(json_t *obj, const char *key, json_t *value); /* NULL: null */
void view_append(json_t *list, json_t *value);
json_t *view_time(int64_t wall_ns); /* "2026-11-22T18:03:48.123Z", null if 0 */
json_t *view_addr(pci_addr_t addr);
json_t *view_str(const char *text);		    /* null if "" or NULL */
json_t *view_owner(const struct attachment *owner); /* null if nobody */
json_t *view_pod(const struct pod_ref *pod);
json_t *view_steps(uint32_t bits); /* names of enum drv_step bits */

#endif
