/* SPDX-License-Identifier: Apache-2.0 */
#include "vfctl/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "base/strbuf.h"
#include "cni/json_print.h"
#include "engine/view.h"
#include "io/ctl_client.h"
#include "vfctl/events.h"

#define ASK_MS 500	/* an engine that hangs does not stop the watch */
#define LOOK_MS 1000	/* ages go on, and what no file event told is found */
#define PAUSE_MS 100	/* at most so often */
#define EVENTS_KEPT 100 /* on the screen at the most */

struct watch {
	const char *socket;
	bool json, screen, changed;
	struct events events;
	char *lines[EVENTS_KEPT];
	unsigned n_lines; /* ever; the last ones are kept */
	int notify_fd;
	char *last_table; /* JSON: not told again while it is the same */
};

/* --- the table --- */

static json_t *ask_engine(const struct watch *w)
{
	struct ctl_client *c = NULL;
	struct strbuf text = { 0 };
	struct vfk_err ignored = { 0 };
	json_t *doc = NULL;

	if (ctl_connect(&c, w->socket, ASK_MS, &ignored) == 0 &&
	    ctl_ask(c, "list", NULL, 0, ASK_MS, &text, &ignored) == 0)
		doc = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
	ctl_close(c);
	strbuf_free(&text);
	return doc;
}

/* '*live': an engine said it. */
static json_t *table(const struct watch *w, bool *live)
{
	struct view_status status = { .mode = "none" };
	struct view v = { .node = &w->events.node,
			  .status = &status,
			  .wall_ns = clock_wall_ns(),
			  .boot_ns = clock_boot_ns() };
	json_t *doc = ask_engine(w);

	*live = doc != NULL;
	return doc ? doc : view_list(&v);
}

static unsigned screen_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 4 ?
		       size.ws_row :
		       24;
}

static void put_table(struct strbuf *out, json_t *doc, struct vfk_err *err)
{
	char *json = NULL;

	if (view_dump(json_incref(doc), &json, err) == 0)
		(void)!view_text(out, "list", json, strlen(json), err);
	free(json);
}

/* The whole screen in one write: table, then as many events as fit below it. */
static void draw(struct watch *w, struct vfk_err *err)
{
	unsigned rows = screen_rows(), used = 3, n;
	struct strbuf out = { 0 };
	bool live;
	json_t *doc = table(w, &live);

	strbuf_adds(&out, "\033[H\033[J");
	put_table(&out, doc, err);
	for (size_t i = 0; i < out.len; i++)
		used += out.data[i] == '\n';
	strbuf_addf(&out, "\n%s, record %llu (interrupt ends)\n",
		    live ? "as the engine says" : "no engine answers: from the journal",
		    (unsigned long long)w->events.last_seq);
	n = rows > used ? rows - used : 0;
	if (n > EVENTS_KEPT)
		n = EVENTS_KEPT;
	if (n > w->n_lines)
		n = w->n_lines;
	for (unsigned i = w->n_lines - n; i < w->n_lines; i++)
		strbuf_adds(&out, w->lines[i % EVENTS_KEPT]);
	if (!out.failed)
		fwrite(out.data, 1, out.len, stdout);
	strbuf_free(&out);
	json_decref(doc);
}

/* Ages are left out of the comparison: only a change is told. */
static void tell_list(struct watch *w)
{
	bool live;
	json_t *doc = table(w, &live), *same = json_deep_copy(doc), *vf;
	char *text;
	size_t i;

	json_array_foreach(json_object_get(same, "vfs"), i, vf) {
		json_object_del(vf, "age_s");
		json_object_del(vf, "retry_in_s");
	}
	text = json_print(same, JSON_COMPACT);
	json_decref(same);
	if (text && (!w->last_table || strcmp(text, w->last_table) != 0)) {
		char *line;

		json_object_set_new(doc, "type", json_string("list"));
		json_object_set_new(doc, "live", json_boolean(live));
		line = json_print(doc, JSON_COMPACT);
		if (line)
			printf("%s\n", line);
		free(line);
		free(w->last_table);
		w->last_table = text;
	} else {
		free(text);
	}
	json_decref(doc);
}

/* --- events --- */

static void on_event(void *arg, json_t *event)
{
	struct watch *w = arg;
	struct strbuf line = { 0 };
	char *text;

	w->changed = true;
	if (w->json) {
		json_object_set_new(event, "type", json_string("event"));
		text = json_print(event, JSON_COMPACT);
		if (text)
			printf("%s\n", text);
		free(text);
		return;
	}
	view_event_text(&line, event);
	if (line.failed) {
		strbuf_free(&line);
		return;
	}
	if (!w->screen)
		fwrite(line.data, 1, line.len, stdout);
	free(w->lines[w->n_lines % EVENTS_KEPT]);
	w->lines[w->n_lines++ % EVENTS_KEPT] = line.data; /* ours from now on */
}

/* A journal that is not there yet is no error: the first engine makes it. */
static int read_events(struct watch *w, bool skip, struct vfk_err *err)
{
	struct journal_status st;
	int rc = events_read(&w->events, skip, on_event, w, &st, err);

	return rc < 0 && err->kind == VFK_E_NOTFOUND ? 0 : rc;
}

static void wait_for_change(struct watch *w)
{
	struct pollfd p = { .fd = w->notify_fd, .events = POLLIN };
	char buf[4096];

	if (inotify_add_watch(w->notify_fd, vfk_path(PATH_JOURNAL),
			      IN_MODIFY | IN_MOVED_TO | IN_CREATE) < 0)
		poll(NULL, 0, PAUSE_MS);
	poll(&p, 1, LOOK_MS);
	if (p.revents)
		poll(NULL, 0, PAUSE_MS); /* what comes together is read together */
	while (read(w->notify_fd, buf, sizeof(buf)) > 0)
		;
}

int watch(const char *socket, bool json, struct vfk_err *err)
{
	struct watch w = { .socket = socket, .json = json };
	struct strbuf first = { 0 };
	bool live;
	json_t *doc;
	int rc;

	w.screen = !json && isatty(STDOUT_FILENO);
	w.notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w.notify_fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "watch the journal");
	events_init(&w.events);
	rc = read_events(&w, true, err);
	if (rc == 0 && !json && !w.screen) {
		doc = table(&w, &live);
		put_table(&first, doc, err);
		fwrite(first.data ? first.data : "", 1, first.len, stdout);
		strbuf_free(&first);
		json_decref(doc);
	}
	while (rc == 0) {
		if (w.screen)
			draw(&w, err);
		else if (json)
			tell_list(&w);
		if (fflush(stdout) != 0 || ferror(stdout)) {
			rc = vfk_err_set(err, VFK_E_SYS, errno, "write to standard output");
			break;
		}
		wait_for_change(&w);
		rc = read_events(&w, false, err);
	}
	for (unsigned i = 0; i < EVENTS_KEPT; i++)
		free(w.lines[i]);
	free(w.last_table);
	events_fini(&w.events);
	close(w.notify_fd);
	return rc;
}
