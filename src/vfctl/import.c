/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl import.  Each file goes its way alone: the plugin's lock, the engine's record on the
 * disk, then the file is put away.  Whatever ends it in between, the next import finds the
 * file and a record that says so. */
#include "vfctl/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "cni/peer_cache.h"
#include "engine/config.h"
#include "engine/view.h"
#include "io/engine_start.h"
#include "vfctl/peers.h"

#define ENGINE_MS 15000

struct import {
	const struct take_over *how;
	struct config config;
	struct peer_files files;
	struct pod_map pods;
	struct report report;
};

/* One file on its way. */
struct item {
	const struct peer_file *file;
	struct peer_cache cache;
	struct attachment att;
	char vf[PCI_STRLEN];
	char pod[PEERS_ARGS_MAX];
	char *text;
	size_t len;
};

int take_over_check(const struct take_over *t, struct vfk_err *err)
{
	if (t->dialect && strcmp(t->dialect, "ib-sriov") && strcmp(t->dialect, "sriov"))
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "--dialect takes ib-sriov or sriov, not %.40s",
				   t->dialect);
	return 0;
}

static void left(struct import *im, const struct item *it, const char *why,
		 const char *advice)
{
	report_add(&im->report, it->file->path, peer_name(it->file->dialect), it->vf,
		   it->att.container[0] ? &it->att : NULL, "left", why, advice);
}

/* Parses the file's text into the item. */
static int parse(struct item *it, struct vfk_err *err)
{
	int rc = peer_cache_read(&it->cache, it->text, it->len, err);

	peer_cache_split(it->file->name, it->cache.ifname, &it->att);
	if (rc == 0 && !it->att.ifname[0])
		rc = vfk_err_set(err, VFK_E_DECODE, 0,
				 "its name is not CONTAINER-INTERFACE");
	if (rc < 0)
		return rc;
	snprintf(it->att.network, sizeof(it->att.network), "%s", it->cache.network);
	pci_format(it->cache.device, it->vf);
	return 0;
}

/* The same VF in a file that was written later: an ADD writes last, so that one is of who has
 * the VF, and this one was left behind. */
static const struct peer_file *newer_file(const struct import *im, const struct item *it)
{
	for (size_t i = 0; i < im->files.n; i++) {
		const struct peer_file *f = &im->files.all[i];

		if (f != it->file && f->mtime_ns > it->file->mtime_ns &&
		    f->device == it->cache.device)
			return f;
	}
	return NULL;
}

/* sriov-cni writes down where it took the VF: the only trace of one for user space. */
static bool allocated_to(const struct item *it, char out[PATH_MAX])
{
	VFK_AUTO(free_auto) char *text = NULL;
	struct vfk_err ignored;
	char path[PATH_MAX];
	size_t len;

	if (it->file->dialect != DIALECT_SRIOV ||
	    peers_read(peers_allocation(it->cache.device, path), &text, &len, &ignored) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	snprintf(out, PATH_MAX, "%s", text);
	return text[0] == '/';
}

static void read_devices(struct peer_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		struct peer_file *f = &files->all[i];
		VFK_AUTO(free_auto) char *text = NULL;
		struct peer_cache cache;
		struct vfk_err ignored;
		size_t len;

		if (peers_read(f->path, &text, &len, &ignored) == 0 &&
		    peer_cache_read(&cache, text, len, &ignored) == 0)
			f->device = cache.device;
	}
}

/* Whether the pod can be the file's: not where its processes are of another one's. */
static bool is_others(const struct import *im, const struct pod_netns *pod,
		      const struct item *it)
{
	if (!pod->cgroups.data || pod_has_container(pod, it->att.container))
		return false;
	for (size_t i = 0; i < im->files.n; i++) {
		struct attachment other;

		peer_cache_split(im->files.all[i].name, "", &other);
		if (other.container[0] && strcmp(other.container, it->att.container) &&
		    pod_has_container(pod, other.container))
			return true;
	}
	return false;
}

/* The engine says whether the VF is in the namespace at 'netns'. */
static int ask(struct import *im, const struct item *it, const char *netns,
	       json_t **answer, struct vfk_err *err)
{
	struct import_call call = { .dialect = it->file->dialect,
				    .att = &it->att,
				    .text = it->text,
				    .len = it->len,
				    .netns = netns,
				    .args = it->pod,
				    .plugin_dirs = im->config.plugin_dirs,
				    .dry_run = im->how->dry_run };

	return import_ask(&call, answer, err);
}

/* Every namespace that may be the pod's.  1: the engine has it; 0: there is no such pod. */
static int ask_all(struct import *im, const struct item *it, json_t **answer,
		   struct vfk_err *err)
{
	char allocated[PATH_MAX];
	bool any = false, others = false;
	int rc = 0;

	for (size_t i = 0; i < im->pods.n; i++) {
		const struct pod_netns *pod = &im->pods.all[i];

		if (!pod_has_vf(pod, it->cache.device) &&
		    !pod_has_container(pod, it->att.container))
			continue;
		if (is_others(im, pod, it)) {
			others = true;
			continue;
		}
		any = true;
		rc = ask(im, it, pod->path, answer, err);
		if (rc == 0)
			return 1;
	}
	if (!any && !others && allocated_to(it, allocated)) {
		rc = ask(im, it, allocated, answer, err);
		if (rc == 0)
			return 1;
		any = rc != -VFK_E_NETNS; /* else it is gone */
	}
	if (!any && others)
		return vfk_err_set(err, VFK_E_BUSY, 0,
				   "VF %s is in a pod of another container", it->vf);
	return any ? rc : 0;
}

