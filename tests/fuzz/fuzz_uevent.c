/* SPDX-License-Identifier: Apache-2.0 */
/* Device events: one byte for the sender, then the message. */
#include "fuzz.h"

#include <string.h>

#include "io/uevent.h"

const char fuzz_name[] = "fuzz_uevent";

static const char properties[] =
	"ACTION=add\0DEVPATH=/devices/pci0000:3a/0000:3b:00.3/net/ib4\0"
	"SUBSYSTEM=net\0INTERFACE=ib4\0IFINDEX=27\0SEQNUM=1713";

size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	static const unsigned char header[] = {
		'l', 'i',  'b',	 'u',  'd',  'e', 'v',
		0,   0xfe, 0xed, 0xca, 0xfe, 40,  0,
		0,   0,	   40,	 0,    0,    0,	  sizeof(properties),
		0,   0,	   0
	};
	static const char head[] = "add@/devices/x";

	if (n >= 2)
		return 0;
	memset(out, 0, 41);
	if (n == 0) {
		memcpy(out + 1, head, sizeof(head));
		memcpy(out + 1 + sizeof(head), properties, sizeof(properties));
		return 1 + sizeof(head) + sizeof(properties);
	}
	out[0] = 1;
	memcpy(out + 1, header, sizeof(header));
	memcpy(out + 41, properties, sizeof(properties));
	return 41 + sizeof(properties);
}

static bool inside(const char *text, const uint8_t *data, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;

	return !text[0] || (at > data && at + strlen(text) < data + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct uevent ev;

	if (!len || !uevent_parse((const char *)data + 1, len - 1,
				  data[0] & 1 ? UEVENT_UDEV : UEVENT_KERNEL, &ev))
		return 0;
	FUZZ_HOLDS(ev.action[0] && ev.devpath[0] && ev.subsystem[0]);
	FUZZ_HOLDS(inside(ev.action, data, len) && inside(ev.devpath, data, len));
	FUZZ_HOLDS(inside(ev.subsystem, data, len) && inside(ev.interface, data, len));
	FUZZ_HOLDS(inside(ev.name, data, len) && inside(ev.class, data, len));
	return 0;
}
