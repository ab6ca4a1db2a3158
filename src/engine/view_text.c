/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON answers as text for people. */
#include "engine/view-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/ctl_cmds.h"

const char *view_age(int64_t seconds, char buf[24])
{
	int64_t d = seconds / 86400, h = seconds / 3600 % 24, m = seconds / 60 % 60;

	if (seconds < 60)
		snprintf(buf, 24, "%" PRId64 "s", seconds > 0 ? seconds : 0);
	else if (d == 0 && h == 0)
		snprintf(buf, 24, "%" PRId64 "m%" PRId64 "s", m, seconds % 60);
	else if (d == 0)
		snprintf(buf, 24, "%" PRId64 "h%" PRId64 "m", h, m);
	else
		snprintf(buf, 24, "%" PRId64 "d%" PRId64 "h", d % 100000, h);
	return buf;
}

/* --- tables: cells are added row by row, widths found at the end --- */

#define COLUMNS_MAX 10

struct table {
	unsigned n_columns;
	struct strbuf cells; /* each ended by a NUL, row after row, heading first */
};

/* Characters on a terminal; what is more than one column wide is counted as one. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Bytes that would steer a terminal are shown as '?': pods are named by their users. */
static void add_clean(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		char c = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;

		strbuf_add(out, &c, 1);
	}
}

static void cell(struct table *t, const char *text)
{
	add_clean(&t->cells, text && *text ? text : "-");
	strbuf_add(&t->cells, "", 1);
}

static void table_print(struct table *t, struct strbuf *out)
{
	size_t widths[COLUMNS_MAX] = { 0 };
	unsigned column = 0;

	for (size_t at = 0; at < t->cells.len; at += strlen(t->cells.data + at) + 1) {
		size_t width = width_of(t->cells.data + at);

		if (width > widths[column])
			widths[column] = width;
		column = (column + 1) % t->n_columns;
	}
	column = 0;
	for (size_t at = 0; at < t->cells.len; at += strlen(t->cells.data + at) + 1) {
		const char *text = t->cells.data + at;
		bool is_last = column + 1 == t->n_columns;

		/* An empty last column leaves no blanks at the line's end. */
		strbuf_adds(out, text);
		for (size_t w = width_of(text); !is_last && w < widths[column] + 2; w++)
			strbuf_adds(out, " ");
		if (is_last)
			strbuf_adds(out, "\n");
		column = (column + 1) % t->n_columns;
	}
	out->failed |= t->cells.failed;
	strbuf_free(&t->cells);
}

static struct table table_begin(const char *const *heading, unsigned n_columns)
{
	struct table t = { .n_columns = n_columns };

	for (unsigned i = 0; i < n_columns; i++)
		cell(&t, heading[i]);
	return t;
}

/* --- reading JSON --- */

