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
#define READ_MS 10000
#define CHANGE_MS 30000

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

static int ask(struct export *x, const char *command, const char *const *words,
	       unsigned n_words, json_t **out, struct vfk_err *err)
{
	struct strbuf json = { 0 };
	int rc = ctl_ask(x->engine, command, words, n_words, CHANGE_MS, &json, err);

	if (rc == 0 && out) {
		*out = json_loadb(json.data ? json.data : "", json.len, 0, NULL);
		if (!*out)
			rc = vfk_err_set(err, VFK_E_DECODE, 0, "the answer is no JSON");
	}
	strbuf_free(&json);
	return rc;
}

/* An administrator's own cordon stays as it is. */
static int cordon(struct export *x, struct vfk_err *err)
{
	static const char *const words[] = { "node", "--reason", "vfctl export" };
	json_t *status = NULL, *one;
	bool cordoned = false;
	int rc = ask(x, "status", NULL, 0, &status, err);
	size_t i;

	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(status, "cordons"), i, one) {
		const char *scope = json_string_value(json_object_get(one, "scope"));

		cordoned |= scope && !strcmp(scope, "node");
	}
	json_decref(status);
	return cordoned ? 0 : ask(x, "cordon", words, VFK_ARRAY_SIZE(words), NULL, err);
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
	return ask(x, "export-done", words, VFK_ARRAY_SIZE(words), NULL, err);
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
	if (!pci_parse(str(one, "vf"), &addr))
		return vfk_err_set(err, VFK_E_DECODE, 0, "the engine names no VF");
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
		char dir[PATH_MAX], path[PATH_MAX];
		struct vfk_err err = { 0 };
		struct attachment att = { .network = "" };

		snprintf(att.container, sizeof(att.container), "%s", str(one, "container"));
		snprintf(att.ifname, sizeof(att.ifname), "%s", str(one, "ifname"));
		if (snprintf(path, sizeof(path), "%s/%s-%s", peers_dir(dialect, dir),
			     att.container, att.ifname) >= (int)sizeof(path))
			continue;
		if (one_vf(x, one, path, dialect, &err) < 0)
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
	json_t *doc;
	char *text = NULL;
	int rc;

	if (!x->how->json) {
		report_print(&x->report, x->how->dry_run ? "to be exported" : "exported");
		if (!x->how->dry_run && x->report.n_done)
			puts(NEXT_1 "\n" NEXT_2 "\n" NEXT_3);
		return 0;
	}
	doc = json_object();
	json_object_set_new(doc, "dry_run", json_boolean(x->how->dry_run));
	json_object_set(doc, "files", x->report.files);
	json_object_set_new(doc, "exported", json_integer(x->report.n_done));
	json_object_set_new(doc, "left", json_integer(x->report.n_left));
	rc = view_dump(doc, &text, err);
	if (rc == 0)
		fputs(text, stdout);
	free(text);
	return rc;
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
		rc = ask(&x, "export-list", &t->dialect, t->dialect ? 1 : 0, &list, err);
	if (rc == 0)
		rc = pod_map_read(&x.pods, config.env.proc_root, err);
	if (rc == 0) {
		each_vf(&x, list);
		rc = print(&x, err);
	}
	if (rc == 0 && x.report.n_left)
		rc = vfk_err_set(err, VFK_E_KERNEL, 0, "%u VFs were left as they were",
				 x.report.n_left);
	json_decref(list);
	json_decref(x.report.files);
	pod_map_free(&x.pods);
	ctl_close(x.engine);
	return rc;
}
