/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper-replay/until.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "engine/view.h"
#include "io/codec.h"
#include "vfkeeper-replay/record.h"

/* "10m", "2h30m", "1d": into '*ns'. */
static bool parse_age(const char *text, int64_t *ns)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };

	*ns = 0;
	while (*text) {
		unsigned long n;
		char *end;
		size_t i = 0;

		if (!isdigit((unsigned char)*text))
			return false;
		errno = 0;
		n = strtoul(text, &end, 10);
		while (i < VFK_ARRAY_SIZE(units) && units[i].unit != *end)
			i++;
		if (errno || n > 100000000 || i == VFK_ARRAY_SIZE(units))
			return false;
		*ns += (int64_t)n * units[i].s * NS_PER_S;
		text = end + 1;
	}
	return *ns > 0;
}

static bool parse_time(const char *text, int64_t *wall_ns)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					     "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
					     "%Y-%m-%d" };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);
		int64_t ns = 0, unit = NS_PER_S / 10;

		if (end && i < 2 && *end == '.')
			for (end++; isdigit((unsigned char)*end); end++, unit /= 10)
				ns += (*end - '0') * unit;
		if (!end || (strcmp(end, "Z") != 0 && *end))
			continue;
		*wall_ns = (int64_t)timegm(&tm) * NS_PER_S + ns;
		return *wall_ns > 0;
	}
	return false;
}

int until_parse(struct until *u, const char *text, int64_t now_wall_ns, struct vfk_err *err)
{
	size_t n_digits = strspn(text, "0123456789");
	int64_t age_ns;

	memset(u, 0, sizeof(*u));
	node_init(&u->node);
	if (n_digits && !text[n_digits] && n_digits < 19) {
		u->seq = strtoull(text, NULL, 10);
		if (u->seq)
			return 0;
	} else if (*text == '-' && parse_age(text + 1, &age_ns)) {
		u->wall_ns = now_wall_ns - age_ns;
		return 0;
	} else if (parse_time(text, &u->wall_ns)) {
		return 0;
	}
	return vfk_err_set(err, VFK_E_USAGE, 0,
			   "--until takes the number of a record, a UTC time such as "
			   "2026-11-22T18:03:48Z, or how long ago, such as -10m; not %.60s",
			   text);
}

/* When the record was written; 0: it does not say. */
static int time_of(const struct journal_record *raw, int64_t *wall_ns, struct vfk_err *err)
{
	static struct record rec; /* large; one at a time */
	int rc = record_decode(&rec, raw, err);

	*wall_ns = 0;
	if (rc < 0)
		return rc;
	if (rec.type == REC_VF)
		*wall_ns = rec.vf.meta.wall_ns;
	else if (rec.type == REC_LEASE)
		*wall_ns = rec.lease.meta.wall_ns;
	else if (rec.type == REC_NODE)
		*wall_ns = rec.node.meta.wall_ns;
	return 0;
}

int until_take(struct until *u, const struct journal_record *raw, struct vfk_err *err)
{
	bool later;
	int64_t ns;

	if (u->over)
		return 0;
	if (time_of(raw, &ns, err) < 0)
		return -err->kind;
	later = u->seq ? raw->seq > u->seq : ns > u->wall_ns;
	/* The snapshot at the beginning of what is kept has to be taken whole: what is asked
	 * for must not lie before its end. */
	if (later && !u->begun && raw->in_snapshot)
		u->too_early = true;
	else if (later)
		u->over = true;
	if (!u->begun) { /* up to the first that is no part of a snapshot */
		u->first_seq = raw->seq;
		if (ns > u->first_ns)
			u->first_ns = ns;
	}
	if (u->over)
		return 0;
	if (!raw->in_snapshot)
		u->begun = true;
	if (raw->seq > u->last_seq)
		u->last_seq = raw->seq;
	if (ns > u->last_ns)
		u->last_ns = ns;
	return node_replay(&u->node, raw, err);
}

static int print_json(const struct view *v, const struct until *u, FILE *out,
		      struct vfk_err *err)
{
	json_t *doc = view_list(v), *leases = view_leases(v);
	char when[RECORD_TIME_LEN], *text = NULL;
	int rc;

	json_object_set_new(doc, "after_seq", json_integer((json_int_t)u->last_seq));
	json_object_set_new(doc, "time", json_string(record_time(u->last_ns, when)));
	json_object_set(doc, "leases", json_object_get(leases, "leases"));
	json_object_set_new(doc, "cordons", view_cordons(v));
	json_decref(leases);
	rc = view_dump(doc, &text, err);
	if (rc == 0)
		fputs(text, out);
	free(text);
	return rc;
}

static int print_table(const char *command, json_t *doc, FILE *out, struct vfk_err *err)
{
	struct strbuf table = { 0 };
	char *json = NULL;
	int rc = view_dump(doc, &json, err);

	if (rc == 0)
		rc = view_text(&table, command, json, strlen(json), err);
	if (rc == 0)
		fwrite(table.data ? table.data : "", 1, table.len, out);
	strbuf_free(&table);
	free(json);
	return rc;
}

int until_print(struct until *u, bool json, FILE *out, struct vfk_err *err)
{
	struct view_status status = { .mode = "none" };
	struct view v = { .node = &u->node, .status = &status };
	char when[RECORD_TIME_LEN];
	int rc;

	/* Ages are those of then. */
	v.wall_ns = u->wall_ns ? u->wall_ns : u->last_ns;
	if (u->too_early || !u->last_seq || (u->wall_ns && !u->last_ns))
		return vfk_err_set(err, VFK_E_NOTFOUND, 0,
				   "the journal reaches back to record %llu, %s: what was "
				   "before is not kept",
				   (unsigned long long)u->first_seq,
				   record_time(u->first_ns, when));
	node_settle(&u->node);
	if (json)
		return print_json(&v, u, out, err);
	fprintf(out, "As it was after record %llu of %s:\n\n",
		(unsigned long long)u->last_seq, record_time(u->last_ns, when));
	rc = print_table("list", view_list(&v), out, err);
	if (rc == 0 && u->node.n_leases) {
		fputc('\n', out);
		rc = print_table("leases", view_leases(&v), out, err);
	}
	for (unsigned i = 0; rc == 0 && i < u->node.rec.n_cordons && i < 1; i++)
		fprintf(out, "\n%u cordons (--json tells them)\n", u->node.rec.n_cordons);
	return rc;
}

void until_fini(struct until *u)
{
	node_fini(&u->node);
}
