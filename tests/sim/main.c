/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator: a node, its engine, its callers and everything that goes wrong, in one
 * process and in simulated time.  How it is used: HACKING, THE SIMULATOR. */
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cover.h"
#include "exhaust.h"
#include "history.h"
#include "memo.h"
#include "scenario.h"
#include "shrink.h"
#include "story.h"
#include "when.h"

#define MAX_STORIES 3 /* that a run tells in full */

struct result {
	uint64_t seeds, steps, broken;
};

static bool with_log, stops;

void __wrap_log_at(enum log_level level, const char *module, const char *fmt, ...)
	VFK_PRINTF(3, 4);

/* Of the engine.  Nobody reads what it keeps of them. */
void __wrap_log_at(enum log_level level, const char *module, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	if (!with_log && !WITH_ASAN)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (with_log)
		story("      %s %s %s", log_level_name(level), module, line);
}

/* The whole of it, as it is or as short as it can be. */
static bool tell(struct history *h, bool shorter)
{
	char what[600];
	bool good;

	if (shorter)
		printf("\nseed %llu, shrunk to %u events:\n", (unsigned long long)h->seed,
		       shrink(h));
	story_reset(STORY_PRINT);
	good = history_play(h);
	if (good)
		return true;
	snprintf(what, sizeof(what), "%s", story_broken());
	printf("\nbroken: %s\nreplay: tests/sim/sim --seed %llu --keep ", what,
	       (unsigned long long)h->seed);
	shrink_print_keep(h);
	printf("\n");
	return false;
}

static void run(uint64_t first, uint64_t n, uint64_t stride, struct result *res)
{
	static struct history h;
	unsigned told = 0;

	for (uint64_t seed = first; seed < first + n; seed += stride) {
		history_make(&h, seed);
		story_reset(STORY_OFF);
		res->seeds++;
		if (history_play(&h)) {
			res->steps += when_steps;
			continue;
		}
		res->steps += when_steps;
		res->broken++;
		printf("seed %llu: %s\n", (unsigned long long)seed, story_broken());
		if (stops)
			return;
		if (told++ < MAX_STORIES)
			tell(&h, true);
	}
}

/* A child plays its share, and says through a pipe what it has come to. */
static int child(uint64_t first, uint64_t n, unsigned jobs, int out)
{
	struct result res = { 0 };

	run(first, n, jobs, &res);
	fflush(stdout);
	if (write(out, &res, sizeof(res)) != sizeof(res) ||
	    write(out, cover_data(), cover_bytes) != (ssize_t)cover_bytes)
		return 1;
	return 0;
}

static bool read_all(int fd, void *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, (char *)buf + done, len - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool run_in(unsigned jobs, uint64_t first, uint64_t n, struct result *sum)
{
	int pipes[64][2];
	pid_t pids[64];
	bool good = true;

	fflush(stdout);
	for (unsigned i = 0; i < jobs; i++) {
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			return false;
		pids[i] = fork();
		if (pids[i] < 0)
			return false;
		if (!pids[i])
			/* Not _exit(): a sanitizer looks for leaks on the way out. */
			exit(child(first + i, n > i ? n - i : 0, jobs, pipes[i][1]));
		close(pipes[i][1]);
	}
	for (unsigned i = 0; i < jobs; i++) {
		char *cover = malloc(cover_bytes);
		struct result res;
		int status;

		if (cover && read_all(pipes[i][0], &res, sizeof(res)) &&
		    read_all(pipes[i][0], cover, cover_bytes)) {
			sum->seeds += res.seeds;
			sum->steps += res.steps;
			sum->broken += res.broken;
			cover_add(cover);
		} else {
			printf("a child did not come to its end\n");
			good = false;
		}
		free(cover);
		close(pipes[i][0]);
		if (waitpid(pids[i], &status, 0) < 0 || status)
			good = false;
	}
	return good;
}

static void rate(uint64_t seeds)
{
	struct rusage use;
	double s;

	if (getrusage(RUSAGE_CHILDREN, &use) < 0)
		return;
	s = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	    (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
	if (s > 0)
		printf("speed: %.0f histories per second of processor time\n",
		       (double)seeds / s);
}

static int usage(void)
{
	fputs("usage: sim [--first SEED] [--seeds N] [--jobs N] [--coverage] [--stop]\n"
	      "       sim --exhaustive [SCENARIO [--path LIST]]\n"
	      "       sim --scenario FILE [--story] [--log]\n"
	      "       sim --seed SEED [--keep LIST] [--shrink] [--log] [--hash]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "first", 1, NULL, 'f' },
						 { "seeds", 1, NULL, 'n' },
						 { "jobs", 1, NULL, 'j' },
						 { "coverage", 0, NULL, 'c' },
						 { "seed", 1, NULL, 's' },
						 { "keep", 1, NULL, 'k' },
						 { "shrink", 0, NULL, 'm' },
						 { "log", 0, NULL, 'l' },
						 { "hash", 0, NULL, 'h' },
						 { "exhaustive", 2, NULL, 'x' },
						 { "path", 1, NULL, 'p' },
						 { "stop", 0, NULL, 'o' },
						 { "scenario", 1, NULL, 'S' },
						 { "story", 0, NULL, 't' },
						 { 0 } };
	uint64_t first = 1, n = 1000, seed = 0;
	unsigned jobs = 1, n_all, missing = 0;
	bool coverage = false, shorter = false, hash = false, good;
	static struct history h;
	struct result res = { 0 };
	const char *keep = NULL, *path = NULL, *file = NULL;
	int scenario = -1;
	bool exhaustive = false, with_story = false, one = false;
	int opt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Engines come and go: their buffers need not go back to the real kernel each time. */
	mallopt(M_MXFAST, 0); /* no small pieces to put together when a large one goes back */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			first = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			n = strtoull(optarg, NULL, 0);
			break;
		case 'j':
			jobs = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'c':
			coverage = true;
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			one = true;
			break;
		case 'k':
			keep = optarg;
			break;
		case 'm':
			shorter = true;
			break;
		case 'l':
			with_log = true;
			break;
		case 'h':
			hash = true;
			break;
		case 'x':
			if (!optarg && optind < argc && argv[optind][0] != '-')
				optarg = argv[optind++];
			exhaustive = true;
			scenario = optarg ? atoi(optarg) : -1;
			break;
		case 'o':
			stops = true;
			break;
		case 'p':
			path = optarg;
			break;
		case 'S':
			file = optarg;
			break;
		case 't':
			with_story = true;
			break;
		default:
			return usage();
		}
	}
	if (optind != argc || !jobs || jobs > 64)
		return usage();
	if (file)
		return scenario_play(file, with_story) ? 0 : 1;
	if (exhaustive)
		return (path ? exhaust_path((unsigned)scenario, path) :
			       exhaust_all(scenario)) ?
			       0 :
			       1;
	if (one) {
		history_make(&h, seed);
		if (keep && !shrink_keep(&h, keep))
			return usage();
		if (!hash)
			return tell(&h, shorter) ? 0 : 1;
		story_reset(STORY_HASH);
		history_play(&h);
		printf("%016llx\n", (unsigned long long)story_hash());
		return 0;
	}
	good = run_in(jobs, first, n, &res);
	if (coverage) {
		missing = cover_report(&n_all);
		printf("coverage: %u of %u\n", n_all - missing, n_all);
	}
	rate(res.seeds);
	printf("sim: seeds=%llu steps=%llu broken=%llu\n", (unsigned long long)res.seeds,
	       (unsigned long long)res.steps, (unsigned long long)res.broken);
	return good && !res.broken && !missing ? 0 : 1;
}
