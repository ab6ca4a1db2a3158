/* SPDX-License-Identifier: Apache-2.0 */
/* What can be set on a VF, and what a free one looks like.  Layer: base, because drivers,
 * journal and engine all carry it. */
#ifndef VFK_BASE_VFCONF_H
#define VFK_BASE_VFCONF_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of vf_settings.has: a setting without its bit is left alone.  On disk: for ever. */
enum vf_has {
	HAS_LINK_STATE = 1 << 0,
	HAS_NODE_GUID = 1 << 1,
	HAS_PORT_GUID = 1 << 2,
	HAS_MAC = 1 << 3,
	HAS_VLAN = 1 << 4, /* vlan, qos and proto together */
	HAS_MIN_TX = 1 << 5,
	HAS_MAX_TX = 1 << 6,
	HAS_SPOOFCHK = 1 << 7,
	HAS_TRUST = 1 << 8,
	HAS_MTU = 1 << 9,
	HAS_ALLMULTI = 1 << 10,
	HAS_PROMISC = 1 << 11,
	HAS_IPOIB_MODE = 1 << 12,
	HAS_PKEY = 1 << 13,
	HAS_RDMA_ISOLATION = 1 << 14,
	HAS_SCRUB = 1 << 15
};

enum vf_link_state { LINK_STATE_AUTO = 0, LINK_STATE_ENABLE = 1, LINK_STATE_DISABLE = 2 };

struct vf_settings {
	uint32_t has;	    /* enum vf_has bits */
	uint8_t link_state; /* enum vf_link_state, the values of IFLA_VF_LINK_STATE */
	uint8_t spoofchk, trust, allmulti, promisc, rdma_isolation; /* 0 or 1 */
	uint8_t ipoib_mode;	       /* 0 datagram, 1 connected */
	uint8_t scrub;		       /* 0 none, 1 function-level reset on release */
	uint64_t node_guid, port_guid; /* host order, most significant byte = first octet */
	uint8_t mac[6];
	uint16_t vlan, qos;
	uint16_t vlan_proto; /* host order: 0x8100 or 0x88a8 */
	uint16_t pkey;
	uint32_t min_tx_mbps, max_tx_mbps;
	uint32_t mtu_bytes;
};

/* What a free VF looks like (P4). */
struct vf_baseline {
	bool valid;
	struct vf_settings set; /* every setting that the device reports, with its bit */
	char ifname[16];	/* name of its netdev at home, "" if it has none */
	char driver[24];	/* driver it is bound to, "" if none */
	char rdma_dev[64];	/* name of its RDMA device, "" if none */
	uint8_t hwaddr[20], hwaddr_len; /* effective address of the netdev */
};

#endif
