/* SPDX-License-Identifier: Apache-2.0 */
#include "base/octets.h"

#include "suite.h"

static void as_text(void)
{
	static const uint8_t bytes[20] = { 0x80, 0, 0x0a, 0xff, [19] = 1 };
	char text[OCTETS_TEXT], guid[GUID_TEXT];

	SUITE_STR(octets_format(bytes, 0, text, sizeof(text)), "");
	SUITE_STR(octets_format(bytes, 1, text, sizeof(text)), "80");
	SUITE_STR(octets_format(bytes, 4, text, sizeof(text)), "80:00:0a:ff");
	SUITE_STR(octets_format(bytes, 20, text, sizeof(text)),
		  "80:00:0a:ff:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01");
	SUITE_STR(guid_format(UINT64_C(0x0200000000000abc), guid),
		  "02:00:00:00:00:00:0a:bc");
}

static void no_room(void)
{
	static const uint8_t bytes[3] = { 1, 2, 3 };
	char text[16] = "", guard[] = "01:02";

	for (size_t cap = 9; cap >= 6; cap--) {
		memset(text, 'x', sizeof(text) - 1);
		octets_format(bytes, 3, text, cap);
		SUITE_INT(text[cap], 'x');
		SUITE_STR(text, cap == 9 ? "01:02:03" : guard);
	}
	SUITE_STR(octets_format(bytes, 3, text, 1), "");
}

VFK_SUITE(octets, { "octets are two digits each with colons", as_text },
	  { "what has no room is left out whole", no_room })
