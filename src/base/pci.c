/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pci.h"

#include <stdio.h>

/* Reads 'min' to 'max' hex digits; moves '*text' behind them. */
static bool hex(const char **text, int min, int max, uint64_t *out)
{
	int n = 0;

	*out = 0;
	for (; n < max; n++, (*text)++) {
		char c = **text;
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (unsigned)((c | 0x20) - 'a') + 10;
		else
			break;
		*out = *out << 4 | digit;
	}
	return n >= min;
}

static bool skip(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

bool pci_parse(const char *text, pci_addr_t *out)
{
	uint64_t domain, bus, device, function;

	if (!hex(&text, 4, 8, &domain) || !skip(&text, ':') || !hex(&text, 2, 2, &bus) ||
	    !skip(&text, ':') || !hex(&text, 2, 2, &device) || !skip(&text, '.') ||
	    !hex(&text, 1, 1, &function) || *text || device > 0x1f || function > 7)
		return false;
	*out = domain << 16 | bus << 8 | device << 3 | function;
	return true;
}

const char *pci_format(pci_addr_t addr, char buf[PCI_STRLEN])
{
	snprintf(buf, PCI_STRLEN, "%04x:%02x:%02x.%x", (unsigned)(addr >> 16),
		 (unsigned)(addr >> 8 & 0xff), (unsigned)(addr >> 3 & 0x1f),
		 (unsigned)(addr & 7));
	return buf;
}
