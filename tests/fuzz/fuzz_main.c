/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over its seeds and over changed copies of them, always the same ones.
 *
 *	fuzz_x              as a test: FUZZ_RUNS inputs per seed (default 2000), a hundredth
 *	                    of that for each input kept in seeds/fuzz_x
 *	fuzz_x -d DIR       writes the seeds into DIR, for libFuzzer
 *	fuzz_x FILE...      runs the inputs in the files: a finding again */
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t roll(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* One of the changes that find most: bits, bytes, numbers, pieces. */
static size_t change(uint8_t *buf, size_t len)
{
	static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, '"', '\\', '{', '\n', '/' };
	size_t at = roll(len), n = 1 + roll(16), to;

	switch (roll(7)) {
	case 0:
		buf[at] ^= (uint8_t)(1u << roll(8));
		return len;
	case 1:
		buf[at] = odd[roll(sizeof(odd))];
		return len;
	case 2:
		buf[at] = (uint8_t)roll(256);
		return len;
	case 3: /* cut the end off */
		return at ? at : 1;
	case 4: /* take a piece out */
		if (n >= len - at)
			return len;
		memmove(buf + at, buf + at + n, len - at - n);
		return len - n;
	case 5: /* double a piece */
		if (n > len - at)
			n = len - at;
		if (len + n > FUZZ_MAX)
			return len;
		memmove(buf + at + n, buf + at, len - at);
		return len + n;
	default: /* a piece over another */
		to = roll(len);
		if (n > len - at)
			n = len - at;
		if (n > len - to)
			n = len - to;
		memmove(buf + to, buf + at, n);
		return len;
	}
}

/* The input under test, for the message when it ends the process. */
static char seed_now[300];
static unsigned long run_now;

static void on_end(int signo)
{
	char text[400];
	int n = snprintf(text, sizeof(text), "FAIL: %s: signal %d on seed %s, change %lu\n",
			 fuzz_name, signo, seed_now, run_now);

	if (write(STDOUT_FILENO, text, (size_t)n) < 0)
		_exit(2);
	_exit(1);
}

static int write_seeds(const char *dir, uint8_t *buf)
{
	char path[4096];
	size_t len;

	for (unsigned n = 0; (len = fuzz_seed(n, buf)) > 0; n++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/seed-%u", dir, n);
		f = fopen(path, "we");
		if (!f || fwrite(buf, 1, len, f) != len || fclose(f)) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

/* Returns the length, 0 for a file that is empty or cannot be read. */
static size_t load(const char *path, uint8_t *buf)
{
	FILE *f = fopen(path, "re");
	size_t len;

	if (!f) {
		perror(path);
		return 0;
	}
	len = fread(buf, 1, FUZZ_MAX, f);
	fclose(f);
	return len;
}

/* The seed and 'runs' changed copies; returns how many inputs that were. */
static unsigned long run_seed(const uint8_t *seed, size_t len, unsigned long runs)
{
	static uint8_t buf[FUZZ_MAX];

	run_now = 0;
	LLVMFuzzerTestOneInput(seed, len);
	for (run_now = 1; run_now <= runs; run_now++) {
		size_t now = len;

		memcpy(buf, seed, len);
		for (uint64_t n = 1 + roll(6); n > 0; n--)
			now = change(buf, now);
		LLVMFuzzerTestOneInput(buf, now);
	}
	return runs + 1;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* What searches have found: the inputs kept in seeds/<name>/ of the sources. */
static unsigned long run_kept(unsigned long runs, unsigned *n_seeds)
{
	const char *top = getenv("top_srcdir");
	static uint8_t seed[FUZZ_MAX];
	struct dirent **names = NULL;
	unsigned long total = 0;
	char path[4096];
	int n;

	snprintf(path, sizeof(path), "%s/tests/fuzz/seeds/%s", top ? top : ".", fuzz_name);
	n = scandir(path, &names, visible, alphasort);
	for (int i = 0; i < n; i++) {
		size_t len;

		snprintf(path, sizeof(path), "%s/tests/fuzz/seeds/%s/%s", top ? top : ".",
			 fuzz_name, names[i]->d_name);
		snprintf(seed_now, sizeof(seed_now), "%s", names[i]->d_name);
		len = load(path, seed);
		if (len) {
			total += run_seed(seed, len, runs);
			++*n_seeds;
		}
		free(names[i]);
	}
	free(names);
	return total;
}

int main(int argc, char **argv)
{
	static uint8_t seed[FUZZ_MAX];
	const char *env = getenv("FUZZ_RUNS");
	unsigned long runs = env ? strtoul(env, NULL, 10) : 2000, total = 0;
	unsigned n_seeds = 0;
	size_t len;

	if (argc == 3 && !strcmp(argv[1], "-d"))
		return write_seeds(argv[2], seed);
	if (argc > 1) {
		for (int i = 1; i < argc; i++) {
			len = load(argv[i], seed);
			if (!len)
				return 1;
			LLVMFuzzerTestOneInput(seed, len);
		}
		return 0;
	}
	signal(SIGABRT, on_end);
	signal(SIGSEGV, on_end);
	signal(SIGBUS, on_end);
	signal(SIGFPE, on_end);
	LLVMFuzzerTestOneInput(seed, 0);
	while ((len = fuzz_seed(n_seeds, seed)) > 0) {
		snprintf(seed_now, sizeof(seed_now), "%u", n_seeds++);
		total += run_seed(seed, len, runs);
	}
	total += run_kept(runs / 100, &n_seeds);
	printf("%s: %s: holds its promises for inputs made from its seeds\n",
	       total ? "PASS" : "FAIL", fuzz_name);
	fprintf(stderr, "%lu inputs from %u seeds\n", total, n_seeds);
	return total ? 0 : 1;
}