static const char *str(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

static json_int_t num(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

static bool is(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

static const char *text_of_age(const json_t *obj, const char *key, char buf[24])
{
	json_t *age = json_object_get(obj, key);

	return json_is_integer(age) ? view_age(json_integer_value(age), buf) : NULL;
}

/* "namespace/name" of a pod object, NULL for null. */
static const char *text_of_pod(const json_t *obj, char *buf, size_t cap)
{
	json_t *pod = json_object_get(obj, "pod");

	if (!json_is_object(pod))
		return NULL;
	snprintf(buf, cap, "%s/%s", str(pod, "namespace") ? str(pod, "namespace") : "",
		 str(pod, "name") ? str(pod, "name") : "");
	return buf;
}

/* What deserves a remark in a list. */
static const char *text_of_note(const json_t *vf, char *buf, size_t cap)
{
	json_t *retry = json_object_get(vf, "retry_in_s");
	const char *reason = str(vf, "reason"), *why = str(vf, "cordon_reason");
	size_t len;

	snprintf(buf, cap, "%s%s%s%s%s%s%s%s", str(vf, "cordoned") ? "cordoned (" : "",
		 str(vf, "cordoned") ? str(vf, "cordoned") : "", why ? ": " : "",
		 why ? why : "", str(vf, "cordoned") ? "); " : "",
		 is(vf, "stuck") ? "stuck; " : "",
		 is(vf, "foreign") ? "used by somebody else; " : "", reason ? reason : "");
	len = strlen(buf);
	if (json_is_number(retry) && len < cap)
		snprintf(buf + len, cap - len, "%s(next attempt in %.0fs)",
			 len ? " " : "", json_number_value(retry));
	len = strlen(buf);
	if (len > 2 && !strcmp(buf + len - 2, "; "))
		buf[len - 2] = '\0';
	return buf;
}

/* --- the commands --- */

static void print_list(struct strbuf *out, const json_t *doc)
{
	static const char *const heading[] = { "ADDRESS", "PF/VF",  "STATE",
					       "AGE",	  "POD",    "CONTAINER",
					       "IFNAME",  "NETDEV", "NOTE" };
	struct table t = table_begin(heading, VFK_ARRAY_SIZE(heading));
	json_t *vf;
	size_t i;

	json_array_foreach(json_object_get(doc, "vfs"), i, vf) {
		json_t *owner = json_object_get(vf, "owner");
		char pf[64], age[24], pod[330], note[400], cid[16] = "";

		snprintf(pf, sizeof(pf), "%s/%d",
			 str(vf, "pf_netdev") ? str(vf, "pf_netdev") :
			 str(vf, "pf")	      ? str(vf, "pf") :
						"?",
			 (int)num(vf, "index"));
		/* As long as other tools show it; vfctl show has all of it. */
		if (str(owner, "container"))
			snprintf(cid, sizeof(cid), "%.13s", str(owner, "container"));
		cell(&t, str(vf, "address"));
		cell(&t, pf);
		cell(&t, str(vf, "state"));
		cell(&t, text_of_age(vf, "age_s", age));
		cell(&t, text_of_pod(vf, pod, sizeof(pod)));
		cell(&t, cid);
		cell(&t, str(owner, "ifname"));
		cell(&t, str(vf, "netdev"));
		cell(&t, text_of_note(vf, note, sizeof(note)));
	}
	table_print(&t, out);
}

static void print_leases(struct strbuf *out, const json_t *doc)
{
	static const char *const heading[] = { "ID",	    "STATE", "AGE",
					       "PLUGIN",    "POD",   "CONTAINER",
					       "IFNAME",    "VF",    "ATTEMPTS",
					       "LAST ERROR" };
	struct table t = table_begin(heading, VFK_ARRAY_SIZE(heading));
	json_t *lease;
	size_t i;

	json_array_foreach(json_object_get(doc, "leases"), i, lease) {
		json_t *owner = json_object_get(lease, "owner");
		char id[24], attempts[24], age[24], pod[330], cid[16] = "";

		snprintf(id, sizeof(id), "%lld", (long long)num(lease, "id"));
		snprintf(attempts, sizeof(attempts), "%lld",
			 (long long)num(lease, "attempts"));
		if (str(owner, "container"))
			snprintf(cid, sizeof(cid), "%.13s", str(owner, "container"));
		cell(&t, id);
		cell(&t, str(lease, "state"));
		cell(&t, text_of_age(lease, "age_s", age));
		cell(&t, str(lease, "plugin"));
		cell(&t, text_of_pod(lease, pod, sizeof(pod)));
		cell(&t, cid);
		cell(&t, str(owner, "ifname"));
		cell(&t, str(lease, "vf"));
		cell(&t, attempts);
		cell(&t, str(lease, "last_error"));
	}
	table_print(&t, out);
}

/* Values of one line: nested objects and arrays in one line, too. */
static void add_value(struct strbuf *out, const json_t *value)
{
	char buf[64];
	const char *key, *between = "";
	json_t *part;
	size_t i;

	if (json_is_string(value)) {
		add_clean(out, json_string_value(value));
	} else if (json_is_integer(value)) {
		snprintf(buf, sizeof(buf), "%lld", (long long)json_integer_value(value));
		strbuf_adds(out, buf);
	} else if (json_is_real(value)) {
		snprintf(buf, sizeof(buf), "%.1f", json_real_value(value));
		strbuf_adds(out, buf);
	} else if (json_is_boolean(value)) {
		strbuf_adds(out, json_is_true(value) ? "yes" : "no");
	} else if (json_is_array(value)) {
		if (json_array_size(value) == 0)
			strbuf_adds(out, "-");
		json_array_foreach(value, i, part) {
			strbuf_adds(out, between);
			add_value(out, part);
			between = ", ";
		}
	} else if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, part) {
			if (json_is_null(part))
				continue;
			strbuf_addf(out, "%s%s=", between, key);
			add_value(out, part);
			between = " ";
		}
		if (!*between)
			strbuf_adds(out, "-");
	} else {
		strbuf_adds(out, "-");
	}
}

#define KEY_WIDTH 16

/* "age_s 182" of the JSON is "age 3m2s" for people. */
static void print_pair(struct strbuf *out, const char *key, const json_t *value)
{
	size_t len = strlen(key);
	char age[24];

	if (json_is_integer(value) && len > 2 && !strcmp(key + len - 2, "_s"))
		len -= 2;
	strbuf_add(out, key, len);
	for (size_t w = len; w < KEY_WIDTH + 1; w++)
		strbuf_adds(out, " ");
	if (key[len])
		strbuf_adds(out, view_age(json_integer_value(value), age));
	else
		add_value(out, value);
	strbuf_adds(out, "\n");
}

static void print_pairs(struct strbuf *out, const char *indent, const json_t *obj)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)obj, key, value) {
		if (json_is_null(value))
			continue;
		strbuf_adds(out, indent);
		print_pair(out, key, value);
	}
}

