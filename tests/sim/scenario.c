/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "callers.h"
#include "history.h"
#include "story.h"
#include "when.h"

#define TEXT_MAX (16 * 1024)
#define LIST "list:" /* the line before the list that a file has */

static const char *const names[SIM_VFS] = { "eth0", "ib0", "eth1", "ib1" };
static struct strbuf list;
static char bad[200];
static unsigned line_now;

void scenario_bad(const char *fmt, ...)
{
	va_list ap;

	if (bad[0])
		return;
	va_start(ap, fmt);
	vsnprintf(bad, sizeof(bad), fmt, ap);
	va_end(ap);
}

bool scenario_is_bad(void)
{
	return bad[0] != '\0';
}

void scenario_print(const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strbuf_add(&list, text, strlen(text));
}

struct kvf *scenario_vf(const char *name)
{
	for (unsigned i = 0; i < SIM_VFS; i++)
		if (!strcmp(names[i], name))
			return &vfs[i];
	scenario_bad("no such VF: %s", name);
	return NULL;
}

const char *scenario_vf_name(unsigned vf)
{
	return names[vf];
}

int scenario_pod(const char *name)
{
	if (name[0] >= 'a' && name[0] < 'a' + SIM_PODS && !name[1])
		return name[0] - 'a';
	scenario_bad("no such pod: %s", name);
	return -1;
}

const char *scenario_value(const struct scenario_step *s, const char *key)
{
	size_t len = strlen(key);

	for (unsigned i = 1; i < s->n; i++)
		if (!strncmp(s->word[i], key, len)) {
			if (s->word[i][len] == '=')
				return s->word[i] + len + 1;
			if (!s->word[i][len])
				return "";
		}
	return NULL;
}

void scenario_keys(const struct scenario_step *s, unsigned from, const char *keys)
{
	for (unsigned i = from; i < s->n; i++) {
		const char *word = s->word[i], *value = strchr(word, '=');
		size_t len = value ? (size_t)(value - word) + 1 : strlen(word), one;
		bool known = false;

		for (const char *k = keys; *k && !(value && !value[1]);
		     k += one, k += strspn(k, " ")) {
			one = strcspn(k, " ");
			known |= one == len && !strncmp(k, word, len);
		}
		if (!known)
			scenario_bad("no such key, or without its value: %s", word);
	}
}

static bool read_file(const char *file, char text[TEXT_MAX])
{
	FILE *f = fopen(file, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(text, 1, TEXT_MAX - 1, f);
	fclose(f);
	text[n] = '\0';
	return n < TEXT_MAX - 1;
}

/* One line.  False: it ends the scenario. */
static bool play_line(char *line)
{
	struct scenario_step s = { .line = line_now };
	char *save = NULL;

	line[strcspn(line, "#")] = '\0';
	for (char *w = strtok_r(line, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (s.n == SCENARIO_WORDS)
			return scenario_bad("too many words"), false;
		s.word[s.n++] = w;
	}
	if (!s.n || !strcmp(s.word[0], "on-demand"))
		return true;
	story("--- line %u: %s", s.line, s.word[0]);
	if (!scenario_do(&s))
		scenario_bad("no such step, or too few words: %s", s.word[0]);
	return !scenario_is_bad() && !story_broken();
}

static void begin(bool service)
{
	struct history world = { .n_vfs = SIM_VFS, .seed = 1, .service = service };

	no_udev = true;
	world_begin(&world);
	scenario_calls_reset();
	if (service)
		world_run(SEC);
	for (unsigned i = 0; i < SIM_VFS; i++)
		scenario_take_own(i);
}

/* The list that the file has is that of this world, or there is none. */
static bool same_list(const char *wanted)
{
	if (!wanted || !strcmp(wanted, list.data))
		return true;
	printf("another list stands in the file\n");
	return false;
}

bool scenario_play(const char *file, bool with_story)
{
	static char text[TEXT_MAX];
	static struct scenario_step leave = { .n = 1, .word = { "leave" } };
	char *wanted, *save = NULL;
	bool good = true;

	if (!read_file(file, text)) {
		printf("%s: cannot be read\n", file);
		return false;
	}
	wanted = strstr(text, "\n" LIST "\n");
	if (wanted) {
		*wanted = '\0';
		wanted += strlen("\n" LIST "\n");
	}
	bad[0] = '\0';
	line_now = 0;
	strbuf_free(&list);
	story_reset(with_story ? STORY_PRINT : STORY_OFF);
	begin(!strstr(text, "\non-demand"));
	for (char *line = strtok_r(text, "\n", &save); line && good;
	     line = strtok_r(NULL, "\n", &save)) {
		line_now++;
		good = play_line(line);
	}
	if (good)
		good = scenario_do(&leave) && !scenario_is_bad();
	fputs(list.data ? list.data : "", stdout);
	if (scenario_is_bad())
		printf("%s: line %u that is not empty: %s\n", file, line_now, bad);
	else if (story_broken() || !world_calm(false, false))
		printf("%s: broken: %s\n", file, story_broken());
	good = good && !story_broken() && same_list(wanted);
	world_end();
	no_udev = false;
	return good;
}
