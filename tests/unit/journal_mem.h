/* SPDX-License-Identifier: Apache-2.0 */
/* A journal on a disk in memory, or in a directory of its own. */
#ifndef VFK_TESTS_JOURNAL_MEM_H
#define VFK_TESTS_JOURNAL_MEM_H

#include <stdlib.h>
#include <unistd.h>

#include "journal_app.h"
#include "suite.h"

#define SIZE (64 * 1024)

static struct mem_disk mem;
static struct app app;

static inline void begin_mem_marked(const char *durable_path)
{
	struct disk disk;

	mem_init(&mem);
	app_init(&app);
	disk = mem_as_disk(&mem);
	SUITE_INT(app_open(&app, &disk, durable_path, SIZE), 0);
}

static inline void begin_mem(void)
{
	begin_mem_marked(NULL);
}

static inline int reopen_mem(const char *durable_path)
{
	struct disk disk = mem_as_disk(&mem);

	app_close(&app);
	return app_open(&app, &disk, durable_path, SIZE);
}

static inline void end_mem(void)
{
	app_close(&app);
	mem_fini(&mem);
}

/* --- a directory on a real file system --- */

static char dir[64], mark_path[96];

static inline void make_dir(void)
{
	snprintf(dir, sizeof(dir), "%s/vfk-journal-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(mark_path, sizeof(mark_path), "%s/durable", dir);
}

static inline void remove_dir(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf -- %s", dir);
	CU_ASSERT_EQUAL(system(cmd), 0);
}

struct history {
	uint64_t last;
	unsigned n_files;
	bool in_order;
	uint64_t generation;
};

static inline int take_history(void *arg, const struct journal_record *rec,
			       struct vfk_err *err)
{
	struct history *h = arg;

	(void)err;
	if (rec->seq <= h->last)
		h->in_order = false;
	h->last = rec->seq;
	if (rec->generation != h->generation)
		h->n_files++;
	h->generation = rec->generation;
	return 0;
}

#endif
