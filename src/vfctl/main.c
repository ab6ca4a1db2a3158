/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl: options, the choice between engine and journal, exit codes.  See vfctl(8). */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/paths.h"
#include "engine/ctl_cmds.h"
#include "engine/view.h"
#include "io/ctl_client.h"
#include "io/engine_start.h"
#include "vfctl/doctor.h"
#include "vfctl/events.h"
#include "vfctl/import.h"
#include "vfctl/local.h"
#include "vfctl/offline.h"
#include "vfctl/watch.h"

#ifndef VFK_VERSION
#define VFK_VERSION "unknown"
#endif

#define NUMBER_MAX 1000000
#define CONNECT_MS 2000
#define START_MS 15000
#define READ_MS 10000
#define CHANGE_MS 130000 /* an engine's longest release and a little */

struct options {
	bool json, force, dot, dry_run, verbose, help, version;
	unsigned n_last;     /* 0: all */
	const char *socket;  /* NULL: the usual one */
	const char *reason;  /* NULL: none */
	const char *dialect; /* NULL: none */
};

static int complain(const struct vfk_err *err)
{
	fflush(stdout);
	fprintf(stderr, "vfctl: %s\n", err->msg);
	return vfk_err_exit_code(err->kind);
}

/* --- options --- */

static int option_error(int c, char *const argv[], struct vfk_err *err)
{
	char one[3] = { '-', (char)optopt, '\0' };
	const char *name = optopt ? one : argv[optind - 1];

	if (c == ':')
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "option %s needs a value (see vfctl --help)",
				   argv[optind - 1]);
	return vfk_err_set(err, VFK_E_USAGE, 0, "unknown option %s (see vfctl --help)",
			   name);
}

static int parse_number(const char *text, unsigned *out, struct vfk_err *err)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < 1 || n > NUMBER_MAX)
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "option -n takes a number from 1 to %d, not %s",
				   NUMBER_MAX, text);
	*out = (unsigned)n;
	return 0;
}

static int parse_options(int argc, char *argv[], struct options *o, struct vfk_err *err)
{
	enum { OPT_FORCE = 256, OPT_DOT, OPT_DRY_RUN, OPT_REASON, OPT_DIALECT };
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "output", required_argument, NULL, 'o' },
		{ "socket", required_argument, NULL, 's' },
		{ "force", no_argument, NULL, OPT_FORCE },
		{ "dot", no_argument, NULL, OPT_DOT },
		{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "dialect", required_argument, NULL, OPT_DIALECT },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};

	for (;;) {
		int c = getopt_long(argc, argv, ":hjn:vVo:s:", long_options, NULL);

		switch (c) {
		case -1:
			return 0;
		case 'h':
			o->help = true;
			break;
		case 'V':
			o->version = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 'n':
			if (parse_number(optarg, &o->n_last, err) < 0)
				return -err->kind;
			break;
		case 'v':
			o->verbose = true;
			break;
		case OPT_FORCE:
			o->force = true;
			break;
		case OPT_DOT:
			o->dot = true;
			break;
		case OPT_REASON:
			o->reason = optarg;
			break;
		case OPT_DIALECT:
			o->dialect = optarg;
			break;
		case OPT_DRY_RUN:
			o->dry_run = true;
			break;
		case 'o':
			if (strcmp(optarg, "json") && strcmp(optarg, "table"))
				return vfk_err_set(err, VFK_E_USAGE, 0,
						   "option -o takes table or json, not %s",
						   optarg);
			o->json = !strcmp(optarg, "json");
			break;
		default:
			return option_error(c, argv, err);
		}
	}
}

