/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pci.h"
#include "suite.h"

static void reads_and_writes(void)
{
	static const struct {
		const char *text;
		pci_addr_t addr;
	} rows[] = {
		{ "0000:00:00.0", 0 },
		{ "0000:3b:00.4", 0x3b04 },
		{ "0000:3b:1f.7", 0x3bff },
		{ "0001:ff:02.1", 0x1ff11 },
		{ "10000:e1:00.0", UINT64_C(0x10000e100) },
		{ "ffffffff:ff:1f.7", UINT64_C(0xffffffffffff) },
	};
	char buf[PCI_STRLEN];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pci_addr_t addr = PCI_NONE;

		CU_ASSERT(pci_parse(rows[i].text, &addr));
		SUITE_INT(addr, rows[i].addr);
		SUITE_STR(pci_format(addr, buf), rows[i].text);
	}
}

static void takes_upper_case(void)
{
	pci_addr_t addr = PCI_NONE;
	char buf[PCI_STRLEN];

	CU_ASSERT(pci_parse("0000:AF:1E.3", &addr));
	SUITE_STR(pci_format(addr, buf), "0000:af:1e.3");
}

static void refuses_the_rest(void)
{
	static const char *const bad[] = {
		"",
		"0000",
		"0000:3b",
		"0000:3b:00",
		"0000:3b:00.",
		"0000:3b:00.8",
		"0000:3b:20.0",
		"000:3b:00.0",
		"0000:3b:0.0",
		"0000:b:00.0",
		"0000:3b:00.00",
		"0000:3b:00.4 ",
		" 0000:3b:00.4",
		"0000-3b-00.4",
		"0000:3g:00.4",
		"3b:00.4",
		"0000:3b:00:4",
		"0000:3b:00.4/",
		"0000:03b:00.4",
		"100000000:3b:00.4",
		"../0000:3b",
		"eth0",
		"0000:3b:00.-1",
		"+000:3b:00.1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pci_addr_t addr = 77;

		CU_ASSERT(!pci_parse(bad[i], &addr));
		SUITE_INT(addr, 77);
	}
}

/* The byte of a VF in 'inflight' is its address: no two may be equal, and none may reach
 * the bytes of leases. */
static void stays_below_the_leases(void)
{
	pci_addr_t highest = 0;

	CU_ASSERT(pci_parse("ffffffff:ff:1f.7", &highest));
	CU_ASSERT(highest < UINT64_C(1) << 60);
}

VFK_SUITE(pci, { "reads addresses and writes them back", reads_and_writes },
	  { "takes upper case and writes lower case", takes_upper_case },
	  { "refuses everything else and leaves the result alone", refuses_the_rest },
	  { "keeps addresses below the bytes of leases", stays_below_the_leases })
