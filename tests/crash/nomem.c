/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into an engine in place of main and the allocator's entries (ld --wrap): the
 * NOMEM_AT-th allocation of the loop process fails, once; those before main, which are
 * libc's, do not count.  The file NOMEM_FILE is told: "failed N", and "count N" at the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static pid_t loop_pid;
static unsigned long count, fail_at;

static void note(const char *what)
{
	const char *path = getenv("NOMEM_FILE");
	char text[64];
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
	int len = snprintf(text, sizeof(text), "%s %lu\n", what, count);

	if (fd < 0)
		return;
	if (write(fd, text, (size_t)len) < 0)
		abort();
	close(fd);
}

static void at_end(void)
{
	if (getpid() == loop_pid)
		note("count");
}

int __wrap_main(int argc, char **argv)
{
	const char *at = getenv("NOMEM_AT");

	fail_at = at ? strtoul(at, NULL, 10) : 0;
	atexit(at_end);
	loop_pid = getpid();
	return __real_main(argc, argv);
}

/* Spawner and workers are forked by the loop. */
static bool fails(void)
{
	if (!loop_pid || getpid() != loop_pid || ++count != fail_at)
		return false;
	note("failed");
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}
