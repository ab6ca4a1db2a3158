/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "suite.h"

static char seen[4096];
static unsigned n_seen;

static void sink(enum log_level level, const char *line)
{
	(void)level;
	snprintf(seen, sizeof(seen), "%s", line);
	n_seen++;
}

static void writes_level_and_module(void)
{
	log_set_sink(sink);
	log_set_level(LOG_LV_DEBUG);
	log_error("journal", "cannot write: %s", "ENOSPC");
	SUITE_STR(seen, "error journal cannot write: ENOSPC");
	log_warn("engine", "a");
	SUITE_STR(seen, "warn engine a");
	log_notice("engine", "vf=%s", "0000:3b:00.4");
	SUITE_STR(seen, "notice engine vf=0000:3b:00.4");
	log_info("x", "b");
	SUITE_STR(seen, "info x b");
	log_debug("x", "c");
	SUITE_STR(seen, "debug x c");
	log_set_level(LOG_LV_INFO);
	log_set_sink(NULL);
}

static void leaves_out_what_is_below(void)
{
	log_set_sink(sink);
	SUITE_INT(log_get_level(), LOG_LV_INFO);
	n_seen = 0;
	log_debug("x", "quiet");
	SUITE_INT(n_seen, 0);
	log_info("x", "heard");
	SUITE_INT(n_seen, 1);
	log_set_level(LOG_LV_ERROR);
	log_warn("x", "quiet");
	SUITE_INT(n_seen, 1);
	log_set_level(LOG_LV_INFO);
	log_set_sink(NULL);
}

static void keeps_errno(void)
{
	int saved = dup(STDERR_FILENO);

	close(STDERR_FILENO); /* writing fails, too */
	errno = ENOTTY;
	log_error("x", "y");
	SUITE_INT(errno, ENOTTY);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void writes_one_line_to_stderr(void)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	char text[100] = "";

	dup2(fd, STDERR_FILENO);
	log_warn("mod", "two\nlines");
	dup2(saved, STDERR_FILENO);
	CU_ASSERT(pread(fd, text, sizeof(text) - 1, 0) > 0);
	SUITE_STR(text, "warn mod two lines\n");
	close(saved);
	close(fd);
}

static void cuts_long_lines(void)
{
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_set_sink(sink);
	log_info("m", "%s", text);
	SUITE_INT(strlen(seen), 767);
	log_set_sink(NULL);
}

static void parses_levels(void)
{
	static const char *const names[] = { "error", "warn", "notice", "info", "debug" };

	for (int i = 0; i < 5; i++) {
		enum log_level level = LOG_LV_ERROR;

		CU_ASSERT(log_level_parse(names[i], &level));
		SUITE_INT(level, i);
	}
	enum log_level level = LOG_LV_NOTICE;

	CU_ASSERT(!log_level_parse("Error", &level));
	CU_ASSERT(!log_level_parse("", &level));
	CU_ASSERT(!log_level_parse("infos", &level));
	SUITE_INT(level, LOG_LV_NOTICE);
}

static void keeps_the_last_lines(void)
{
	char text[256 * 20 + 1] = "";
	int fd = memfd_create("ring", MFD_CLOEXEC);
	unsigned n = 0;

	log_set_sink(sink);
	for (int i = 0; i < 1000; i++)
		log_debug("ring", "line %d", i); /* not shown, kept */
	log_ring_write(fd);
	SUITE_INT(pread(fd, text, sizeof(text) - 1, 0), 256 * 20);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	SUITE_INT(n, 256);
	CU_ASSERT(!strncmp(text, "debug ring line 744\n", 20));
	SUITE_STR(strrchr(text, 'd'), "debug ring line 999\n");
	close(fd);
	log_set_sink(NULL);
}

static void waits_for_no_reader(void)
{
	int ends[2];

	log_set_sink(sink);
	for (int i = 0; i < 256; i++)
		log_debug("ring", "%0600d", i);
	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	log_ring_write(ends[1]); /* more than a pipe takes */
	close(ends[0]);
	close(ends[1]);
	log_set_sink(NULL);
}

static void modules_have_levels(void)
{
	struct log_levels all;

	log_set_sink(sink);
	CU_ASSERT_TRUE(log_set_module("engine", LOG_LV_DEBUG));
	CU_ASSERT_FALSE(log_set_module("engin", LOG_LV_DEBUG));
	n_seen = 0;
	log_debug("journal", "quiet");
	log_debug("elsewhere", "quiet");
	SUITE_INT(n_seen, 0);
	log_debug("engine", "heard");
	SUITE_INT(n_seen, 1);
	all = log_get_levels();
	CU_ASSERT_TRUE(log_set_module("all", LOG_LV_ERROR));
	log_info("engine", "quiet");
	SUITE_INT(n_seen, 1);
	log_set_levels(&all);
	SUITE_INT(log_get_module("engine"), LOG_LV_DEBUG);
	SUITE_INT(log_get_module("ipam"), LOG_LV_INFO);
	log_set_level(LOG_LV_INFO);
	log_set_sink(NULL);
}

static void fields_are_quoted(void)
{
	char line[100] = "", tight[24] = "";

	log_field(line, sizeof(line), "vf", "0000:3b:00.4");
	log_field(line, sizeof(line), "pod", "");
	log_field(line, sizeof(line), "cause", "DEL \"a\" \\ b=c");
	SUITE_STR(line, "vf=0000:3b:00.4 cause=\"DEL \\\"a\\\" \\\\ b=c\"");
	log_field(tight, sizeof(tight), "cause", "a text that is far too long for it");
	CU_ASSERT_TRUE(strlen(tight) < sizeof(tight));
}

VFK_SUITE(log, { "writes level and module before the text", writes_level_and_module },
	  { "leaves out what is below its level", leaves_out_what_is_below },
	  { "keeps errno even where it cannot write", keeps_errno },
	  { "writes exactly one line to standard error", writes_one_line_to_stderr },
	  { "cuts long lines", cuts_long_lines },
	  { "knows the names of its levels and no others", parses_levels },
	  { "keeps the last 256 lines, debug ones included", keeps_the_last_lines },
	  { "waits for nobody who does not read them", waits_for_no_reader },
	  { "each module may have a level of its own", modules_have_levels },
	  { "what is no plain word is quoted", fields_are_quoted })
