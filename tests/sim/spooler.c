/* SPDX-License-Identifier: Apache-2.0 */
#include "spooler.h"

#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "callers.h"
#include "engines.h"
#include "promises.h"
#include "story.h"
#include "when.h"

#define MAX_ENTRIES 32

struct entry {
	char *env, *text;
	size_t env_len, text_len;
	char boot_id[BOOT_ID_LEN + 1];
	uint64_t start_ns;
	unsigned claim;
};

static struct entry entries[MAX_ENTRIES];
static unsigned n_entries;

static void drop(unsigned i)
{
	free(entries[i].env);
	free(entries[i].text);
	entries[i] = entries[--n_entries];
}

void spooler_reset(void)
{
	while (n_entries)
		drop(0);
}

static void *copy(const void *bytes, size_t len)
{
	char *to = malloc(len + 1);

	if (!to)
		abort();
	memcpy(to, bytes, len);
	to[len] = '\0';
	return to;
}

void spooler_leave(const char *env, size_t env_len, const char *text, size_t text_len,
		   uint64_t start_ns, unsigned claim)
{
	struct entry *e;

	/* One of a name: the newer replaces the older (spool_key). */
	for (unsigned i = 0; i < n_entries; i++)
		if (entries[i].claim == claim)
			drop(i--);
	if (n_entries == MAX_ENTRIES)
		return;
	e = &entries[n_entries++];
	*e = (struct entry){ .env = copy(env, env_len),
			     .text = copy(text, text_len),
			     .env_len = env_len,
			     .text_len = text_len,
			     .start_ns = start_ns,
			     .claim = claim };
	memcpy(e->boot_id, boot_id(), sizeof(e->boot_id));
	story("spool: a DEL of %s is kept", claims[claim].container);
}

/* As read_spool and take_spooled (src/engine/daemon.c). */
void spooler_read(struct engine *e)
{
	for (unsigned i = 0; i < n_entries;) {
		struct entry *entry = &entries[i];
		struct vfk_err err = { 0 };

		if (claims[entry->claim].del_read_ns < entry->start_ns)
			claims[entry->claim].del_read_ns = entry->start_ns;
		if (engine_spooled(e, DIALECT_VFKEEPER, entry->env, entry->env_len,
				   entry->text, entry->text_len, entry->boot_id,
				   entry->start_ns, &err) < 0)
			return;
		if (!engine_lives())
			return; /* killed before it unlinked it */
		story("spool: the DEL of %s is carried out",
		      claims[entry->claim].container);
		drop(i);
	}
}

unsigned spooler_entries(void)
{
	return n_entries;
}
