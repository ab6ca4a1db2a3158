/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl export.  The node is cordoned first, so that nothing is attached any more; then, for each
 * VF, the file is written and synced, and after that the engine lets go of it.  Whatever ends it
 * in between, the next export finds the same file and goes on. */
#include "vfctl/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "engine/config.h"
#include "engine/view.h"
#include "io/engine_start.h"
#include "vfctl/peers.h"

#define ENGINE_MS 15000

#define NEXT_1 "this node is cordoned and these VFs are not vfkeeper's any more"
#define NEXT_2                                                                           \
	"now: stop vfkeeperd, and put the binaries of ib-sriov-cni and sriov-cni back"
#define NEXT_3 "to come back: put vfkeeper's in place, vfctl import, vfctl uncordon node"

struct export
{
	const struct take_over *how;
	struct ctl_client *engine;
	struct pod_map pods;
	struct report report;
};

/* An administrator's own cordon stays as it is. */
static int cordon(struct export *x, struct vfk_err *err)
{
	static const char *const words[] = { "node", "--reason", "vfctl export" };
	json_t *status = NULL, *one;
	bool cordoned = false;
	int rc = engine_ask(x->engine, "status", NULL, 0, &status, err);
	size_t i;

	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(status, "cordons"), i, one) {
		const char *scope = json_string_value(json_object_get(one, "scope"));

		cordoned |= scope && !strcmp(scope, "node");
	}
	json_decref(status);
	return cordoned ? 0 :
			  engine_ask(x->engine, "cordon", words, VFK_ARRAY_SIZE(words),
				     NULL, err);
}

static const char *str(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

/* Under the plugin's lock.  'path' is the file, 'netns' where sriov-cni looks whether the pod
 * lives. */
static int write_files(enum cni_dialect dialect, pci_addr_t addr, const char *path,
		       const char *text, const char *netns, struct vfk_err *err)
{
	char allocation[PATH_MAX];

	if (dialect == DIALECT_SRIOV &&
	    peers_write(peers_allocation(addr, allocation), netns, err) < 0)
		return -err->kind;
	return peers_write(path, text, err);
}

static int hand_over(struct export *x, const json_t *one, struct vfk_err *err)
{
	char seq[24];
	const char *words[] = { str(one, "vf"), seq };

	snprintf(seq, sizeof(seq), "%llu",
		 (unsigned long long)json_integer_value(json_object_get(one, "attach_seq")));
	return engine_ask(x->engine, "export-done", words, VFK_ARRAY_SIZE(words), NULL,
			  err);
}

/* What the plugin calls it by. */
static int file_path(const struct attachment *att, enum cni_dialect dialect,
		     char out[PATH_MAX], struct vfk_err *err)
{
	char dir[PATH_MAX];
	int n = snprintf(out, PATH_MAX, "%s/%s-%s", peers_dir(dialect, dir),
			 att->container, att->ifname);

	return n < PATH_MAX ? 0 : vfk_err_set(err, VFK_E_LIMIT, 0, "its path is too long");
}

static int one_vf(struct export *x, const json_t *one, const char *path,
		  enum cni_dialect dialect, struct vfk_err *err)
{
	uint64_t cookie = (uint64_t)json_integer_value(json_object_get(one, "netns_cookie"));
	const struct pod_netns *pod = pod_map_cookie(&x->pods, cookie);
	VFK_AUTO(fd_auto) int lock = -1;
	pci_addr_t addr;

	if (str(one, "refused")[0])
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "%s", str(one, "refused"));
	if (!pci_parse(str(one, "vf"), &addr) || !str(one, "text")[0])
		return vfk_err_set(err, VFK_E_DECODE, 0, "the engine sent no file for it");
	if (!pod)
		return vfk_err_set(err, VFK_E_GONE, 0,
				   "the network namespace of its pod is not to be found");
	if (x->how->dry_run)
		return 0;
	if (peers_lock(dialect, addr, &lock, err) < 0 ||
	    write_files(dialect, addr, path, str(one, "text"), pod->path, err) < 0)
		return -err->kind;
	return hand_over(x, one, err);
}

static void each_vf(struct export *x, const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(list, "files"), i, one) {
		bool ib = !strcmp(str(one, "plugin"), "ib-sriov");
		enum cni_dialect dialect = ib ? DIALECT_IB_SRIOV : DIALECT_SRIOV;
		struct attachment att = { .network = "" };
		struct vfk_err err = { 0 };
		char path[PATH_MAX];

		snprintf(att.container, sizeof(att.container), "%s", str(one, "container"));
		snprintf(att.ifname, sizeof(att.ifname), "%s", str(one, "ifname"));
		if (file_path(&att, dialect, path, &err) < 0 ||
		    one_vf(x, one, path, dialect, &err) < 0)
			report_add(&x->report, NULL, str(one, "plugin"), str(one, "vf"),
				   &att, "left", err.msg,
				   "it stays vfkeeper's: drain its pod, or mend that, and "
				   "export again");
		else
			report_add(&x->report, path, str(one, "plugin"), str(one, "vf"),
				   &att, x->how->dry_run ? "to be exported" : "exported",
				   NULL, NULL);
	}
	json_array_foreach(json_object_get(list, "under_way"), i, one)
		report_add(&x->report, NULL, NULL, json_string_value(one), NULL, "left",
			   "it is being attached or released, or is FAULTED",
			   "vfctl explain tells what is wrong");
}

static int print(const struct export *x, struct vfk_err *err)
{
	if (x->how->json)
		return report_print_json(&x->report, x->how, "exported", NULL, err);
	report_print(&x->report, x->how, "exported");
	if (!x->how->dry_run && x->report.n_done)
		puts(NEXT_1 "\n" NEXT_2 "\n" NEXT_3);
	return 0;
}

int export_run(const struct take_over *t, struct vfk_err *err)
{
	static struct config config; /* once in a process */
	struct export x = { .how = t };
	json_t *list = NULL;
	int rc = config_load(&config, vfk_path(PATH_CONF), err);

	x.report.files = json_array();
	if (rc == 0)
		rc = engine_connect(&x.engine, ENGINE_MS, err);
	if (rc == 0 && !t->dry_run)
		rc = cordon(&x, err);
	if (rc == 0)
		rc = engine_ask(x.engine, "export-list", &t->dialect, t->dialect ? 1 : 0,
				&list, err);
	if (rc == 0)
		rc = pod_map_read(&x.pods, config.env.proc_root, err);
	if (rc == 0) {
		each_vf(&x, list);
		rc = print(&x, err);
	}
	if (rc == 0)
		rc = report_end(&x.report, "VFs", err);
	json_decref(list);
	json_decref(x.report.files);
	pod_map_free(&x.pods);
	ctl_close(x.engine);
	return rc;
}
