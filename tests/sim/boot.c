/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/recent_del.h"
#include "engines.h"
#include "io/journal-internal.h"

static unsigned boots;
static char id_now[BOOT_ID_LEN + 1];
static struct recent_del *recent;
static unsigned n_noted; /* in it, each in a place of its own, or fewer */
static struct jd_mark mark, mark_at_death;
static bool mark_kept;

/* --- /run: what outlives a process --- */

int __wrap_recent_del_open(struct recent_del **out, const char *path, struct vfk_err *err);
int __real_recent_del_open(struct recent_del **out, const char *path, struct vfk_err *err);
void __wrap_recent_del_note(struct recent_del *r, const struct attachment *att,
			    uint64_t del_ns, int64_t now_boot_ns, bool settled);
void __real_recent_del_note(struct recent_del *r, const struct attachment *att,
			    uint64_t del_ns, int64_t now_boot_ns, bool settled);
void __wrap_recent_del_close(struct recent_del *r);
void __real_recent_del_close(struct recent_del *r);
struct jd_mark *__wrap_jd_open(const char *path, struct vfk_err *err);
void __wrap_jd_close(struct jd_mark *m);
bool __wrap_jd_load(const char *path, struct jd_mark *m);

int __wrap_recent_del_open(struct recent_del **out, const char *path, struct vfk_err *err)
{
	(void)path;
	if (!recent && __real_recent_del_open(&recent, NULL, err) < 0)
		return -err->kind;
	*out = recent;
	return 0;
}

void __wrap_recent_del_note(struct recent_del *r, const struct attachment *att,
			    uint64_t del_ns, int64_t now_boot_ns, bool settled)
{
	if (!engine_lives())
		return;
	n_noted++;
	__real_recent_del_note(r, att, del_ns, now_boot_ns, settled);
}

void __wrap_recent_del_close(struct recent_del *r)
{
	(void)r; /* the file stays */
}

struct jd_mark *__wrap_jd_open(const char *path, struct vfk_err *err)
{
	(void)path;
	(void)err;
	if (!mark_kept)
		memset(&mark, 0, sizeof(mark));
	mark_kept = true;
	mark.magic = JD_MAGIC;
	return &mark;
}

void __wrap_jd_close(struct jd_mark *m)
{
	(void)m;
}

bool __wrap_jd_load(const char *path, struct jd_mark *m)
{
	(void)path;
	if (mark_kept)
		*m = mark;
	else
		memset(m, 0, sizeof(*m));
	return mark_kept;
}

/* --- the machine, the same everywhere --- */

long __wrap_sysconf(int name);
long __real_sysconf(int name);
char *__wrap_realpath(const char *path, char *out);
char *__wrap___realpath_chk(const char *path, char *out, size_t cap);
int __wrap_clock_boot_id(char id[BOOT_ID_LEN + 1]);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
int __wrap_munmap(void *addr, size_t len);
int __real_munmap(void *addr, size_t len);

long __wrap_sysconf(int name)
{
	return name == _SC_NPROCESSORS_ONLN ? 2 : __real_sysconf(name);
}

char *__wrap_realpath(const char *path, char *out)
{
	snprintf(out, PATH_MAX, "%s", path);
	return out;
}

char *__wrap___realpath_chk(const char *path, char *out, size_t cap)
{
	(void)cap;
	return __wrap_realpath(path, out);
}

int __wrap_clock_boot_id(char id[BOOT_ID_LEN + 1])
{
	memcpy(id, id_now, sizeof(id_now));
	return 0;
}

/* Memory of its own is for the ring of recent DELs, of which there is one at a time: it is
 * used again and again, for new pages cost more than everything else together. */
static _Alignas(64) char ring[1 << 20];

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	if (!(flags & MAP_ANONYMOUS) || len > sizeof(ring))
		return __real_mmap(addr, len, prot, flags, fd, off);
	/* Its header and the places that were used: 72 and 24 bytes (recent_del.c). */
	memset(ring, 0, 72 + 24 * (size_t)n_noted);
	n_noted = 0;
	return ring;
}

int __wrap_munmap(void *addr, size_t len)
{
	return addr == ring ? 0 : __real_munmap(addr, len);
}

/* --- one boot after the other --- */

static void forget(void)
{
	if (recent)
		__real_recent_del_close(recent);
	recent = NULL;
	mark_kept = false;
}

void boot_again(void)
{
	forget();
	boots++;
	snprintf(id_now, sizeof(id_now), "%08x-0000-4000-8000-000000000000", boots);
}

void boot_first(void)
{
	boots = 0;
	boot_again();
}

void boot_end(void)
{
	forget();
}

const char *boot_id(void)
{
	return id_now;
}

void boot_mark_hold(void)
{
	mark_at_death = mark;
}

void boot_mark_back(void)
{
	mark = mark_at_death;
}
