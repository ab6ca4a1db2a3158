/* SPDX-License-Identifier: Apache-2.0 */
/* LONG_SIM_CYCLES (100,000) attachments and releases by one engine in a simulated world: it
 * holds no more memory and no more descriptors at the end than after four tenths of them.
 * Counted is what malloc has given out: a block that is lost in one of a thousand shows. */
#include "engine_world.h"

#include <dirent.h>
#include <malloc.h>

/* Tables have their size after 30,000; what follows is a string more or less. */
#define GROWTH_BYTES 2048
#define VFS 8

static unsigned fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* The client has its answer and goes. */
static bool done(struct ew *w, struct ew_client *c)
{
	bool good = c->answered && c->exit_code == 0;

	ew_gone(w, c);
	free(c->text);
	memset(c, 0, sizeof(*c));
	ew_trace_clear(w);
	return good;
}

static bool cycle(struct ew *w, unsigned long n)
{
	static const char *const plugin[] = { NULL, "host-local", NULL, "vfkeeper" };
	struct ew_call call = { .verb = CNI_ADD, .vf = (unsigned)(n % VFS) };
	char container[32], text[300], addr[PCI_STRLEN];
	struct ew_client *c;
	bool good;

	snprintf(container, sizeof(container), "pod%lu", n);
	call.container = container;
	call.ipam = plugin[n % 4];
	if (n % 4 == 3) { /* addresses of our own */
		pci_format(EW_VF(call.vf), addr);
		snprintf(text, sizeof(text),
			 "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\","
			 "\"deviceID\":\"%s\",\"ipam\":{\"type\":\"vfkeeper\",\"ranges\":"
			 "[[{\"subnet\":\"10.1.0.0/24\"}]]}}",
			 addr);
		call.text = text;
	}
	c = ew_ask(w, call);
	if (c->n_runs)
		ew_ran_ok(w, c);
	good = done(w, c);
	ew_pass(w, 20 * NS_PER_MS);
	call.verb = CNI_DEL;
	c = ew_ask(w, call);
	if (c->n_runs)
		ew_ran_ok(w, c);
	good = done(w, c) && good;
	ew_pass(w, 20 * NS_PER_MS);
	return good && !strcmp(ew_state(w, call.vf), "FREE");
}

static void grows_by_nothing(void)
{
	const char *wanted = getenv("LONG_SIM_CYCLES");
	unsigned long cycles = wanted ? strtoul(wanted, NULL, 10) : 100000, n = 0, bad = 0;
	unsigned n_fds = 0;
	size_t bytes = 0, now = 0;
	struct ew *w = ew_new(VFS);

	for (unsigned tenth = 1; tenth <= 10; tenth++) {
		for (unsigned long i = 0; i < cycles / 10; i++)
			bad += !cycle(w, n++);
		now = mallinfo2().uordblks;
		printf("      after %lu cycles: %zu bytes, %u descriptors\n", n, now,
		       fds());
		if (tenth == 4) {
			bytes = now;
			n_fds = fds();
		}
	}
	SUITE_INT(bad, 0);
	SUITE_INT(fds(), n_fds);
	CU_ASSERT(now <= bytes + GROWTH_BYTES);
	ew_free(w);
}

VFK_SUITE(cycles, { "holds what it held, after 100,000 attachments and releases",
		    grows_by_nothing })
