/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "drivers/registry.h"
#include "suite.h"

static void sim_is_enabled_by_its_description(void)
{
	struct drv_env env = { 0 };

	CU_ASSERT_PTR_NULL(registry_drivers(&env)[0]);
	CU_ASSERT_PTR_NULL(registry_find(&env, "sim"));
	snprintf(env.sim_path, sizeof(env.sim_path), "/nowhere");
	CU_ASSERT_PTR_NOT_NULL_FATAL(registry_drivers(&env)[0]);
	SUITE_STR(registry_drivers(&env)[0]->name, "sim");
	CU_ASSERT_PTR_NULL(registry_drivers(&env)[1]);
	CU_ASSERT_PTR_NOT_NULL(registry_find(&env, "sim"));
	CU_ASSERT_PTR_NULL(registry_find(&env, "infiniband"));
	CU_ASSERT_PTR_NULL(registry_find(&env, ""));
	snprintf(env.sysfs_root, sizeof(env.sysfs_root), "/nowhere");
	CU_ASSERT_PTR_NOT_NULL(registry_find(&env, "infiniband")); /* with or without cards */
}

static void unset_operations_say_no(void)
{
	struct driver d = registry_fill((struct driver){ .name = "empty" });
	struct drv_env env = { 0 };
	struct drv_call call = { .env = &env };
	struct drv_out out;
	struct vfk_err err = { 0 };
	pci_addr_t addr;
	char guard[8] = "before";

	d.guard_path(&env, guard, sizeof(guard));
	SUITE_STR(guard, "");
	SUITE_INT(d.discover(&env, NULL, NULL, NULL, &err), -VFK_E_UNSUPPORTED);
	SUITE_STR(err.msg, "this driver cannot list its VFs");
	SUITE_INT(d.step(STEP_REBIND, &call, &out, &err), -VFK_E_UNSUPPORTED);
	SUITE_STR(err.msg, "this driver does not know step rebind");
	SUITE_INT(d.observe(&call, -1, &out, &err), -VFK_E_UNSUPPORTED);
	SUITE_STR(err.msg, "this driver cannot look at a VF");
	SUITE_INT(d.identify(&env, -1, "net1", &addr, &err), -VFK_E_UNSUPPORTED);
	SUITE_STR(err.msg, "this driver cannot identify a link");
}

static void set_operations_stay(void)
{
	struct driver d = registry_fill(sim_driver);

	CU_ASSERT(d.step == sim_driver.step && d.observe == sim_driver.observe &&
		  d.discover == sim_driver.discover && d.identify == sim_driver.identify &&
		  d.guard_path == sim_driver.guard_path);
}

static void names_fit_the_journal(void)
{
	struct drv_env env = { .sim_path = "/nowhere" };

	for (const struct driver *const *d = registry_drivers(&env); *d; d++)
		CU_ASSERT(strlen((*d)->name) > 0 && strlen((*d)->name) <= 15);
}

static void steps_have_names_and_locks(void)
{
	static const struct {
		enum drv_step step;
		const char *upper;
		enum drv_lock lock;
	} all[] = {
#define X(name, bit, lock) { STEP_##name, #name, lock },
		DRV_STEPS(X)
#undef X
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(all); i++) {
		/* The name in messages is the one of the table, in lower case. */
		SUITE_INT(strcasecmp(drv_step_name(all[i].step), all[i].upper), 0);
		for (const char *c = drv_step_name(all[i].step); *c; c++)
			CU_ASSERT(*c == '_' || (*c >= 'a' && *c <= 'z'));
		SUITE_INT(drv_step_lock(all[i].step), all[i].lock);
	}
	SUITE_STR(drv_step_name(6), "?");
	SUITE_STR(drv_step_name(14), "?");
	SUITE_STR(drv_step_name(-1), "?");
	SUITE_INT(drv_step_lock(6), LOCK_NONE);
}

VFK_SUITE(registry,
	  { "the sim driver is enabled by its description",
	    sim_is_enabled_by_its_description },
	  { "operations that a driver leaves out say that they are not supported",
	    unset_operations_say_no },
	  { "operations that a driver has stay as they are", set_operations_stay },
	  { "the names of drivers fit into a journal record", names_fit_the_journal },
	  { "every step has a name and a lock", steps_have_names_and_locks })
