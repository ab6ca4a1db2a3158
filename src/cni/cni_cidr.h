/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and subnets as text.  Layer: cni. */
#ifndef VFK_CNI_CNI_CIDR_H
#define VFK_CNI_CNI_CIDR_H

#include <stdbool.h>
#include <stdint.h>

/* "10.1.2.3/24", "fd00::1/64" (no prefix length: 32 or 128 where 'bare' allows it). */
struct cni_cidr {
	uint8_t family, prefix_len, addr[16];
};
bool cni_cidr_parse(const char *text, bool bare, struct cni_cidr *out);
#define CNI_CIDR_TEXT 56
const char *cni_cidr_format(const struct cni_cidr *cidr, bool bare,
			    char buf[CNI_CIDR_TEXT]);

/* Clears what is behind the prefix. */
void cni_mask(uint8_t addr[16], unsigned prefix_len);

#endif
