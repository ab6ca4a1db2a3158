/* SPDX-License-Identifier: Apache-2.0 */
#include "vfctl/doctor.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "base/strbuf.h"
#include "engine/view.h"
#include "vfctl/offline.h"

#define SLURP_MAX (4u << 20)

void doctor_say(struct doctor *d, const char *level, const char *check,
		const char *advice, const char *fmt, ...)
{
	json_t *one = json_object();
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++) /* names of files may be anything */
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	d->n_problems += !strcmp(level, "problem");
	d->n_warnings += !strcmp(level, "warning");
	json_object_set_new(one, "level", json_string(level));
	json_object_set_new(one, "check", json_string(check));
	json_object_set_new(one, "text", json_string(text));
	json_object_set_new(one, "advice", advice ? json_string(advice) : json_null());
	json_array_append_new(d->findings, one);
}

char *doctor_slurp(const char *path)
{
	char *text;
	size_t len;

	return file_read(path, 0, SLURP_MAX, &text, &len) == 0 ? text : NULL;
}

/* A container's ID is in the name of the cgroup of each of its processes, the one that holds
 * its namespaces included, whatever the runtime is. */
static void read_cgroups(struct doctor *d)
{
	VFK_AUTO(dir_auto) DIR *dir = opendir(d->config.env.proc_root);
	struct strbuf all = { 0 };
	const struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL) {
		char path[VFK_PATH_MAX + 300];

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/%s/cgroup", d->config.env.proc_root,
			 e->d_name);
		VFK_AUTO(free_auto) char *text = doctor_slurp(path);
		if (text)
			strbuf_adds(&all, text);
	}
	if (all.failed)
		strbuf_free(&all);
	d->cgroups = all.data;
	if (!d->cgroups)
		doctor_say(d, "warning", "containers", NULL,
			   "no process tells its control group below %s: which containers "
			   "live is not known, what is left behind is not looked for",
			   d->config.env.proc_root);
}

bool doctor_is_alive(const struct doctor *d, const char *container)
{
	return !d->cgroups || !*container || strstr(d->cgroups, container);
}

struct doctor_vf *doctor_vf(const struct doctor *d, const char *addr)
{
	pci_addr_t want;

	if (!pci_parse(addr, &want))
		return NULL;
	for (size_t i = 0; i < d->n_vfs; i++)
		if (d->vfs[i].addr == want)
			return &d->vfs[i];
	return NULL;
}

/* --- vfkeeper itself --- */

static void read_config(struct doctor *d)
{
	struct vfk_err err = { 0 };

	if (config_load(&d->config, vfk_path(PATH_CONF), &err) < 0)
		doctor_say(d, "problem", "configuration",
			   "mend the line, then: systemctl reload vfkeeperd", "%s",
			   err.msg);
}

static void look_at_journal(struct doctor *d)
{
	struct vfk_err err = { 0 }, verdict = { 0 };
	struct offline off;

	if (offline_read(&off, &err) < 0) {
		if (err.kind != VFK_E_NOTFOUND)
			doctor_say(d, "problem", "journal", NULL, "%s", err.msg);
		else
			doctor_say(d, "ok", "journal", NULL,
				   "there is none: vfkeeper has not run here");
	} else if (offline_verdict(&off, &verdict) < 0) {
		doctor_say(d, verdict.kind == VFK_E_TORN ? "warning" : "problem", "journal",
			   verdict.kind == VFK_E_TORN ? "the next engine cuts it" :
							"vfkeeper-replay --repair",
			   "%s", verdict.msg);
	} else if (off.node.rec.records_missing && !off.node.rec.vfs_verified) {
		doctor_say(d, "warning", "journal", "start an engine: vfctl reconcile",
			   "records may be missing (%s) and not every VF was looked at since",
			   off.node.rec.missing_reason);
	} else {
		doctor_say(d, "ok", "journal", NULL, "clean, %zu VFs on record",
			   off.node.n_vfs);
	}
	for (size_t i = 0; i < off.node.n_vfs; i++) {
		const struct rec_vf *rec = &off.node.vfs[i]->rec;
		char addr[PCI_STRLEN];
		struct doctor_vf *vf = doctor_vf(d, pci_format(rec->addr, addr));

		if (rec->state == VF_FAULTED)
			doctor_say(d, "problem", "faulted",
				   "vfctl explain tells what to do",
				   "VF %s is FAULTED: %s", addr, rec->reason);
		if (vf && !attachment_none(&rec->owner))
			vf->cached = vf->cached_alive = true; /* it is ours */
	}
	offline_fini(&off);
}

static void look_at_spool(struct doctor *d)
{
	VFK_AUTO(dir_auto) DIR *dir = opendir(vfk_path(PATH_SPOOL));
	const struct dirent *e;
	unsigned n = 0;

	while (dir && (e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	if (n)
		doctor_say(d, "warning", "spool", "start an engine: vfctl reconcile",
			   "%u DELs wait for an engine", n);
}

/* --- the report --- */

static void print(const struct doctor *d)
{
	json_t *one;
	size_t i;

	json_array_foreach(d->findings, i, one) {
		const char *advice = json_string_value(json_object_get(one, "advice"));

		printf("%-8s %-14s %s\n", json_string_value(json_object_get(one, "level")),
		       json_string_value(json_object_get(one, "check")),
		       json_string_value(json_object_get(one, "text")));
		if (advice)
			printf("%-8s %-14s -> %s\n", "", "", advice);
	}
	printf("%u problems, %u warnings\n", d->n_problems, d->n_warnings);
}

int doctor_run(bool json, struct vfk_err *err)
{
	static struct doctor d; /* once in a process */
	char *text = NULL;
	json_t *doc;
	int rc = 0;

	d.findings = json_array();
	read_config(&d);
	doctor_kernel(&d);
	doctor_rdma(&d);
	read_cgroups(&d);
	doctor_find_vfs(&d);
	look_at_journal(&d);
	look_at_spool(&d);
	doctor_caches(&d);
	doctor_leases(&d);
	doctor_guids(&d);
	doctor_leaks(&d);
	if (json) {
		doc = json_object();
		json_object_set(doc, "findings", d.findings);
		json_object_set_new(doc, "problems", json_integer(d.n_problems));
		json_object_set_new(doc, "warnings", json_integer(d.n_warnings));
		rc = view_dump(doc, &text, err);
		if (rc == 0)
			fputs(text, stdout);
		free(text);
	} else {
		print(&d);
	}
	json_decref(d.findings);
	free(d.vfs);
	free(d.cgroups);
	if (rc == 0 && d.n_problems + d.n_warnings)
		rc = vfk_err_set(err, VFK_E_KERNEL, 0, "something was found");
	return rc;
}