static void print_cordons(struct strbuf *out, const json_t *doc)
{
	json_t *c;
	size_t i;

	json_array_foreach(json_object_get(doc, "cordons"), i, c) {
		char age[24];

		strbuf_addf(out, "%s  %s%s%s, for %s", i ? "" : "cordoned\n",
			    str(c, "scope") ? str(c, "scope") : "?",
			    str(c, "address") ? " " : "",
			    str(c, "address") ? str(c, "address") : "",
			    view_age(num(c, "age_s"), age));
		if (str(c, "reason")) {
			strbuf_adds(out, ": ");
			add_clean(out, str(c, "reason"));
		}
		strbuf_adds(out, "\n");
	}
}

static void print_ports(struct strbuf *out, const json_t *doc)
{
	static const char *const heading[] = { "PF",	 "NETDEV", "PORT", "STATE",
					       "DRIVER", "VFS",	   "NOTE" };
	struct table t = table_begin(heading, VFK_ARRAY_SIZE(heading));
	json_t *port;
	size_t i;

	json_array_foreach(json_object_get(doc, "ports"), i, port) {
		const char *why = str(port, "cordon_reason");
		char n[24], vfs[24], note[120];

		snprintf(note, sizeof(note), "%s%s%s",
			 is(port, "cordoned") ? "cordoned" : "", why ? ": " : "",
			 why ? why : "");
		snprintf(n, sizeof(n), "%lld", (long long)num(port, "port"));
		snprintf(vfs, sizeof(vfs), "%lld", (long long)num(port, "n_vfs"));
		cell(&t, str(port, "pf"));
		cell(&t, str(port, "pf_netdev"));
		cell(&t, n);
		cell(&t, str(port, "state"));
		cell(&t, str(port, "driver"));
		cell(&t, vfs);
		cell(&t, note);
	}
	table_print(&t, out);
}

