/* SPDX-License-Identifier: Apache-2.0 */
/* A sysfs of plain files, for the drivers of real VFs. */
#ifndef VFK_TESTS_SYSFS_LAB_H
#define VFK_TESTS_SYSFS_LAB_H

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char sysfs_root[32];

static inline void make_parents(const char *path)
{
	char part[300];

	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		CU_ASSERT(!mkdir(part, 0755) || errno == EEXIST);
	}
}

/* attr TEXT PATH-FORMAT: below the device directories */
static inline void attr(const char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static inline void attr(const char *text, const char *fmt, ...)
{
	char rest[160], path[300];
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/bus/pci/%s", sysfs_root, rest);
	make_parents(path);
	f = fopen(path, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
}

static inline void points(const char *target, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static inline void points(const char *target, const char *fmt, ...)
{
	char rest[160], path[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/bus/pci/%s", sysfs_root, rest);
	make_parents(path);
	CU_ASSERT_EQUAL(symlink(target, path), 0);
}

static inline const char *holds(const char *rest)
{
	static char text[64];
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bus/pci/%s", sysfs_root, rest);
	f = fopen(path, "re");
	text[0] = '\0';
	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	return text;
}

static inline void has_driver(const char *pci, const char *driver)
{
	points("../../drivers/x", "devices/%s/.keep", pci);
	if (driver) {
		char target[64];

		snprintf(target, sizeof(target), "../../drivers/%s", driver);
		points(target, "devices/%s/driver", pci);
	}
}

static inline int unlink_one(const char *path, const struct stat *st, int type,
			     struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void sysfs_begin(void)
{
	snprintf(sysfs_root, sizeof(sysfs_root), "/tmp/vfk-sysfs-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(sysfs_root));
}

static inline void sysfs_end(void)
{
	nftw(sysfs_root, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