static int put_away(const struct item *it, struct vfk_err *err)
{
	char path[PATH_MAX], name[PCI_STRLEN + 8];

	/* The file itself last: the next import would look for it alone. */
	if (it->file->dialect == DIALECT_SRIOV) {
		snprintf(name, sizeof(name), "pci-%s", it->vf);
		if (peers_retire(DIALECT_SRIOV, peers_allocation(it->cache.device, path),
				 name, err) < 0)
			return -err->kind;
	}
	return peers_retire(it->file->dialect, it->file->path, it->file->name, err);
}

/* Under the plugin's lock. */
static void take_over(struct import *im, const struct item *it)
{
	const char *what;
	struct vfk_err err = { 0 };
	json_t *answer = NULL;
	int rc = ask_all(im, it, &answer, &err);

	if (rc == 0) {
		left(im, it, "no pod has its VF any more",
		     "when its container is gone for good, remove the file");
		return;
	}
	if (rc < 0) {
		left(im, it, err.msg, "vfctl import again when that is mended");
		return;
	}
	what = json_string_value(json_object_get(answer, "what"));
	if (!im->how->dry_run && put_away(it, &err) < 0)
		left(im, it, err.msg,
		     "its VF is ours now; vfctl import again puts the file away");
	else
		report_add(&im->report, it->file->path, peer_name(it->file->dialect),
			   it->vf, &it->att, what ? what : "imported", NULL, NULL);
	json_decref(answer);
}

/* Reads the file into the item; '*text' is the caller's to free. */
static int read_item(struct item *it, char **text, struct vfk_err *err)
{
	if (peers_read(it->file->path, text, &it->len, err) < 0)
		return -err->kind;
	it->text = *text;
	return parse(it, err);
}

static void one_file(struct import *im, const struct peer_file *file)
{
	struct item it = { .file = file };
	VFK_AUTO(free_auto) char *first = NULL;
	VFK_AUTO(free_auto) char *text = NULL;
	VFK_AUTO(fd_auto) int lock = -1;
	const struct peer_file *newer;
	struct vfk_err err = { 0 };
	char why[PATH_MAX + 64];

	if (read_item(&it, &first, &err) == 0 &&
	    peers_lock(file->dialect, it.cache.device, &lock, &err) == 0)
		/* Nobody writes to it from here on. */
		(void)(read_item(&it, &text, &err) < 0);
	if (err.kind == VFK_E_GONE) /* a DEL was faster */
		return;
	if (err.kind) {
		left(im, &it, err.msg,
		     err.kind == VFK_E_DECODE ?
			     "nothing can be taken from it: see whose it was, then remove it" :
			     "vfctl import again when that is mended");
		return;
	}
	peers_pod(&it.att, it.pod);
	newer = newer_file(im, &it);
	if (newer) {
		snprintf(why, sizeof(why), "%s names the same VF and is newer",
			 newer->path);
		left(im, &it, why, "remove this one");
		return;
	}
	take_over(im, &it);
}

/* All files were looked at: are there VFs in use by others yet? */
static int finish(json_t **said, struct vfk_err *err)
{
	struct ctl_client *c = NULL;
	int rc = engine_connect(&c, ENGINE_MS, err);

	if (rc == 0)
		rc = engine_ask(c, "import-done", NULL, 0, said, err);
	ctl_close(c);
	return rc;
}

static void print(const struct import *im, const json_t *said)
{
	const json_t *foreign = json_object_get(said, "foreign");
	const json_t *one;
	size_t i;

	report_print(&im->report, im->how, "imported");
	json_array_foreach(foreign, i, one)
		printf("VF %s is in use by nobody on record (vfctl explain %s)\n",
		       json_string_value(one), json_string_value(one));
	if (json_is_true(json_object_get(said, "records_missing")))
		printf("records may still be missing (vfctl status)\n");
}

/* What was done is said whatever becomes of the end of it. */
static int import_all(struct import *im, struct vfk_err *err)
{
	struct vfk_err why = { 0 };
	json_t *said = NULL;
	int rc = 0;

	for (size_t i = 0; i < im->files.n; i++)
		one_file(im, &im->files.all[i]);
	if (!im->how->dry_run)
		(void)(finish(&said, &why) < 0);
	if (im->how->json)
		rc = report_print_json(&im->report, im->how, "imported", said, err);
	else
		print(im, said);
	json_decref(said);
	if (rc < 0)
		return rc;
	if (why.kind) {
		*err = why;
		return -why.kind;
	}
	return report_end(&im->report, "files", err);
}

int import_run(const struct take_over *t, struct vfk_err *err)
{
	struct import im = { .how = t };
	int rc = config_load(&im.config, vfk_path(PATH_CONF), err);

	im.report.files = json_array();
	if (rc == 0 && (!t->dialect || !strcmp(t->dialect, "ib-sriov")))
		rc = peers_list(&im.files, DIALECT_IB_SRIOV, err);
	if (rc == 0 && (!t->dialect || !strcmp(t->dialect, "sriov")))
		rc = peers_list(&im.files, DIALECT_SRIOV, err);
	read_devices(&im.files);
	if (rc == 0 && im.files.n)
		rc = pod_map_read(&im.pods, im.config.env.proc_root, err);
	if (rc == 0)
		rc = import_all(&im, err);
	json_decref(im.report.files);
	pod_map_free(&im.pods);
	peers_free(&im.files);
	return rc;
}