static int check_words(const struct ctl_cmd *cmd, const struct options *o,
		       unsigned n_words, struct vfk_err *err)
{
	unsigned n = n_words + o->force + o->dot + o->dry_run + (o->reason ? 2 : 0) +
		     (o->dialect ? 2 : 0);
	bool moves = cmd->id == CTL_CMD_IMPORT || cmd->id == CTL_CMD_EXPORT;

	if (o->force && cmd->id != CTL_CMD_RELEASE)
		return vfk_err_set(err, VFK_E_USAGE, 0, "%s takes no --force", cmd->name);
	if (o->dot && cmd->id != CTL_CMD_FSM)
		return vfk_err_set(err, VFK_E_USAGE, 0, "%s takes no --dot", cmd->name);
	if (o->dry_run && cmd->id != CTL_CMD_RECONCILE && !moves)
		return vfk_err_set(err, VFK_E_USAGE, 0, "%s takes no --dry-run", cmd->name);
	if (o->n_last && cmd->id != CTL_CMD_HISTORY)
		return vfk_err_set(err, VFK_E_USAGE, 0, "%s takes no -n", cmd->name);
	if (o->verbose && cmd->id != CTL_CMD_STATUS)
		return vfk_err_set(err, VFK_E_USAGE, 0, "%s takes no -v", cmd->name);
	if (o->reason && cmd->id != CTL_CMD_CORDON)
		return vfk_err_set(err, VFK_E_USAGE, 0, "%s takes no --reason", cmd->name);
	if (o->dialect && !moves)
		return vfk_err_set(err, VFK_E_USAGE, 0, "%s takes no --dialect", cmd->name);
	/* It talks to an engine in more than one way. */
	if (o->socket && moves)
		return vfk_err_set(err, VFK_E_USAGE, 0, "%s takes no -s", cmd->name);
	/* An option alone names nothing. */
	if (n_words < cmd->min_args || n > cmd->max_args || n_words > CTL_MAX_ARGS - 1 ||
	    (moves && n_words))
		return vfk_err_set(err, VFK_E_USAGE, 0, "usage: vfctl %s%s%s", cmd->name,
				   cmd->usage[0] ? " " : "", cmd->usage);
	return 0;
}

/* --- answers --- */

static int print_answer(const struct ctl_cmd *cmd, const struct options *o,
			const char *json, size_t len, struct vfk_err *err)
{
	struct strbuf text = { 0 };
	int rc;

	if (o->json) {
		fwrite(json, 1, len, stdout);
		return 0;
	}
	rc = view_text(&text, cmd->name, json, len, err);
	if (rc == 0 && o->verbose)
		rc = view_status_more(&text, json, len, err);
	if (rc == 0 && text.len)
		fwrite(text.data, 1, text.len, stdout);
	strbuf_free(&text);
	return rc;
}

/* The engine's part of 'version', and ours. */
static int print_version(const struct ctl_cmd *cmd, const struct options *o,
			 const char *json, size_t len, struct vfk_err *err)
{
	json_t *doc = json ? json_loadb(json, len, 0, NULL) : NULL, *ours = json_object();
	json_t *engine = json_object_get(doc, "engine");
	char *text;
	int rc;

	json_object_set_new(ours, "vfctl", json_string(VFK_VERSION));
	json_object_set_new(ours, "engine", engine ? json_incref(engine) : json_null());
	json_decref(doc);
	rc = view_dump(ours, &text, err);
	if (rc < 0)
		return rc;
	rc = print_answer(cmd, o, text, strlen(text), err);
	free(text);
	return rc;
}

static int print_offline(const struct ctl_cmd *cmd, const struct options *o,
			 const struct ctl_request *rq, struct vfk_err *err)
{
	struct view_status status = { .mode = "none" };
	struct offline off;
	char *json = NULL;
	int rc = offline_read(&off, err);

	if (rc == 0) {
		struct view v = { .node = &off.node,
				  .status = &status,
				  .wall_ns = clock_wall_ns(),
				  .boot_ns = clock_boot_ns() };

		status.version = off.node.rec.version;
		status.boot_id = off.node.rec.meta.boot_id;
		status.journal = journal_verdict_name(off.journal.verdict);
		status.last_seq = off.journal.last_seq;
		status.durable_upto = off.journal.durable_upto;
		rc = view_command(&v, rq, &json, err);
	}
	if (rc == 0)
		rc = print_answer(cmd, o, json, strlen(json), err);
	if (rc == 0)
		rc = offline_verdict(&off, err);
	free(json);
	offline_fini(&off);
	return rc;
}

static bool no_engine(const struct options *o, const struct vfk_err *err)
{
	return !o->socket && (err->kind == VFK_E_GONE || err->kind == VFK_E_TIMEOUT);
}

static void make_request(struct ctl_request *rq, const struct ctl_cmd *cmd,
			 const char *const *words, unsigned n_words)
{
	memset(rq, 0, sizeof(*rq));
	rq->version = CTL_VERSION;
	snprintf(rq->command, sizeof(rq->command), "%s", cmd->name);
	rq->n_args = n_words;
	for (unsigned i = 0; i < n_words; i++)
		snprintf(rq->args[i], sizeof(rq->args[i]), "%s", words[i]);
}

