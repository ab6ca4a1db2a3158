/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fatal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"

#define END_S 5

static const struct {
	int signo;
	const char *name;
} fatal[] = { { SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" }, { SIGILL, "SIGILL" },
	      { SIGFPE, "SIGFPE" },   { SIGSYS, "SIGSYS" }, { SIGABRT, "SIGABRT" } };

static const char *who;

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return; /* to nobody, then */
}

/* Only what signal-safety(7) allows. */
static void on_fatal(int signo)
{
	alarm(END_S); /* nobody may read what follows */
	say(who);
	say(": ended by ");
	for (size_t i = 0; i < VFK_ARRAY_SIZE(fatal); i++)
		if (fatal[i].signo == signo)
			say(fatal[i].name);
	say("; the last lines of its log, also those that were not shown:\n");
	log_ring_write(STDERR_FILENO);
	raise(signo); /* SA_RESETHAND: ends the process when we return */
}

void fatal_watch(const char *name)
{
	static char stack[64 * 1024]; /* its own may be what is at an end */
	const stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction act = { .sa_handler = on_fatal, .sa_flags = SA_RESETHAND }, old;

	who = name;
	if (sigaltstack(&alt, NULL) == 0)
		act.sa_flags |= SA_ONSTACK;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(fatal); i++)
		if (sigaction(fatal[i].signo, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(fatal[i].signo, &act, NULL);
}