static void print_reconcile(struct strbuf *out, const json_t *doc)
{
	bool dry = is(doc, "dry_run");
	json_t *c;
	size_t i;

	json_array_foreach(json_object_get(doc, "changes"), i, c) {
		strbuf_addf(out, "%s  %s: ", str(c, "address") ? str(c, "address") : "?",
			    str(c, "from") ? str(c, "from") : "?");
		add_clean(out, str(c, "found") ? str(c, "found") : "?");
		if (str(c, "event"))
			strbuf_addf(out, " [%s]%s", str(c, "event"),
				    dry ? " would follow" : "");
		if (!dry && str(c, "event") && str(c, "state"))
			strbuf_addf(out, ", is %s now", str(c, "state"));
		strbuf_adds(out, "\n");
	}
	strbuf_addf(out, "%lld VFs looked at, %lld left alone, %lld new%s%s\n",
		    (long long)num(doc, "looked_at"), (long long)num(doc, "left_alone"),
		    (long long)num(doc, "new_vfs"), dry ? "; nothing was changed" : "",
		    is(doc, "complete") ? "" : "; not all were reached in time");
}

static void print_status(struct strbuf *out, const json_t *doc)
{
	static const char *const parts[] = { "engine", "journal", "vfs", "leases" };
	json_t *pf, *warning;
	size_t k;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(parts); i++) {
		strbuf_addf(out, "%s\n", parts[i]);
		print_pairs(out, "  ", json_object_get(doc, parts[i]));
	}
	json_array_foreach(json_object_get(doc, "pfs"), k, pf) {
		strbuf_adds(out, k ? "" : "pfs\n");
		strbuf_adds(out, "  ");
		add_value(out, pf);
		strbuf_adds(out, "\n");
	}
	print_cordons(out, doc);
	json_array_foreach(json_object_get(doc, "warnings"), k, warning) {
		strbuf_adds(out, k ? "  " : "warnings\n  ");
		add_clean(out, json_string_value(warning));
		strbuf_adds(out, "\n");
	}
}

static void print_version(struct strbuf *out, const json_t *doc)
{
	json_t *engine = json_object_get(doc, "engine");

	strbuf_addf(out, "vfctl   %s\n", str(doc, "vfctl") ? str(doc, "vfctl") : "?");
	if (!json_is_object(engine) || !json_object_get(engine, "pid") ||
	    json_is_null(json_object_get(engine, "pid"))) {
		strbuf_adds(out, "engine  none is running\n");
		return;
	}
	strbuf_addf(out, "engine  %s (%s, process %d)\n",
		    str(engine, "version") ? str(engine, "version") : "?",
		    str(engine, "mode"), (int)num(engine, "pid"));
}

static void print_release(struct strbuf *out, const json_t *doc)
{
	const char *reason = str(doc, "reason");

	add_clean(out, str(doc, "address") ? str(doc, "address") : "?");
	strbuf_adds(out, " is ");
	add_clean(out, str(doc, "state") ? str(doc, "state") : "released");
	if (reason) {
		strbuf_adds(out, ": ");
		add_clean(out, reason);
	}
	strbuf_adds(out, "\n");
}

/* --- explain --- */

/* "812 ms", "3.2 s", "4m10s": how long after the line before. */
static void add_after(struct strbuf *out, const json_t *line)
{
	json_t *after = json_object_get(line, "after_ms");
	json_int_t ms = json_integer_value(after);
	char age[24];

	if (!json_is_integer(after))
		return;
	if (is(line, "new_boot"))
		strbuf_adds(out, "  (after a reboot)");
	else if (ms < 1000)
		strbuf_addf(out, "  (+%d ms)", (int)ms);
	else if (ms < 60000)
		strbuf_addf(out, "  (+%d.%d s)", (int)(ms / 1000), (int)(ms % 1000 / 100));
	else
		strbuf_addf(out, "  (+%s)", view_age(ms / 1000, age));
}