static int do_read(const struct ctl_cmd *cmd, const struct options *o,
		   const char *const *words, unsigned n_words, struct vfk_err *err)
{
	const char *path = o->socket ? o->socket : vfk_path(PATH_CONTROL_SOCK);
	struct ctl_client *c = NULL;
	struct strbuf json = { 0 };
	struct ctl_request rq;
	bool connected;
	int rc;

	rc = ctl_connect(&c, path, CONNECT_MS, err);
	connected = rc == 0;
	if (rc == 0)
		rc = ctl_ask(c, cmd->name, words, n_words, READ_MS, &json, err);
	ctl_close(c);
	if (rc == 0 && cmd->id == CTL_CMD_VERSION) {
		rc = print_version(cmd, o, json.data, json.len, err);
	} else if (rc == 0) {
		rc = print_answer(cmd, o, json.data, json.len, err);
	} else if (no_engine(o, err) && cmd->id == CTL_CMD_VERSION) {
		rc = print_version(cmd, o, NULL, 0, err);
	} else if (no_engine(o, err) && cmd->kind == CTL_READ) {
		fprintf(stderr, "vfctl: %s; reading the journal\n",
			connected ? err->msg : "no engine answers");
		make_request(&rq, cmd, words, n_words);
		rc = print_offline(cmd, o, &rq, err);
	}
	strbuf_free(&json);
	return rc;
}

/* An engine answers before its first look at the devices is over; until then a VF that no
 * record names is not known to it. */
static int await_discovery(struct ctl_client *c, struct vfk_err *err)
{
	int64_t until_ns = clock_boot_ns() + START_MS * NS_PER_MS;
	const struct timespec pause = { 0, 20 * NS_PER_MS };
	bool discovered = false;

	while (!discovered) {
		struct strbuf json = { 0 };
		int rc = ctl_ask(c, "status", NULL, 0, READ_MS, &json, err);
		json_t *doc;

		if (rc < 0) {
			strbuf_free(&json);
			return rc;
		}
		doc = json_loadb(json.data ? json.data : "", json.len, 0, NULL);
		discovered = !json_is_false(
			json_object_get(json_object_get(doc, "engine"), "discovered"));
		json_decref(doc);
		strbuf_free(&json);
		if (!discovered && clock_boot_ns() >= until_ns)
			return vfk_err_set(err, VFK_E_TIMEOUT, 0,
					   "the engine has not found its devices yet");
		if (!discovered)
			nanosleep(&pause, NULL);
	}
	return 0;
}

/* What a release has come to by the time of its answer. */
static int judge_release(const char *json, size_t len, struct vfk_err *err)
{
	json_t *doc = json_loadb(json, len, 0, NULL);
	const char *state = json_string_value(json_object_get(doc, "state"));
	const char *addr = json_string_value(json_object_get(doc, "address"));
	int rc = 0;

	if (!state || !addr)
		rc = vfk_err_set(err, VFK_E_DECODE, 0, "the answer names no VF and state");
	else if (!strcmp(state, "FAULTED"))
		rc = vfk_err_set(err, VFK_E_KERNEL, 0,
				 "the release failed (vfctl explain %s)", addr);
	else if (strcmp(state, "FREE"))
		rc = vfk_err_set(err, VFK_E_BUSY, 0,
				 "the release is not over yet (vfctl explain %s)", addr);
	json_decref(doc);
	return rc;
}

static int do_change(const struct ctl_cmd *cmd, const struct options *o,
		     const char *const *words, unsigned n_words, struct vfk_err *err)
{
	struct ctl_client *c = NULL;
	struct strbuf json = { 0 };
	int rc;

	if (o->socket)
		rc = ctl_connect(&c, o->socket, CONNECT_MS, err);
	else
		rc = engine_connect(&c, START_MS, err);
	if (rc == 0)
		rc = await_discovery(c, err);
	if (rc == 0)
		rc = ctl_ask(c, cmd->name, words, n_words, CHANGE_MS, &json, err);
	ctl_close(c);
	if (rc == 0)
		rc = print_answer(cmd, o, json.data, json.len, err);
	if (rc == 0 && (cmd->id == CTL_CMD_RELEASE || cmd->id == CTL_CMD_RETRY))
		rc = judge_release(json.data, json.len, err);
	strbuf_free(&json);
	return rc;
}

/* The history is in the journal's files whether an engine runs or not: reading it there
 * works while an engine hangs, which is when people ask. */
