/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "io/http.h"

static bool parse_port(const char *text, uint16_t *out)
{
	unsigned port = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		port = port * 10 + (unsigned)(*p - '0');
		if (port > UINT16_MAX)
			return false;
	}
	*out = (uint16_t)port;
	return port != 0;
}

bool http_addr_parse(const char *text, struct http_addr *out)
{
	const char *colon = strrchr(text, ':');
	struct http_addr addr = { .family = AF_UNSPEC };
	char host[INET6_ADDRSTRLEN + 2];
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (!strcmp(text, "off") || !strcmp(text, "unix")) {
		addr.family = text[0] == 'u' ? AF_UNIX : AF_UNSPEC;
		*out = addr;
		return true;
	}
	if (!len || len >= sizeof(host) || !parse_port(colon + 1, &addr.port))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!strcmp(host, "[::1]")) {
		addr.family = AF_INET6;
		addr.ip[15] = 1;
	} else if (inet_pton(AF_INET, host, addr.ip) == 1 && addr.ip[0] == 127) {
		addr.family = AF_INET;
	} else {
		return false;
	}
	*out = addr;
	return true;
}