static void print_line(struct strbuf *out, const json_t *line)
{
	bool is_lease = str(line, "what") && !strcmp(str(line, "what"), "lease");
	json_t *did = json_object_get(line, "did");
	json_t *owner = json_object_get(line, "owner");
	const char *time = str(line, "time");
	char pod[330];

	strbuf_addf(out, "%-24s  #%lld  ", time ? time : "-", (long long)num(line, "seq"));
	if (is_lease)
		strbuf_addf(out, "lease %lld  ", (long long)num(line, "lease"));
	if (str(line, "from") && str(line, "to") &&
	    strcmp(str(line, "from"), str(line, "to")))
		strbuf_addf(out, "%s -> ", str(line, "from"));
	strbuf_addf(out, "%s  [%s]", str(line, "to") ? str(line, "to") : "?",
		    str(line, "event") ? str(line, "event") : "?");
	add_after(out, line);
	strbuf_adds(out, "\n    ");
	add_clean(out, str(line, "text") ? str(line, "text") : "-");
	if (json_is_object(owner)) {
		strbuf_adds(out, "\n    owner: ");
		if (text_of_pod(line, pod, sizeof(pod))) {
			strbuf_adds(out, "pod ");
			add_clean(out, pod);
			strbuf_adds(out, ", ");
		}
		add_value(out, owner);
	}
	strbuf_addf(out, "\n    cause: %s", str(line, "cause") ? str(line, "cause") : "?");
	if (str(line, "cause_text")) {
		strbuf_adds(out, ", ");
		add_clean(out, str(line, "cause_text"));
	}
	if (json_array_size(did) > 1) {
		strbuf_adds(out, "; then: ");
		for (size_t i = 1; i < json_array_size(did); i++)
			strbuf_addf(out, "%s%s", i > 1 ? ", " : "",
				    json_string_value(json_array_get(did, i)));
	}
	strbuf_adds(out, "\n");
}

void view_event_text(struct strbuf *out, const json_t *event)
{
	const char *time = str(event, "time"), *what = str(event, "what");
	const char *vf = str(event, "vf"), *from = str(event, "from"),
		   *to = str(event, "to");
	char pod[330];

	strbuf_addf(out, "%-24s  #%-6lld %-12s  ", time ? time : "-",
		    (long long)num(event, "seq"), vf ? vf : "node");
	if (what && !strcmp(what, "lease"))
		strbuf_addf(out, "lease %lld ", (long long)num(event, "lease"));
	if (from && to && strcmp(from, to))
		strbuf_addf(out, "%s -> %s  ", from, to);
	else if (to)
		strbuf_addf(out, "%s  ", to);
	if (text_of_pod(event, pod, sizeof(pod))) {
		add_clean(out, pod);
		strbuf_adds(out, "  ");
	} else if (str(json_object_get(event, "owner"), "container")) {
		add_clean(out, str(json_object_get(event, "owner"), "container"));
		strbuf_adds(out, "  ");
	}
	add_clean(out, str(event, "text") ? str(event, "text") : "-");
	if (str(event, "event") && str(event, "cause_text")) {
		strbuf_adds(out, " (");
		add_clean(out, str(event, "cause_text"));
		strbuf_adds(out, ")");
	}
	strbuf_adds(out, "\n");
}

static void print_explain(struct strbuf *out, const json_t *doc)
{
	json_t *now = json_object_get(doc, "now"), *story = json_object_get(doc, "story"),
	       *line;
	char age[24], pod[330], note[400];
	size_t i;

	strbuf_addf(out, "VF %s", str(doc, "address") ? str(doc, "address") : "?");
	if (json_is_object(now)) {
		const char *since = text_of_age(now, "age_s", age);

		strbuf_addf(out, " is %s", str(now, "state"));
		if (since)
			strbuf_addf(out, " for %s", since);
		if (text_of_pod(now, pod, sizeof(pod))) {
			strbuf_adds(out, ", owned by pod ");
			add_clean(out, pod);
		}
		if (*text_of_note(now, note, sizeof(note))) {
			strbuf_adds(out, ": ");
			add_clean(out, note);
		}
	} else {
		strbuf_adds(out, " is not known any more");
	}
	strbuf_adds(out, "\n\n");
	json_array_foreach(story, i, line)
		print_line(out, line);
	if (json_array_size(story) == 0)
		strbuf_adds(out, "The journal keeps no record of it.\n");
	if (str(doc, "advice"))
		strbuf_addf(out, "\nWhat to do: %s.\n", str(doc, "advice"));
}