static int do_explain(const struct ctl_cmd *cmd, const struct options *o,
		      const char *const *words, unsigned n_words, struct vfk_err *err)
{
	struct view_status status = { .mode = "none" };
	struct history history = { 0 };
	pci_addr_t addr = PCI_NONE;
	struct offline off;
	char *json = NULL;
	int rc;

	rc = history_find(words, n_words, &addr, err);
	if (rc < 0)
		return rc;
	rc = offline_read(&off, err);
	if (rc == 0)
		rc = history_read(&history, addr, err);
	if (rc == 0) {
		struct view v = { .node = &off.node,
				  .status = &status,
				  .wall_ns = clock_wall_ns(),
				  .boot_ns = clock_boot_ns() };

		rc = view_dump(view_explain(&v, addr, node_vf(&off.node, addr),
					    (const struct view_record *const *)history.records,
					    history.n_records),
			       &json, err);
	}
	if (rc == 0)
		rc = print_answer(cmd, o, json, strlen(json), err);
	/* A torn tail may be a record that an engine is writing at this moment. */
	if (rc == 0 && off.journal.verdict != JOURNAL_TORN)
		rc = offline_verdict(&off, err);
	free(json);
	history_fini(&history);
	offline_fini(&off);
	return rc;
}

static int do_move(const struct ctl_cmd *cmd, const struct options *o, struct vfk_err *err)
{
	struct take_over how = { .dialect = o->dialect,
				 .dry_run = o->dry_run,
				 .json = o->json };

	if (take_over_check(&how, err) < 0)
		return -err->kind;
	return cmd->id == CTL_CMD_IMPORT ? import_run(&how, err) : export_run(&how, err);
}

static int run(const struct ctl_cmd *cmd, const struct options *o, const char **words,
	       unsigned n_words, struct vfk_err *err)
{
	int rc = check_words(cmd, o, n_words, err);

	if (rc < 0)
		return rc;
	if (cmd->id == CTL_CMD_HELP && n_words)
		return help_command(words[0], err);
	if (cmd->id == CTL_CMD_HELP) {
		help_print();
		return 0;
	}
	if (cmd->id == CTL_CMD_FSM)
		return fsm_print(n_words ? words[0] : NULL, o->dot, o->json, err);
	rc = paths_check(err);
	if (rc < 0)
		return rc;
	if (cmd->id == CTL_CMD_EXPLAIN)
		return do_explain(cmd, o, words, n_words, err);
	if (cmd->id == CTL_CMD_DOCTOR)
		return doctor_run(o->json, err);
	if (cmd->id == CTL_CMD_IMPORT || cmd->id == CTL_CMD_EXPORT)
		return do_move(cmd, o, err);
	if (cmd->id == CTL_CMD_HISTORY)
		return history_print(words, n_words, o->n_last, o->json, err);
	if (cmd->id == CTL_CMD_WATCH)
		return watch(o->socket ? o->socket : vfk_path(PATH_CONTROL_SOCK), o->json,
			     err);
	if (cmd->kind == CTL_READ || cmd->kind == CTL_LIVE)
		return do_read(cmd, o, words, n_words, err);
	if (o->force)
		words[n_words++] = "--force";
	if (o->dry_run)
		words[n_words++] = "--dry-run";
	if (o->reason) {
		words[n_words++] = "--reason";
		words[n_words++] = o->reason;
	}
	return do_change(cmd, o, words, n_words, err);
}

int main(int argc, char *argv[])
{
	const char *words[CTL_MAX_ARGS + 1] = { NULL };
	const struct ctl_cmd *cmd = NULL;
	struct options o = { 0 };
	struct vfk_err err = { 0 };
	unsigned n_words = 0;
	int rc = parse_options(argc, argv, &o, &err);

	if (rc == 0 && o.version) {
		printf("vfctl %s\n", VFK_VERSION);
	} else if (rc == 0 && o.help && optind >= argc) {
		help_print();
	} else if (rc == 0 && optind >= argc) {
		rc = vfk_err_set(&err, VFK_E_USAGE, 0, "no command (see vfctl --help)");
	} else if (rc == 0) {
		cmd = ctl_cmd_find(argv[optind]);
		if (!cmd || cmd->kind == CTL_INTERNAL)
			rc = vfk_err_set(&err, VFK_E_USAGE, 0,
					 "unknown command %s (see vfctl --help)",
					 argv[optind]);
		else if (o.help)
			rc = help_command(cmd->name, &err);
	}
	if (rc == 0 && cmd && !o.help && !o.version) {
		for (int i = optind + 1; i < argc && n_words < CTL_MAX_ARGS; i++)
			words[n_words++] = argv[i];
		rc = run(cmd, &o, words, n_words, &err);
	}
	if (rc < 0)
		return complain(&err);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)vfk_err_set(&err, VFK_E_SYS, errno, "write to standard output");
		return complain(&err);
	}
	return 0;
}
