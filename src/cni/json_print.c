/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/json_print.h"

#include "base/strbuf.h"

/* The buffer remembers a failure, whoever ignores what is returned here. */
static int add(const char *text, size_t len, void *arg)
{
	struct strbuf *out = arg;

	strbuf_add(out, text, len);
	return out->failed ? -1 : 0;
}

char *json_print(const json_t *value, size_t flags)
{
	struct strbuf out = { 0 };

	if (!value || json_dump_callback(value, add, &out, flags) < 0)
		out.failed = true;
	return strbuf_steal(&out);
}
