/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl import and export: what ib-sriov-cni and sriov-cni attached becomes ours with the pods
 * running, and back.  Layer: program. */
#ifndef VFK_VFCTL_IMPORT_H
#define VFK_VFCTL_IMPORT_H

#include <jansson.h>

#include "base/attachment.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/frame.h"
#include "engine/pod_map.h"
#include "io/ctl_client.h"

struct take_over {
	const char *dialect; /* NULL: both plugins; else "ib-sriov" or "sriov" */
	bool dry_run, json;
};

/* VFK_E_USAGE: no such plugin. */
int take_over_check(const struct take_over *t, struct vfk_err *err) VFK_MUST_CHECK;

/* Print what was done.  VFK_E_KERNEL: something was left as it was. */
int import_run(const struct take_over *t, struct vfk_err *err) VFK_MUST_CHECK;
int export_run(const struct take_over *t, struct vfk_err *err) VFK_MUST_CHECK;

/* --- import_ask.c: an engine is asked, which is started where none is --- */

/* A command of control.sock; the object of its answer goes to '*out' (NULL: it is not wanted),
 * whose reference is the caller's. */
int engine_ask(struct ctl_client *c, const char *command, const char *const *words,
	       unsigned n_words, json_t **out, struct vfk_err *err) VFK_MUST_CHECK;

/* One file of another plugin, as a request of its ADD. */

struct import_call {
	enum cni_dialect dialect;
	const struct attachment *att;
	const char *text; /* of the file */
	size_t len;
	const char *netns;	 /* path */
	const char *args;	 /* CNI_ARGS, or "" */
	const char *plugin_dirs; /* CNI_PATH for what IPAM leased */
	bool dry_run;
};

/* 0 and the engine's answer, an object whose reference is the caller's; the engine's own
 * refusal, or what kept it from being asked. */
int import_ask(const struct import_call *call, json_t **answer,
	       struct vfk_err *err) VFK_MUST_CHECK;

/* --- import_text.c: what is said of each file --- */

struct report {
	json_t *files; /* an array */
	unsigned n_done, n_left;
	bool cut; /* something lacks in 'files' for want of memory */
};

/* 'result' is "left" or what was done; 'why' and 'advice' may be NULL.  One line each. */
void report_add(struct report *r, const char *path, const char *plugin, const char *vf,
		const struct attachment *att, const char *result, const char *why,
		const char *advice);
/* The lines, and how many there are: 'verb' is "imported" or "exported". */
void report_print(const struct report *r, const struct take_over *how, const char *verb);
/* All of it as one object, which the members of 'more' (NULL: none) join. */
int report_print_json(const struct report *r, const struct take_over *how,
		      const char *verb, json_t *more, struct vfk_err *err) VFK_MUST_CHECK;
/* VFK_E_KERNEL: some of these 'things' were left; VFK_E_NOMEM: not all of it was said. */
int report_end(const struct report *r, const char *things,
	       struct vfk_err *err) VFK_MUST_CHECK;

#endif
