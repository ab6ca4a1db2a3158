/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that knows which drivers there are. */
#include "drivers/registry.h"

#include <string.h>

static int no_discover(const struct drv_env *env,
		       int (*pf)(void *arg, const struct drv_pf *pf),
		       int (*vf)(void *arg, const struct drv_vf *vf), void *arg,
		       struct vfk_err *err)
{
	(void)env, (void)pf, (void)vf, (void)arg;
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "this driver cannot list its VFs");
}

static int no_ports(const struct drv_env *env, pci_addr_t pf, struct drv_pf *out,
		    struct vfk_err *err)
{
	(void)env, (void)pf, (void)out;
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
			   "this driver tells of ports in its list only");
}

static void no_guard(const struct drv_env *env, char *out, size_t cap_bytes)
{
	(void)env;
	if (cap_bytes)
		out[0] = '\0';
}

static int no_step(enum drv_step step, const struct drv_call *call, struct drv_out *out,
		   struct vfk_err *err)
{
	(void)call, (void)out;
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "this driver does not know step %s",
			   drv_step_name(step));
}

static int no_observe(const struct drv_call *call, int32_t nsid, struct drv_out *out,
		      struct vfk_err *err)
{
	(void)call, (void)nsid, (void)out;
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "this driver cannot look at a VF");
}

static int no_identify(const struct drv_env *env, int netns_fd, const char *ifname,
		       pci_addr_t *addr, struct vfk_err *err)
{
	(void)env, (void)netns_fd, (void)ifname, (void)addr;
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "this driver cannot identify a link");
}

struct driver registry_fill(struct driver d)
{
	if (!d.guard_path)
		d.guard_path = no_guard;
	if (!d.discover)
		d.discover = no_discover;
	if (!d.ports)
		d.ports = no_ports;
	if (!d.step)
		d.step = no_step;
	if (!d.observe)
		d.observe = no_observe;
	if (!d.identify)
		d.identify = no_identify;
	return d;
}

static bool sim_enabled(const struct drv_env *env)
{
	return env->sim_path[0] != '\0';
}

/* Also without a card: one may be plugged in, and VFs on record are looked for. */
static bool sysfs_enabled(const struct drv_env *env)
{
	return env->sysfs_root[0] != '\0';
}

static const struct {
	const struct driver *driver;
	bool (*enabled)(const struct drv_env *env);
} entries[] = { { &sim_driver, sim_enabled },
		{ &ib_driver, sysfs_enabled },
		{ &eth_driver, sysfs_enabled } };

const struct driver *const *registry_drivers(const struct drv_env *env)
{
	static struct driver filled[VFK_ARRAY_SIZE(entries)];
	static const struct driver *list[VFK_ARRAY_SIZE(entries) + 1];
	unsigned n = 0;

	for (unsigned i = 0; i < VFK_ARRAY_SIZE(entries); i++) {
		if (!entries[i].enabled(env))
			continue;
		filled[i] = registry_fill(*entries[i].driver);
		list[n++] = &filled[i];
	}
	list[n] = NULL;
	return list;
}

const struct driver *registry_find(const struct drv_env *env, const char *name)
{
	for (const struct driver *const *d = registry_drivers(env); *d; d++)
		if (!strcmp((*d)->name, name))
			return *d;
	return NULL;
}
