/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/recent_del.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define N_PLACES 16384u /* a power of two */
#define YOUNG_NS (600 * NS_PER_S)
#define MAGIC UINT64_C(0x314c45444b4656) /* "VFKDEL1" */
#define NONE UINT16_MAX

/* One DEL.  time: nanoseconds of CLOCK_BOOTTIME << 1 | settled; 0: the place is empty, or
 * its writing was cut. */
struct place {
	uint64_t key[2];
	_Atomic uint64_t time;
};

/* A time of another boot says nothing, so the file belongs to one. */
struct file {
	uint64_t magic;
	uint32_t place_bytes, n_places;
	char boot_id[BOOT_ID_LEN + 1];
	uint8_t pad[3];
	_Atomic uint64_t floor_ns;
	uint32_t hand; /* the place that is taken next */
	uint32_t pad2;
	struct place place[N_PLACES];
};

_Static_assert(sizeof(struct place) == 24, "a place has 24 bytes");
_Static_assert(sizeof(struct file) == 72 + 24 * N_PLACES, "no hole but the two named ones");

struct recent_del {
	struct file *file;
	/* Chains of places with equal hash, rebuilt at open. */
	uint16_t head[N_PLACES], next[N_PLACES];
};

_Static_assert(N_PLACES <= NONE, "a place fits a chain");

