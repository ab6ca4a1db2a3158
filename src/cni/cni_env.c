/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cni/cni-internal.h"

/* What the Go skeleton calls them; the client checks CNI_COMMAND itself. */
static const char missing_fmt[] = "required env variables [%s] missing";

/* Calls 'fn' with each whole string of the block; a last one without its NUL is none. */
static void each(const char *env, size_t env_len, void (*fn)(void *arg, const char *var),
		 void *arg)
{
	size_t off = 0;

	while (off < env_len) {
		const char *end = memchr(env + off, '\0', env_len - off);

		if (!end)
			return;
		fn(arg, env + off);
		off = (size_t)(end - env) + 1;
	}
}

struct lookup {
	const char *name;
	size_t len;
	const char *value;
};

static void look(void *arg, const char *var)
{
	struct lookup *l = arg;

	if (!strncmp(var, l->name, l->len) && var[l->len] == '=')
		l->value = var + l->len + 1;
}

const char *cni_env_get(const char *env, size_t env_len, const char *name)
{
	struct lookup l = { .name = name, .len = strlen(name) };

	if (env && l.len)
		each(env, env_len, look, &l);
	return l.value;
}

/* --- what may be stored, and shown --- */

static bool is_proxy(const char *var, size_t name_len)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "ftp_proxy",
					     "all_proxy", "no_proxy" };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == name_len && !strncasecmp(var, names[i], name_len))
			return true;
	return false;
}

static void filter(void *arg, const char *var)
{
	const char *eq = strchr(var, '=');
	size_t name_len = eq ? (size_t)(eq - var) : 0;

	if (name_len == 0)
		return;
	if (!strncmp(var, "CNI_", 4) || !strncmp(var, "K8S_", 4) ||
	    (name_len == 4 && !strncmp(var, "PATH", 4)) || is_proxy(var, name_len))
		strbuf_add(arg, var, strlen(var) + 1);
}

void cni_env_filter(struct strbuf *out, const char *env, size_t env_len)
{
	each(env, env_len, filter, out);
}

/* scheme://user:password@host -> scheme://[redacted]@host; without a scheme likewise. */
static void redact(void *arg, const char *var)
{
	struct strbuf *out = arg;
	const char *eq = strchr(var, '=');
	const char *at = eq ? strrchr(eq, '@') : NULL;
	const char *from;

	if (!at || !is_proxy(var, (size_t)(eq - var))) {
		strbuf_add(out, var, strlen(var) + 1);
		return;
	}
	from = strstr(eq, "://");
	from = from && from < at ? from + 3 : eq + 1;
	strbuf_add(out, var, (size_t)(from - var));
	strbuf_adds(out, "[redacted]");
	strbuf_add(out, at, strlen(at) + 1);
}

void cni_env_redact(struct strbuf *out, const char *env, size_t env_len)
{
	each(env, env_len, redact, out);
}

/* --- the checks of the skeleton --- */

bool cni_name_valid(const char *text)
{
	for (const char *p = text; *p; p++) {
		bool alnum = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9');

		if (!alnum && (p == text || !strchr("_.-", *p)))
			return false;
	}
	return *text != '\0';
}

/* What Go's unicode.IsSpace calls space, and the two bytes that a name may not hold. */
static bool bad_in_ifname(const char *text)
{
	static const char *const wide[] = {
		"\xc2\x85",	"\xc2\xa0",	"\xe1\x9a\x80", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
		"\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
		"\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
		"\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a",
	};

	if (strpbrk(text, "/: \t\n\v\f\r"))
		return true;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(wide); i++)
		if (strstr(text, wide[i]))
			return true;
	return false;
}

static int check_ifname(const char *text, struct cni_fail *fail)
{
	if (strlen(text) > IFNAME_LEN_MAX) {
		cni_fail_set(fail, 4, "interface name is too long");
		snprintf(fail->details, sizeof(fail->details),
			 "interface name should be less than %d characters",
			 IFNAME_LEN_MAX + 1);
		return -1;
	}
	if (!strcmp(text, ".") || !strcmp(text, ".."))
		cni_fail_set(fail, 4, "interface name is . or ..");
	else if (bad_in_ifname(text))
		cni_fail_set(fail, 4,
			     "interface name contains / or : or whitespace characters");
	else
		return 0;
	return -1;
}

static int check_container(const char *text, struct cni_fail *fail)
{
	if (cni_name_valid(text))
		return 0;
	cni_fail_set(fail, 4, "invalid characters in containerID");
	snprintf(fail->details, sizeof(fail->details), "%s", text);
	return -1;
}

/* The name that no attachment of ours can have: an ADD with a longer one was refused. */
static const char nobody[] = "!";

static int keep_container(struct attachment *att, enum cni_verb verb, const char *text,
			  struct cni_fail *fail)
{
	size_t len = strlen(text);

	if (len <= NAME_LEN_MAX) {
		memcpy(att->container, text, len + 1);
		return 0;
	}
	if (verb == CNI_DEL) {
		memcpy(att->container, nobody, sizeof(nobody));
		return 0;
	}
	cni_fail_set(fail, 4, "CNI_CONTAINERID is %zu bytes long, at most %d are supported",
		     len, NAME_LEN_MAX);
	return -1;
}

/* What is printed in the result has to be text, and a name with a % in it is a pattern for the
 * kernel: the link would get another one.  A DEL of such a name has nothing to release. */
static int check_new(const char *env, size_t env_len, struct cni_fail *fail)
{
	static const char *const names[] = { "CNI_NETNS", "CNI_IFNAME" };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(names); i++) {
		if (cni_text_valid(cni_env_get(env, env_len, names[i])))
			continue;
		cni_fail_set(fail, 4, "%s is not UTF-8 text", names[i]);
		return -1;
	}
	if (!strchr(cni_env_get(env, env_len, "CNI_IFNAME"), '%'))
		return 0;
	cni_fail_set(fail, 4, "interface name contains %%, which the kernel fills in");
	return -1;
}

int cni_env_check(struct attachment *att, enum cni_verb verb, const char *env,
		  size_t env_len, struct cni_fail *fail)
{
	bool one = verb == CNI_ADD || verb == CNI_DEL || verb == CNI_CHECK;
	const struct {
		const char *name;
		bool required;
		int (*check)(const char *text, struct cni_fail *fail);
	} vars[] = {
		{ "CNI_CONTAINERID", one, check_container },
		{ "CNI_NETNS", one && verb != CNI_DEL, NULL },
		{ "CNI_IFNAME", one, check_ifname },
		{ "CNI_PATH", true, NULL },
	};
	char missing[80] = "";
	size_t n = 0;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(vars); i++) {
		const char *value = cni_env_get(env, env_len, vars[i].name);

		if (!vars[i].required)
			continue;
		if (!value || !*value)
			n += (size_t)snprintf(missing + n, sizeof(missing) - n, "%s%s",
					      n ? "," : "", vars[i].name);
		else if (vars[i].check && vars[i].check(value, fail) < 0)
			return -1;
	}
	if (n) {
		cni_fail_set(fail, 4, missing_fmt, missing);
		return -1;
	}
	if (!one)
		return 0;
	if (verb != CNI_DEL && check_new(env, env_len, fail) < 0)
		return -1;
	snprintf(att->ifname, sizeof(att->ifname), "%s",
		 cni_env_get(env, env_len, "CNI_IFNAME"));
	return keep_container(att, verb, cni_env_get(env, env_len, "CNI_CONTAINERID"),
			      fail);
}
