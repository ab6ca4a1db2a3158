/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

#define PATH_BYTES 512

/* "<sysfs_root>/bus/pci/devices/<addr>/<rest>"; false: too long. */
static bool device_path(char *out, const struct drv_env *env, pci_addr_t addr,
			const char *rest)
{
	char pci[PCI_STRLEN];
	int n = snprintf(out, PATH_BYTES, "%s/bus/pci/devices/%s/%s", env->sysfs_root,
			 pci_format(addr, pci), rest);

	return n > 0 && n < PATH_BYTES;
}

static bool read_line(const char *path, char *out, size_t cap_bytes)
{
	VFK_AUTO(fd_auto) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || !cap_bytes)
		return false;
	do
		n = read(fd, out, cap_bytes - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

bool pci_attr(const struct drv_env *env, pci_addr_t addr, const char *attr, char *out,
	      size_t cap_bytes)
{
	char path[PATH_BYTES];

	return device_path(path, env, addr, attr) && read_line(path, out, cap_bytes);
}

bool pci_attr_number(const struct drv_env *env, pci_addr_t addr, const char *attr,
		     uint64_t *out)
{
	char text[32], *end;

	if (!pci_attr(env, addr, attr, text, sizeof(text)) || !text[0])
		return false;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return !errno && !*end;
}

static bool last_part(const char *path, char *out, size_t cap_bytes)
{
	char target[PATH_BYTES];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	if (n <= 0)
		return false;
	target[n] = '\0';
	slash = strrchr(target, '/');
	slash = slash ? slash + 1 : target;
	if (strlen(slash) >= cap_bytes)
		return false;
	memcpy(out, slash, strlen(slash) + 1);
	return true;
}

bool pci_link(const struct drv_env *env, pci_addr_t addr, const char *attr, char *out,
	      size_t cap_bytes)
{
	char path[PATH_BYTES];

	return device_path(path, env, addr, attr) && last_part(path, out, cap_bytes);
}

uint64_t pci_incarnation(const struct drv_env *env, pci_addr_t addr)
{
	char path[PATH_BYTES];
	struct stat st;

	return device_path(path, env, addr, "") && !stat(path, &st) ? st.st_ino : 0;
}

bool pci_present(const struct drv_env *env, pci_addr_t addr)
{
	return pci_incarnation(env, addr) != 0;
}

static int each_name(const char *path, int (*fn)(void *arg, const char *name), void *arg)
{
	VFK_AUTO(dir_auto) DIR *dir = opendir(path);
	const struct dirent *e;
	int rc = 0;

	while (dir && !rc && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			rc = fn(arg, e->d_name);
	return rc;
}

int pci_each_name(const struct drv_env *env, pci_addr_t addr, const char *dir,
		  int (*fn)(void *arg, const char *name), void *arg)
{
	char path[PATH_BYTES];

	return device_path(path, env, addr, dir) ? each_name(path, fn, arg) : 0;
}

struct first {
	char *out;
	size_t cap_bytes;
	bool any;
};

static int keep_first(void *arg, const char *name)
{
	struct first *f = arg;

	if (strlen(name) < f->cap_bytes && (!f->any || strcmp(name, f->out) < 0)) {
		memcpy(f->out, name, strlen(name) + 1);
		f->any = true;
	}
	return 0;
}

bool pci_first_name(const struct drv_env *env, pci_addr_t addr, const char *dir,
		    char *out, size_t cap_bytes)
{
	struct first f = { .out = out, .cap_bytes = cap_bytes };

	return !pci_each_name(env, addr, dir, keep_first, &f) && f.any;
}

struct each {
	int (*fn)(void *arg, pci_addr_t addr);
	void *arg;
};

static int one_function(void *arg, const char *name)
{
	const struct each *each = arg;
	pci_addr_t addr;

	return pci_parse(name, &addr) ? each->fn(each->arg, addr) : 0;
}

int pci_each(const struct drv_env *env, int (*fn)(void *arg, pci_addr_t addr), void *arg)
{
	struct each each = { fn, arg };
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/bus/pci/devices", env->sysfs_root);
	return each_name(path, one_function, &each);
}

struct each_vf {
	const struct drv_env *env;
	pci_addr_t pf;
	int (*fn)(void *arg, uint16_t index, pci_addr_t addr);
	void *arg;
};

static int one_vf(void *arg, const char *name)
{
	const struct each_vf *each = arg;
	char target[PCI_STRLEN], *end;
	pci_addr_t addr;
	unsigned long index;

	if (strncmp(name, "virtfn", 6) != 0)
		return 0;
	index = strtoul(name + 6, &end, 10);
	if (end == name + 6 || *end || index > UINT16_MAX ||
	    !pci_link(each->env, each->pf, name, target, sizeof(target)) ||
	    !pci_parse(target, &addr))
		return 0;
	return each->fn(each->arg, (uint16_t)index, addr);
}

int pci_each_vf(const struct drv_env *env, pci_addr_t pf,
		int (*fn)(void *arg, uint16_t index, pci_addr_t addr), void *arg)
{
	struct each_vf each = { env, pf, fn, arg };

	return pci_each_name(env, pf, "", one_vf, &each);
}

static int tell_driver(const struct drv_env *env, pci_addr_t addr, const char *driver,
		       const char *what, struct vfk_err *err)
{
	char path[PATH_BYTES], pci[PCI_STRLEN];
	VFK_AUTO(fd_auto) int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/bus/pci/drivers/%s/%s", env->sysfs_root, driver,
		 what);
	pci_format(addr, pci);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return vfk_err_set(err, VFK_E_KERNEL, errno, "open %s of driver %s", what,
				   driver);
	n = write(fd, pci, strlen(pci)); /* once: each write is another command */
	if (n < 0)
		return vfk_err_set(err, VFK_E_KERNEL, errno, "%s driver %s", what, driver);
	return 0;
}

int pci_bind(const struct drv_env *env, pci_addr_t addr, const char *driver,
	     struct vfk_err *err)
{
	return tell_driver(env, addr, driver, "bind", err);
}

int pci_unbind(const struct drv_env *env, pci_addr_t addr, const char *driver,
	       struct vfk_err *err)
{
	return tell_driver(env, addr, driver, "unbind", err);
}

int pci_override(const struct drv_env *env, pci_addr_t addr, const char *driver,
		 struct vfk_err *err)
{
	char path[PATH_BYTES], now[64];
	const char *text = pci_user_driver(driver) ? driver : "\n";
	VFK_AUTO(fd_auto) int fd = -1;

	if (!pci_attr(env, addr, "driver_override", now, sizeof(now)))
		return 0;
	if (!strcmp(now, driver) || (!pci_user_driver(driver) && !strcmp(now, "(null)")))
		return 0;
	if (device_path(path, env, addr, "driver_override"))
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return vfk_err_set(err, VFK_E_KERNEL, errno, "hold the VF for driver %s",
				   driver);
	return 0;
}

bool pci_user_driver(const char *driver)
{
	return !strcmp(driver, "vfio-pci") || !strcmp(driver, "uio_pci_generic") ||
	       !strcmp(driver, "igb_uio");
}

bool pci_can_reset(const struct drv_env *env, pci_addr_t addr)
{
	char path[PATH_BYTES];

	return device_path(path, env, addr, "reset") && !access(path, W_OK);
}

int pci_reset(const struct drv_env *env, pci_addr_t addr, struct vfk_err *err)
{
	char path[PATH_BYTES];
	VFK_AUTO(fd_auto) int fd = -1;

	if (device_path(path, env, addr, "reset"))
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return vfk_err_set(err, VFK_E_KERNEL, errno, "reset the function");
	return 0;
}