/* --- keys --- */

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static void add_text(uint64_t key[2], const char *text)
{
	size_t len = strlen(text) + 1; /* its NUL parts it from the next */

	for (size_t i = 0; i < len; i++) {
		key[0] = (key[0] ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
		key[1] = mix(key[1] + (uint8_t)text[i]);
	}
}

static void make_key(uint64_t key[2], const struct attachment *att, bool any_network)
{
	key[0] = UINT64_C(0xcbf29ce484222325);
	key[1] = UINT64_C(0x9e3779b97f4a7c15);
	add_text(key, any_network ? "" : att->network);
	add_text(key, att->container);
	add_text(key, att->ifname);
	key[0] = mix(key[0]);
}

static unsigned bucket(const uint64_t key[2])
{
	return (unsigned)(key[0] & (N_PLACES - 1));
}

/* --- the index --- */

static void index_add(struct recent_del *r, uint16_t i)
{
	unsigned b = bucket(r->file->place[i].key);

	r->next[i] = r->head[b];
	r->head[b] = i;
}

static void index_remove(struct recent_del *r, uint16_t i)
{
	uint16_t *link = &r->head[bucket(r->file->place[i].key)];

	while (*link != NONE && *link != i)
		link = &r->next[*link];
	if (*link == i)
		*link = r->next[i];
}

static struct place *find(const struct recent_del *r, const uint64_t key[2])
{
	for (uint16_t i = r->head[bucket(key)]; i != NONE; i = r->next[i]) {
		struct place *p = &r->file->place[i];

		if (p->key[0] == key[0] && p->key[1] == key[1])
			return p;
	}
	return NULL;
}

static void index_fill(struct recent_del *r)
{
	for (unsigned i = 0; i < N_PLACES; i++)
		if (r->file->place[i].time)
			index_add(r, (uint16_t)i);
}

/* --- the file --- */

static bool is_ours(const struct file *f, const char *boot_id)
{
	return f->magic == MAGIC && f->place_bytes == sizeof(struct place) &&
	       f->n_places == N_PLACES && f->hand < N_PLACES &&
	       !strncmp(f->boot_id, boot_id, sizeof(f->boot_id));
}

/* Of zeros.  The magic last: what is cut short here is not one of ours. */
static void make_anew(struct file *f, const char *boot_id)
{
	f->place_bytes = sizeof(struct place);
	f->n_places = N_PLACES;
	memcpy(f->boot_id, boot_id, sizeof(f->boot_id));
	atomic_signal_fence(memory_order_seq_cst);
	f->magic = MAGIC;
}

static int map_file(struct file **out, const char *path, struct vfk_err *err)
{
	VFK_AUTO(fd_auto)
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	void *map;
	int rc;

	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
	if (fstat(fd, &st) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return vfk_err_set(err, VFK_E_SYS, EINVAL, "%s is no regular file", path);
	if (st.st_size > (off_t)sizeof(struct file) &&
	    ftruncate(fd, (off_t)sizeof(struct file)) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "truncate %s", path);
	/* Every page must exist: a store into a hole of a full tmpfs ends the process. */
	rc = posix_fallocate(fd, 0, (off_t)sizeof(struct file));
	if (rc)
		return vfk_err_set(err, VFK_E_SYS, rc, "allocate %s", path);
	map = mmap(NULL, sizeof(struct file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return vfk_err_set(err, VFK_E_SYS, errno, "map %s", path);
	*out = map;
	return 0;
}

static int map_memory(struct file **out, struct vfk_err *err)
{
	void *map = mmap(NULL, sizeof(struct file), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return vfk_err_set(err, VFK_E_NOMEM, errno, "map memory for recent DELs");
	*out = map;
	return 0;
}

int recent_del_open(struct recent_del **out, const char *path, struct vfk_err *err)
{
	char boot_id[BOOT_ID_LEN + 1] = "";
	struct recent_del *r = malloc(sizeof(*r)); /* r->next: where r->head leads */
	int rc;

	if (!r)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
	rc = path ? map_file(&r->file, path, err) : map_memory(&r->file, err);
	if (rc < 0) {
		free(r);
		return rc;
	}
	if (clock_boot_id(boot_id) < 0)
		memset(boot_id, 0, sizeof(boot_id));
	memset(r->head, 0xff, sizeof(r->head)); /* NONE */
	if (is_ours(r->file, boot_id)) {
		index_fill(r);
	} else {
		if (path)
			memset(r->file, 0, sizeof(*r->file));
		make_anew(r->file, boot_id);
	}
	*out = r;
	return 0;
}

void recent_del_close(struct recent_del *r)
{
	if (!r)
		return;
	munmap(r->file, sizeof(*r->file));
	free(r);
}

/* --- DELs --- */

static uint64_t pack(uint64_t ns, bool settled)
{
	/* Time 0 would be an empty place. */
	return (ns ? ns : 1) << 1 | (settled ? 1 : 0);
}

/* The next place, emptied.  What is forgotten while it still counts raises the floor first,
 * so that an engine that ends between the two forgets nothing. */
static struct place *take_place(struct recent_del *r, int64_t now_boot_ns)
{
	struct place *p = &r->file->place[r->file->hand];
	uint64_t ns = p->time >> 1;

	if (p->time) {
		if (now_boot_ns - (int64_t)ns < YOUNG_NS && ns > r->file->floor_ns)
			r->file->floor_ns = ns;
		index_remove(r, (uint16_t)r->file->hand);
		p->time = 0;
	}
	r->file->hand = (r->file->hand + 1) & (N_PLACES - 1);
	return p;
}

void recent_del_note(struct recent_del *r, const struct attachment *att, uint64_t del_ns,
		     int64_t now_boot_ns, bool settled)
{
	uint64_t key[2];
	struct place *p;

	make_key(key, att, false);
	p = find(r, key);
	if (p) {
		uint64_t old = p->time >> 1;

		p->time = pack(del_ns > old ? del_ns : old, settled);
		return;
	}
	p = take_place(r, now_boot_ns);
	p->key[0] = key[0];
	p->key[1] = key[1];
	p->time = pack(del_ns, settled); /* the last of the three: now it counts */
	index_add(r, (uint16_t)(p - r->file->place));
}

/* The noted DEL of an attachment; one that did not know its network counts for each. */
static uint64_t noted(const struct recent_del *r, const struct attachment *att)
{
	uint64_t key[2], time = 0;
	const struct place *p;

	for (int any = 0; any < 2; any++) {
		make_key(key, att, any);
		p = find(r, key);
		if (p && p->time >> 1 > time >> 1)
			time = p->time;
	}
	return time;
}

bool recent_del_refuses(const struct recent_del *r, const struct attachment *att,
			uint64_t start_ns)
{
	uint64_t floor_ns = r->file->floor_ns, del_ns = noted(r, att) >> 1;

	return (floor_ns && start_ns <= floor_ns) || (del_ns && start_ns <= del_ns);
}

bool recent_del_settled(const struct recent_del *r, const struct attachment *att)
{
	return noted(r, att) & 1;
}
