/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cni/cni-internal.h"
#include "cni/json_print.h"

/* One line: whatever is below a space becomes one. */
static void one_line(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

void cni_fail_set(struct cni_fail *fail, int code, const char *fmt, ...)
{
	va_list ap;

	fail->code = code;
	fail->details[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(fail->msg, sizeof(fail->msg), fmt, ap);
	va_end(ap);
	one_line(fail->msg);
}

int cni_fail_kind(struct cni_fail *fail, const char *prefix, const char *key,
		  const json_t *value, const char *wanted)
{
	char show[CNI_SHOW_LEN];

	if (json_is_object(value) || json_is_array(value))
		cni_fail_set(fail, 6, "%s%s must be %s, not %s", prefix, key, wanted,
			     cni_json_kind(value));
	else
		cni_fail_set(fail, 6, "%s%s %s must be %s, not %s", prefix, key,
			     cni_json_show(value, show), wanted, cni_json_kind(value));
	return -1;
}

void cni_fail_from(struct cni_fail *fail, const struct vfk_err *err, pci_addr_t vf)
{
	char addr[PCI_STRLEN];

	if (vf == PCI_NONE)
		cni_fail_set(fail, vfk_err_cni_code(err->kind), "%s", err->msg);
	else
		cni_fail_set(fail, vfk_err_cni_code(err->kind), "%s (vfctl explain %s)",
			     err->msg, pci_format(vf, addr));
}

/* Puts 'with' in the place of every 'what' (any case); it is never longer. */
static void replace(char *text, const char *what, const char *with)
{
	size_t what_len = strlen(what), with_len = strlen(with);

	for (char *p = text; (p = strcasestr(p, what)) != NULL; p += with_len) {
		memcpy(p, with, with_len);
		memmove(p + with_len, p + what_len, strlen(p + what_len) + 1);
	}
}

void cni_fail_for_del(struct cni_fail *fail)
{
	char *const texts[] = { fail->msg, fail->details };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(texts); i++) {
		replace(texts[i], "not found", "not-found");
		replace(texts[i], "no such file or directory", "ENOENT");
	}
}

/* json_string that takes any bytes: a message may quote what somebody sent. */
static json_t *any_string(const char *text)
{
	json_t *value = json_string(text);
	char copy[sizeof(((struct cni_fail *)NULL)->msg)];

	if (value)
		return value;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(copy);
}

char *cni_fail_text(const struct cni_fail *fail, enum cni_spec spec)
{
	char *text = NULL;
	json_t *obj;

	if (spec < CNI_0_1_0 || spec > CNI_SPEC_NEWEST)
		spec = CNI_SPEC_NEWEST;
	obj = json_pack("{s:s, s:i, s:o}", "cniVersion", cni_spec_name(spec), "code",
			fail->code, "msg", any_string(fail->msg));
	if (obj && (!fail->details[0] ||
		    !json_object_set_new(obj, "details", any_string(fail->details))))
		text = json_print(obj, JSON_COMPACT);
	json_decref(obj);
	return text;
}

/* --- what a failing IPAM plugin said --- */

/* The error object; false if the text is none. */
static bool plugin_error(struct cni_fail *fail, const char *plugin, const char *text,
			 size_t len)
{
	char why[200];
	bool no_memory, is_error = false;
	json_t *obj = cni_json_load(text, len, why, sizeof(why), &no_memory);
	const char *msg = json_string_value(cni_json_find(obj, "msg"));
	const char *details = json_string_value(cni_json_find(obj, "details"));
	int64_t code;

	if (msg && *msg && cni_json_int(cni_json_find(obj, "code"), &code)) {
		/* 3 would tell the runtime that no DEL is needed: a VF may be reserved. */
		cni_fail_set(fail,
			     code >= 1 && code <= 99999 && code != 3 ? (int)code : 999,
			     "IPAM plugin \"%s\": %s", plugin, msg);
		if (details)
			snprintf(fail->details, sizeof(fail->details), "%s", details);
		one_line(fail->details);
		is_error = true;
	}
	json_decref(obj);
	return is_error;
}

static void no_error_object(struct cni_fail *fail, const char *plugin, int status,
			    const char *text, size_t len)
{
	char head[100], show[CNI_SHOW_LEN];

	if (len == 0) {
		cni_fail_set(fail, 999,
			     "IPAM plugin \"%s\" ended with status %d and printed nothing",
			     plugin, status);
		return;
	}
	snprintf(head, sizeof(head), "%.*s", (int)(len < 90 ? len : 90), text);
	cni_fail_set(fail, 999,
		     "IPAM plugin \"%s\" ended with status %d and printed no error object: %s",
		     plugin, status, cni_show(head, show));
}

void cni_ipam_failure(struct cni_fail *fail, const char *plugin, enum run_outcome outcome,
		      int status, const char *text, size_t len)
{
	switch (outcome) {
	case RUN_EXITED:
		if (!len || !plugin_error(fail, plugin, text, len))
			no_error_object(fail, plugin, status, text, len);
		return;
	case RUN_SIGNALLED:
		cni_fail_set(fail, 999, "IPAM plugin \"%s\" was ended by signal %d",
			     plugin, status);
		return;
	case RUN_NOT_FOUND:
		cni_fail_set(fail, 7,
			     "failed to find plugin \"%s\" in the directories of CNI_PATH",
			     plugin);
		return;
	case RUN_NOT_STARTED:
		cni_fail_set(fail, 999, "IPAM plugin \"%s\" could not be started: %s",
			     plugin, vfk_errno_name(status));
		return;
	case RUN_TIMED_OUT:
		cni_fail_set(fail, 11,
			     "IPAM plugin \"%s\" gave no answer in time and was ended",
			     plugin);
		return;
	case RUN_CANCELLED:
		cni_fail_set(fail, 11,
			     "IPAM plugin \"%s\" was ended: the request was withdrawn",
			     plugin);
		return;
	}
	cni_fail_set(fail, 999, "IPAM plugin \"%s\" failed in an unknown way (%d)",
		     plugin, (int)outcome);
}
