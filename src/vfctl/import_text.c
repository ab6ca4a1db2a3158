/* SPDX-License-Identifier: Apache-2.0 */
/* What import and export say of each file: a line for people, an object for programs. */
#include <stdio.h>
#include <string.h>

#include "engine/view.h"
#include "vfctl/import.h"

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static void put(struct report *r, json_t *one, const char *key, const char *text)
{
	r->cut |= json_object_set_new(one, key, text_or_null(text)) != 0;
}

void report_add(struct report *r, const char *path, const char *plugin, const char *vf,
		const struct attachment *att, const char *result, const char *why,
		const char *advice)
{
	json_t *one = json_object();

	if (!strcmp(result, "left"))
		r->n_left++;
	else
		r->n_done++;
	put(r, one, "path", path);
	put(r, one, "plugin", plugin);
	put(r, one, "vf", vf);
	put(r, one, "container", att ? att->container : NULL);
	put(r, one, "ifname", att ? att->ifname : NULL);
	put(r, one, "result", result);
	put(r, one, "why", why);
	put(r, one, "advice", advice);
	r->cut |= json_array_append_new(r->files, one) != 0;
}

static const char *str(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

void report_print(const struct report *r, const struct take_over *how, const char *verb)
{
	json_t *one;
	size_t i;

	json_array_foreach(r->files, i, one) {
		const char *vf = str(one, "vf"), *why = str(one, "why");
		const char *path = str(one, "path"), *advice = str(one, "advice");

		if (why)
			printf("%-12s %s: %s%s%s\n", str(one, "result"),
			       path ? path : (vf ? vf : "?"), why, advice ? " -> " : "",
			       advice ? advice : "");
		else
			printf("%-12s %s %.13s/%s %s\n", str(one, "result"), vf ? vf : "?",
			       str(one, "container") ? str(one, "container") : "?",
			       str(one, "ifname") ? str(one, "ifname") : "?",
			       path ? path : "");
	}
	printf("%u %s%s, %u left as they were\n", r->n_done, how->dry_run ? "to be " : "",
	       verb, r->n_left);
}

int report_print_json(const struct report *r, const struct take_over *how,
		      const char *verb, json_t *more, struct vfk_err *err)
{
	json_t *doc = json_pack("{s:b,s:O,s:i,s:i}", "dry_run", how->dry_run, "files",
				r->files, verb, r->n_done, "left", r->n_left);
	VFK_AUTO(free_auto) char *text = NULL;
	int rc;

	if (more && json_object_update(doc, more) < 0) {
		json_decref(doc);
		doc = NULL;
	}
	rc = view_dump(doc, &text, err);
	if (rc == 0)
		fputs(text, stdout);
	return rc;
}

int report_end(const struct report *r, const char *things, struct vfk_err *err)
{
	if (r->cut)
		return vfk_err_set(err, VFK_E_NOMEM, 0,
				   "not all of it could be said: out of memory");
	if (r->n_left)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "%u %s were left as they were",
				   r->n_left, things);
	return 0;
}
