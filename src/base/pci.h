/* SPDX-License-Identifier: Apache-2.0 */
/* PCI addresses: the name of a VF or PF everywhere (P7 of vfkeeper-rules(7)).  Layer: base. */
#ifndef VFK_BASE_PCI_H
#define VFK_BASE_PCI_H

#include <stdbool.h>
#include <stdint.h>

/* domain << 16 | bus << 8 | device << 3 | function: also the VF's byte in 'inflight'.
 * Domains above 0xffff (VMD) are allowed: 48 bits are enough for them. */
typedef uint64_t pci_addr_t;
#define PCI_NONE UINT64_MAX

#define PCI_STRLEN 20 /* "10000:3b:00.4" and the NUL fit */

/* Parses "0000:3b:00.4" (lower or upper case hex, the whole string), else false. */
bool pci_parse(const char *text, pci_addr_t *out);
/* Writes the canonical lower case form into 'buf' and returns it. */
const char *pci_format(pci_addr_t addr, char buf[PCI_STRLEN]);

#endif
