/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cni/cni-internal.h"

struct pair {
	const char *text;
	size_t len, key_len; /* key_len == len: no '=' */
	bool second_eq;
};

/* Takes the next pair of "K=V;K=V" from '*rest'; false at the end.  "a;" has two pairs, the
 * second one empty, as in Go. */
static bool next_pair(const char **rest, struct pair *p)
{
	const char *eq;

	if (!*rest)
		return false;
	p->text = *rest;
	p->len = strcspn(p->text, ";");
	*rest = p->text[p->len] ? p->text + p->len + 1 : NULL;
	eq = memchr(p->text, '=', p->len);
	p->key_len = eq ? (size_t)(eq - p->text) : p->len;
	p->second_eq = eq && memchr(eq + 1, '=', p->len - p->key_len - 1);
	return true;
}

static bool key_is(const struct pair *p, const char *key)
{
	return p->key_len == strlen(key) && !memcmp(p->text, key, p->key_len);
}

static bool known(const struct pair *p)
{
	static const char *const keys[] = { "IgnoreUnknown",
					    "MAC",
					    "K8S_POD_NAMESPACE",
					    "K8S_POD_NAME",
					    "K8S_POD_INFRA_CONTAINER_ID",
					    "K8S_POD_UID" };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(keys); i++)
		if (key_is(p, keys[i]))
			return true;
	return false;
}

/* Copies the value if it fits and every character is one of a Kubernetes name. */
static void take_name(char *out, size_t cap, const struct pair *p)
{
	const char *value = p->text + p->key_len + 1;
	size_t len = p->len - p->key_len - 1;

	if (len >= cap || strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789-._") < len)
		return;
	memcpy(out, value, len);
	out[len] = '\0';
}

static const char *args_prefix(enum cni_dialect dialect)
{
	return dialect == DIALECT_SRIOV ? "SRIOV-CNI failed to parse args: " :
					  "failed to parse args: ";
}

/* Appends the pair, quoted, to a list for people; three show what is meant. */
static void list_pair(char *list, size_t cap, unsigned n, const struct pair *p)
{
	char text[CNI_SHOW_LEN], show[CNI_SHOW_LEN];
	size_t used = strlen(list);

	if (n >= 3)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(p->len < 200 ? p->len : 200), p->text);
	snprintf(list + used, cap - used, "%s%s", n ? " " : "", cni_show(text, show));
}

static int fail_pair(struct cni_fail *fail, enum cni_dialect dialect, const char *what,
		     const struct pair *p)
{
	char text[CNI_SHOW_LEN], show[CNI_SHOW_LEN];

	snprintf(text, sizeof(text), "%.*s", (int)(p->len < 200 ? p->len : 200), p->text);
	cni_fail_set(fail, 4, "%sARGS: %s %s", args_prefix(dialect), what,
		     cni_show(text, show));
	return -1;
}

/* 1 or true, 0 or false in any case; -1: neither. */
static int parse_bool(const struct pair *p)
{
	const char *value = p->text + p->key_len + 1;
	size_t len = p->len - p->key_len - 1;

	if ((len == 1 && *value == '1') || (len == 4 && !strncasecmp(value, "true", 4)))
		return 1;
	if ((len == 1 && *value == '0') || (len == 5 && !strncasecmp(value, "false", 5)))
		return 0;
	return -1;
}

int cni_args_parse(struct pod_ref *pod, char mac[CNI_MAC_TEXT], const char *args,
		   enum cni_dialect dialect, bool strict, struct cni_fail *fail)
{
	const char *rest = args && *args ? args : NULL;
	char unknown[4 * CNI_SHOW_LEN] = "";
	unsigned n_unknown = 0;
	bool ignore_unknown = false;
	struct pair p;

	memset(pod, 0, sizeof(*pod));
	mac[0] = '\0';
	while (next_pair(&rest, &p)) {
		if (p.key_len == p.len || p.second_eq) {
			if (strict)
				return fail_pair(fail, dialect, "invalid pair", &p);
			if (p.key_len == p.len)
				continue;
		}
		if (key_is(&p, "K8S_POD_NAMESPACE")) {
			take_name(pod->ns, sizeof(pod->ns), &p);
		} else if (key_is(&p, "K8S_POD_NAME")) {
			take_name(pod->name, sizeof(pod->name), &p);
		} else if (key_is(&p, "MAC")) {
			/* Too long is as wrong as what is cut here. */
			snprintf(mac, CNI_MAC_TEXT, "%.*s", (int)(p.len - p.key_len - 1),
				 p.text + p.key_len + 1);
		} else if (key_is(&p, "IgnoreUnknown")) {
			int on = parse_bool(&p);

			if (on < 0 && strict)
				return fail_pair(fail, dialect,
						 "IgnoreUnknown must be 1, true, 0 or false:",
						 &p);
			ignore_unknown = on > 0;
		} else if (!known(&p)) {
			list_pair(unknown, sizeof(unknown), n_unknown++, &p);
		}
	}
	if (!strict || n_unknown == 0 || ignore_unknown)
		return 0;
	cni_fail_set(fail, 4, "%sARGS: unknown args [%s%s]", args_prefix(dialect),
		     unknown, n_unknown > 3 ? " ..." : "");
	return -1;
}
