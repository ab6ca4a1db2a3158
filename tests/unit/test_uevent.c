/* SPDX-License-Identifier: Apache-2.0 */
#include "io/uevent.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

/* As the kernel sends them: each string with its end. */
static const char net_add[] =
	"add@/devices/pci0001:3a/0001:3a:00.0/0001:3b:00.3/net/ib4\0"
	"ACTION=add\0DEVPATH=/devices/pci0001:3a/0001:3a:00.0/0001:3b:00.3/net/ib4\0"
	"SUBSYSTEM=net\0INTERFACE=ib4\0IFINDEX=27\0SEQNUM=1713";
static const char rdma_remove[] =
	"remove@/devices/pci0001:3a/0001:3b:00.3/infiniband/mlx5_3\0"
	"ACTION=remove\0DEVPATH=/devices/pci0001:3a/0001:3b:00.3/infiniband/mlx5_3\0"
	"SUBSYSTEM=infiniband\0NAME=mlx5_3\0SEQNUM=1714";
static const char pci_recovery[] =
	"change@/devices/pci0000:3a/0000:3b:00.0\0"
	"ACTION=change\0DEVPATH=/devices/pci0000:3a/0000:3b:00.0\0SUBSYSTEM=pci\0"
	"ERROR_EVENT=BEGIN_RECOVERY\0DEVICE_ONLINE=0\0DRIVER=mlx5_core\0PCI_CLASS=20700\0"
	"PCI_ID=15B3:101B\0PCI_SLOT_NAME=0000:3b:00.0\0SEQNUM=1715";
static const char virtual[] = "add@/devices/virtual/net/veth1\0ACTION=add\0"
			      "DEVPATH=/devices/virtual/net/veth1\0SUBSYSTEM=net\0"
			      "INTERFACE=veth1\0IFINDEX=4\0SEQNUM=9";

static void kernel_messages(void)
{
	struct uevent ev;

	CU_ASSERT_TRUE_FATAL(uevent_parse(net_add, sizeof(net_add), UEVENT_KERNEL, &ev));
	SUITE_STR(ev.action, "add");
	SUITE_STR(ev.subsystem, "net");
	SUITE_STR(ev.interface, "ib4");
	SUITE_INT(ev.ifindex, 27);
	/* The function that it belongs to, not the bridge before it. */
	CU_ASSERT_EQUAL(ev.pci, UINT64_C(0x13b03));
	CU_ASSERT_TRUE_FATAL(
		uevent_parse(rdma_remove, sizeof(rdma_remove), UEVENT_KERNEL, &ev));
	SUITE_STR(ev.action, "remove");
	SUITE_STR(ev.name, "mlx5_3");
	SUITE_STR(ev.interface, "");
	CU_ASSERT_TRUE_FATAL(
		uevent_parse(pci_recovery, sizeof(pci_recovery), UEVENT_KERNEL, &ev));
	SUITE_STR(ev.error, "BEGIN_RECOVERY");
	SUITE_STR(ev.class, "20700");
	CU_ASSERT_TRUE_FATAL(uevent_parse(virtual, sizeof(virtual), UEVENT_KERNEL, &ev));
	CU_ASSERT_EQUAL(ev.pci, PCI_NONE);
}

static void put32(char *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

/* A message of udev in memory of exactly its size, so that reading beyond it is seen. */
static char *udev_message(const char *properties, size_t len, size_t *total)
{
	static const unsigned char magic[] = { 0xfe, 0xed, 0xca, 0xfe };
	char *buf = calloc(1, 40 + len);

	memcpy(buf, "libudev", 8);
	memcpy(buf + 8, magic, 4);
	put32(buf + 12, 40);
	put32(buf + 16, 40);
	put32(buf + 20, (uint32_t)len);
	memcpy(buf + 40, properties, len);
	*total = 40 + len;
	return buf;
}

static void udev_messages(void)
{
	static const char properties[] =
		"ACTION=move\0DEVPATH=/devices/pci0000:3a/0000:3b:00.3/net/ibp59s0v2\0"
		"SUBSYSTEM=net\0DEVPATH_OLD=/devices/pci0000:3a/0000:3b:00.3/net/ib4\0"
		"INTERFACE=ibp59s0v2\0IFINDEX=27\0SEQNUM=88\0USEC_INITIALIZED=1\0ID_BUS=pci";
	struct uevent ev;
	size_t len;
	char *buf = udev_message(properties, sizeof(properties), &len);

	CU_ASSERT_TRUE_FATAL(uevent_parse(buf, len, UEVENT_UDEV, &ev));
	SUITE_STR(ev.action, "move");
	SUITE_STR(ev.interface, "ibp59s0v2");
	CU_ASSERT_EQUAL(ev.pci, UINT64_C(0x3b03));
	/* Each sender has its own form. */
	CU_ASSERT_FALSE(uevent_parse(buf, len, UEVENT_KERNEL, &ev));
	CU_ASSERT_FALSE(uevent_parse(net_add, sizeof(net_add), UEVENT_UDEV, &ev));
	free(buf);
}

static void wrong_udev_messages(void)
{
	static const char properties[] = "ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=net";
	const struct {
		unsigned at;
		uint32_t value;
	} wrong[] = {
		{ 8, 0 },			/* magic */
		{ 16, 39 },			/* properties inside the header */
		{ 16, 0xffffffff },		/* behind the end */
		{ 20, 0xffffffff },		/* longer than the message */
		{ 20, 0xffffffd8 },		/* whose sum would wrap */
		{ 20, 0 },			/* none */
		{ 20, sizeof(properties) - 1 }, /* the last has no end */
	};
	struct uevent ev;
	size_t len;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(wrong); i++) {
		char *buf = udev_message(properties, sizeof(properties), &len);

		CU_ASSERT_TRUE(uevent_parse(buf, len, UEVENT_UDEV, &ev));
		put32(buf + wrong[i].at, wrong[i].value);
		CU_ASSERT_FALSE(uevent_parse(buf, len, UEVENT_UDEV, &ev));
		free(buf);
	}
}

/* Every beginning of a message, in memory of exactly its size. */
static void cut_messages(void)
{
	for (size_t len = 0; len < sizeof(net_add); len++) {
		char *buf = malloc(len + !len);
		struct uevent ev;

		memcpy(buf, net_add, len);
		if (uevent_parse(buf, len, UEVENT_KERNEL, &ev))
			CU_ASSERT_TRUE(ev.action[0] && ev.devpath[0] && ev.subsystem[0]);
		CU_ASSERT_FALSE(uevent_parse(buf, len, UEVENT_UDEV, &ev));
		free(buf);
	}
}

VFK_SUITE(uevent, { "the kernel's messages are understood", kernel_messages },
	  { "udev's messages are understood", udev_messages },
	  { "sizes in udev's header are checked", wrong_udev_messages },
	  { "a message that is cut anywhere is harmless", cut_messages })
