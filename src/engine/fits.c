/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a free VF can be what an ADD wants it to be: what is known to be impossible is said
 * before IPAM is asked and before anything is touched. */
#include "engine/engine-internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/plan.h"

#define OF_LINK (HAS_MTU | HAS_ALLMULTI | HAS_PROMISC | HAS_IPOIB_MODE)

/* The first key that asks for a setting of 'bits'. */
static const char *key_of(uint32_t bits)
{
	return cni_setting_key(bits & -bits);
}

static void no_fit(struct engine *e, struct request *rq, const struct vf *vf, int code,
		   const char *key, const char *fmt, ...) VFK_PRINTF(6, 7);
static void no_fit(struct engine *e, struct request *rq, const struct vf *vf, int code,
		   const char *key, const char *fmt, ...)
{
	char why[300], addr[PCI_STRLEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	pci_format(vf->rec.addr, addr);
	request_fail(e, rq, code, "VF %s cannot honour %s: %s (vfctl explain %s)", addr,
		     key, why, addr);
}

/* FNV-1a: the same on the same machine for ever, and another on each. */
static uint64_t hash(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}

/* guidPolicy derived: of the machine and the VF's place in it, locally administered. */
static bool derive_guid(struct engine *e, struct request *rq, const struct vf *vf)
{
	struct vf_settings *want = &rq->cni.wanted;
	char addr[PCI_STRLEN];
	uint64_t guid;

	if (rq->cni.guid_policy != GUID_DERIVED)
		return true;
	if (!e->config.machine_id[0]) {
		no_fit(e, rq, vf, 7, "guidPolicy derived",
		       "this machine has no /etc/machine-id to derive a GUID from");
		return false;
	}
	guid = hash(hash(UINT64_C(0xcbf29ce484222325), e->config.machine_id),
		    pci_format(vf->rec.addr, addr));
	guid = (guid >> 8) | UINT64_C(0x02) << 56;
	want->node_guid = want->port_guid = guid;
	want->has |= HAS_NODE_GUID | HAS_PORT_GUID;
	return true;
}

/* Without a GUID of the configuration an InfiniBand VF is used with its own. */
static bool own_guid_valid(struct engine *e, struct request *rq, const struct vf *vf)
{
	const struct vf_settings *base = &vf->rec.baseline.set;
	char addr[PCI_STRLEN];

	if (rq->cni.dialect != DIALECT_IB_SRIOV || (rq->cni.wanted.has & HAS_PORT_GUID) ||
	    !vf->rec.baseline.valid || !(base->has & HAS_PORT_GUID) ||
	    !plan_has_link(&vf->rec) ||
	    (base->port_guid != 0 && base->port_guid != UINT64_MAX))
		return true;
	pci_format(vf->rec.addr, addr);
	request_fail(e, rq, 7,
		     "VF %s GUID is not valid: it has none of its own, and neither "
		     "runtimeConfig.infinibandGUID nor args.cni.guid gives one (vfctl "
		     "explain %s)",
		     addr, addr);
	return false;
}

/* A configuration that names an incumbent says with that which kind of card it is for. */
static bool right_kind(struct engine *e, struct request *rq, const struct vf *vf)
{
	bool ib = !strcmp(vf->rec.driver, "infiniband");
	char addr[PCI_STRLEN];

	if ((!ib && strcmp(vf->rec.driver, "ethernet") != 0) ||
	    rq->cni.dialect == (ib ? DIALECT_IB_SRIOV : DIALECT_SRIOV) ||
	    rq->cni.dialect == DIALECT_VFKEEPER)
		return true;
	pci_format(vf->rec.addr, addr);
	request_fail(e, rq, 7,
		     "VF %s is an %s VF, and a network of type %s is for %s: its type has to "
		     "be %s or vfkeeper (vfctl explain %s)",
		     addr, ib ? "InfiniBand" : "Ethernet", ib ? "sriov" : "ib-sriov",
		     ib ? "Ethernet" : "InfiniBand", ib ? "ib-sriov" : "sriov", addr);
	return false;
}

bool vf_fits(struct engine *e, struct request *rq, const struct vf *vf)
{
	const char *driver = vf->rec.baseline.driver;
	uint32_t wants;

	if (!right_kind(e, rq, vf) || !derive_guid(e, rq, vf))
		return false;
	wants = rq->cni.wanted.has;
	if (wants & vf->cannot) {
		no_fit(e, rq, vf, 2, key_of(wants & vf->cannot),
		       "its device does not have this setting");
		return false;
	}
	if (!plan_has_link(&vf->rec) && (wants & OF_LINK)) {
		no_fit(e, rq, vf, 2, key_of(wants & OF_LINK),
		       "it has no network device%s%s",
		       driver[0] ? ": its driver is " : "", driver);
		return false;
	}
	if (rq->cni.vfio_mode && strcmp(driver, "vfio-pci") != 0) {
		no_fit(e, rq, vf, 7, "vfioPciMode",
		       "vfioPciMode is enabled but the device is not bound to vfio-pci "
		       "driver%s%s",
		       driver[0] ? ", but to " : "", driver);
		return false;
	}
	return own_guid_valid(e, rq, vf);
}
