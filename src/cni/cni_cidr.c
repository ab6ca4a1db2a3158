/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/cni_cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool cni_cidr_parse(const char *text, bool bare, struct cni_cidr *out)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char addr[INET6_ADDRSTRLEN];
	unsigned prefix = 0, max;

	memset(out, 0, sizeof(*out));
	if ((!slash && !bare) || len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (inet_pton(AF_INET, addr, out->addr) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, addr, out->addr) == 1)
		out->family = AF_INET6;
	else
		return false;
	max = out->family == AF_INET ? 32 : 128;
	out->prefix_len = (uint8_t)max;
	if (!slash)
		return true;
	len = strspn(slash + 1, "0123456789");
	if (len == 0 || len > 3 || slash[1 + len])
		return false;
	for (size_t i = 1; i <= len; i++)
		prefix = prefix * 10 + (unsigned)(slash[i] - '0');
	out->prefix_len = (uint8_t)prefix;
	return prefix <= max;
}

const char *cni_cidr_format(const struct cni_cidr *cidr, bool bare, char buf[CNI_CIDR_TEXT])
{
	size_t n;

	if (!inet_ntop(cidr->family, cidr->addr, buf, CNI_CIDR_TEXT))
		buf[0] = '\0';
	n = strlen(buf);
	if (!bare)
		snprintf(buf + n, CNI_CIDR_TEXT - n, "/%u", cidr->prefix_len);
	return buf;
}

void cni_mask(uint8_t addr[16], unsigned prefix_len)
{
	for (unsigned bit = prefix_len; bit < 128; bit++)
		addr[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
}
