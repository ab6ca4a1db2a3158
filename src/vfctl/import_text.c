/* SPDX-License-Identifier: Apache-2.0 */
/* What import and export say of each file: a line for people, an object for programs. */
#include <stdio.h>
#include <string.h>

#include "vfctl/import.h"

static json_t *text_or_null(const char *text)
{
	json_t *value = text && text[0] ? json_string(text) : NULL;

	return value ? value : json_null();
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
	json_object_set_new(one, "path", text_or_null(path));
	json_object_set_new(one, "plugin", text_or_null(plugin));
	json_object_set_new(one, "vf", text_or_null(vf));
	json_object_set_new(one, "container", text_or_null(att ? att->container : NULL));
	json_object_set_new(one, "ifname", text_or_null(att ? att->ifname : NULL));
	json_object_set_new(one, "result", json_string(result));
	json_object_set_new(one, "why", text_or_null(why));
	json_object_set_new(one, "advice", text_or_null(advice));
	json_array_append_new(r->files, one);
}

static const char *str(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

void report_print(const struct report *r, const char *verb)
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
	printf("%u %s, %u left as they were\n", r->n_done, verb, r->n_left);
}