int view_text(struct strbuf *out, const char *command, const char *json, size_t len_bytes,
	      struct vfk_err *err)
{
	const struct ctl_cmd *cmd = ctl_cmd_find(command);
	json_error_t where;
	json_t *doc = json_loadb(json, len_bytes, 0, &where);

	if (!doc || !cmd) {
		json_decref(doc);
		return vfk_err_set(err, VFK_E_DECODE, 0,
				   "the engine's answer is not JSON: %s",
				   doc ? "" : where.text);
	}
	switch (cmd->id) {
	case CTL_CMD_LIST:
		print_list(out, doc);
		break;
	case CTL_CMD_LEASES:
		print_leases(out, doc);
		break;
	case CTL_CMD_STATUS:
		print_status(out, doc);
		break;
	case CTL_CMD_VERSION:
		print_version(out, doc);
		break;
	case CTL_CMD_RELEASE:
	case CTL_CMD_RETRY:
		print_release(out, doc);
		break;
	case CTL_CMD_CORDON:
	case CTL_CMD_UNCORDON:
		print_cordons(out, doc);
		if (json_array_size(json_object_get(doc, "cordons")) == 0)
			strbuf_adds(out, "nothing is cordoned\n");
		break;
	case CTL_CMD_PORTS:
		print_ports(out, doc);
		break;
	case CTL_CMD_RECONCILE:
		print_reconcile(out, doc);
		break;
	case CTL_CMD_EXPLAIN:
		print_explain(out, doc);
		break;
	case CTL_CMD_LOG:
		print_pairs(out, "", json_object_get(doc, "modules"));
		break;
	case CTL_CMD_SHOW:
	case CTL_CMD_IMPORT:
	case CTL_CMD_EXPORT:
	case CTL_CMD_DOCTOR:
	case CTL_CMD_HISTORY:
	case CTL_CMD_WATCH:
	case CTL_CMD_FSM:
	case CTL_CMD_HELP:
	case CTL_CMD_PING:
	case CTL_CMD_GIVE_WAY:
	case CTL_CMD_REPLAY_APPLY:
	case CTL_CMD_IMPORT_DONE:
	case CTL_CMD_EXPORT_LIST:
	case CTL_CMD_EXPORT_DONE:
	case CTL_N_CMDS:
		print_pairs(out, "", doc);
		break;
	}
	json_decref(doc);
	if (out->failed)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for the answer");
	return 0;
}

static void print_sources(struct strbuf *out, const json_t *list)
{
	static const char *const heading[] = { "SOURCE", "OPEN", "EVENTS", "OVERRUNS",
					       "WHY NOT" };
	struct table t = table_begin(heading, VFK_ARRAY_SIZE(heading));
	json_t *source;
	size_t i;

	json_array_foreach(list, i, source) {
		char events[24], overruns[24];

		snprintf(events, sizeof(events), "%lld", (long long)num(source, "events"));
		snprintf(overruns, sizeof(overruns), "%lld",
			 (long long)num(source, "overruns"));
		cell(&t, str(source, "source"));
		cell(&t, is(source, "open") ? "yes" : "no");
		cell(&t, events);
		cell(&t, overruns);
		cell(&t, str(source, "why"));
	}
	strbuf_adds(out, "\n");
	table_print(&t, out);
}

int view_status_more(struct strbuf *out, const char *json, size_t len_bytes,
		     struct vfk_err *err)
{
	json_t *doc = json_loadb(json, len_bytes, 0, NULL);
	const json_t *sources = json_object_get(doc, "events");

	if (!doc)
		return vfk_err_set(err, VFK_E_DECODE, 0, "the engine's answer is not JSON");
	if (sources)
		print_sources(out, sources);
	else
		strbuf_adds(out, "\nno engine listens to events\n");
	json_decref(doc);
	if (out->failed)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for the answer");
	return 0;
}
