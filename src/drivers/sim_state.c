/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>

#include "base/paths.h"
#include "base/strbuf.h"

/* Every setting once: what it is called in the file and in messages, which bit says that
 * it is there, and where it stands. */
struct field {
	const char *key;
	uint32_t has;
	size_t at, size;
	bool hex;
};
#define SETTING(name, bit, hex)                                                          \
	{                                                                                \
#name, bit, offsetof(struct vf_settings, name),                          \
			sizeof(((struct vf_settings *)0)->name), hex                     \
	}
static const struct field settings[] = {
	SETTING(link_state, HAS_LINK_STATE, false),
	SETTING(node_guid, HAS_NODE_GUID, true),
	SETTING(port_guid, HAS_PORT_GUID, true),
	SETTING(mac, HAS_MAC, true),
	SETTING(vlan, HAS_VLAN, false),
	SETTING(qos, HAS_VLAN, false),
	SETTING(vlan_proto, HAS_VLAN, true),
	SETTING(min_tx_mbps, HAS_MIN_TX, false),
	SETTING(max_tx_mbps, HAS_MAX_TX, false),
	SETTING(spoofchk, HAS_SPOOFCHK, false),
	SETTING(trust, HAS_TRUST, false),
	SETTING(pkey, HAS_PKEY, true),
	SETTING(ipoib_mode, HAS_IPOIB_MODE, false),
	SETTING(mtu_bytes, HAS_MTU, false),
	SETTING(allmulti, HAS_ALLMULTI, false),
	SETTING(promisc, HAS_PROMISC, false),
};
#define KEPT_IN_FILE (SIM_PF_SIDE | HAS_IPOIB_MODE)

#define OWN(name, hex)                                                                   \
	{                                                                                \
#name, 0, offsetof(struct sim_state, name),                              \
			sizeof(((struct sim_state *)0)->name), hex                       \
	}
static const struct field own[] = {
	OWN(bound, false),	 OWN(bound_node_guid, true), OWN(bound_port_guid, true),
	OWN(rdma_cookie, false), OWN(rebinds, false),	     OWN(resets, false),
};

uint32_t sim_setting_bit(const char *key)
{
	for (size_t i = 0; i < VFK_ARRAY_SIZE(settings); i++)
		if (!strcmp(key, settings[i].key))
			return settings[i].has;
	return 0;
}

static uint64_t get(const struct field *f, const void *base)
{
	const uint8_t *p = (const uint8_t *)base + f->at;
	uint64_t v = 0;

	switch (f->size) {
	case 1:
		return *p;
	case 2:
		return *(const uint16_t *)(const void *)p;
	case 4:
		return *(const uint32_t *)(const void *)p;
	case 6: /* a MAC: the first octet is the most significant */
		for (int i = 0; i < 6; i++)
			v = v << 8 | p[i];
		return v;
	}
	return *(const uint64_t *)(const void *)p;
}

static void put(const struct field *f, void *base, uint64_t v)
{
	uint8_t *p = (uint8_t *)base + f->at;

	switch (f->size) {
	case 1:
		*p = (uint8_t)v;
		return;
	case 2:
		*(uint16_t *)(void *)p = (uint16_t)v;
		return;
	case 4:
		*(uint32_t *)(void *)p = (uint32_t)v;
		return;
	case 6:
		for (int i = 5; i >= 0; i--, v >>= 8)
			p[i] = (uint8_t)v;
		return;
	}
	*(uint64_t *)(void *)p = v;
}

void sim_settings_apply(struct vf_settings *to, const struct vf_settings *from,
			uint32_t mask)
{
	mask &= from->has;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(settings); i++)
		if (settings[i].has & mask)
			put(&settings[i], to, get(&settings[i], from));
	to->has |= mask;
}

static const char *print(const struct field *f, uint64_t v, char out[24])
{
	snprintf(out, 24, f->hex ? "0x%" PRIx64 : "%" PRIu64, v);
	return out;
}

int sim_settings_verify(const struct vf_settings *is, const struct vf_settings *want,
			uint32_t mask, struct vfk_err *err)
{
	char a[24], b[24];

	mask &= want->has;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(settings); i++) {
		const struct field *f = &settings[i];

		if (f->has & mask && get(f, is) != get(f, want))
			return vfk_err_set(err, VFK_E_KERNEL, 0,
					   "%s is %s, its baseline %s", f->key,
					   print(f, get(f, is), a),
					   print(f, get(f, want), b));
	}
	return 0;
}

/* --- the file ------------------------------------------------------------------- */

static void factory(const struct sim_vf *vf, struct sim_state *st)
{
	struct sim_names names;

	memset(st, 0, sizeof(*st));
	sim_names_of(vf, &names);
	st->set.has = KEPT_IN_FILE;
	/* Locally administered, and different for every VF. */
	st->set.node_guid = UINT64_C(0x0253494d00000000) | (vf->addr & 0xffffffff);
	st->set.port_guid = UINT64_C(0x0253494d80000000) | (vf->addr & 0xffffffff);
	memcpy(st->set.mac, names.hwaddr, sizeof(st->set.mac));
	st->set.vlan_proto = 0x8100;
	st->set.spoofchk = 1;
	st->set.pkey = 0xffff;
	st->bound = 1;
	st->bound_node_guid = st->set.node_guid;
	st->bound_port_guid = st->set.port_guid;
}

static int path_of(const struct sim_vf *vf, const char *suffix, char *out, size_t cap)
{
	return snprintf(out, cap, "%s/sim/%s%s", vfk_path(PATH_RUN), vf->pci, suffix) <
			       (int)cap ?
		       0 :
		       -1;
}

static int take_key(void *arg, const char *section, const char *name, const char *value)
{
	struct sim_state *st = arg;
	char *end;
	uint64_t v = strtoull(value, &end, 0);

	if (section[0] || !value[0] || *end)
		return 0;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(settings); i++)
		if (!strcmp(name, settings[i].key) && settings[i].has & KEPT_IN_FILE) {
			put(&settings[i], &st->set, v);
			return 1;
		}
	for (size_t i = 0; i < VFK_ARRAY_SIZE(own); i++)
		if (!strcmp(name, own[i].key)) {
			put(&own[i], st, v);
			return 1;
		}
	return 0;
}

int sim_state_load(const struct sim_vf *vf, struct sim_state *out, struct vfk_err *err)
{
	char path[VFK_PATH_MAX];
	int line;

	factory(vf, out);
	if (path_of(vf, "", path, sizeof(path)))
		return vfk_err_set(err, VFK_E_SYS, ENAMETOOLONG, "state of %s", vf->pci);
	if (access(path, F_OK) && errno == ENOENT)
		return 0;
	errno = 0;
	line = ini_parse(path, take_key, out);
	if (line < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "read %s", path);
	if (line > 0)
		return vfk_err_set(err, VFK_E_DECODE, 0, "%s:%d: not key = number", path,
				   line);
	return 0;
}

static void list_fields(struct strbuf *text, const struct field *f, size_t n,
			const void *base, uint32_t has)
{
	char v[24];

	for (size_t i = 0; i < n; i++)
		if (!f[i].has || f[i].has & has)
			strbuf_addf(text, "%s = %s\n", f[i].key,
				    print(&f[i], get(&f[i], base), v));
}

static int write_whole(const char *path, const char *tmp, const struct strbuf *text,
		       struct vfk_err *err)
{
	VFK_AUTO(fd_auto)
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", tmp);
	if (write(fd, text->data, text->len) != (ssize_t)text->len)
		return vfk_err_set(err, VFK_E_SYS, errno ? errno : ENOSPC, "write %s", tmp);
	if (rename(tmp, path))
		return vfk_err_set(err, VFK_E_SYS, errno, "rename %s", tmp);
	return 0;
}

static int make_dir(struct vfk_err *err)
{
	char path[VFK_PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/sim", vfk_path(PATH_RUN));
	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	rc = paths_make(err);
	if (rc < 0)
		return rc;
	if (mkdir(path, 0700) && errno != EEXIST)
		return vfk_err_set(err, VFK_E_SYS, errno, "mkdir %s", path);
	return 0;
}

int sim_state_save(const struct sim_vf *vf, const struct sim_state *st, struct vfk_err *err)
{
	char path[VFK_PATH_MAX], tmp[VFK_PATH_MAX];
	struct strbuf text = { 0 };
	int rc;

	if (path_of(vf, "", path, sizeof(path)) || path_of(vf, ".tmp", tmp, sizeof(tmp)))
		return vfk_err_set(err, VFK_E_SYS, ENAMETOOLONG, "state of %s", vf->pci);
	list_fields(&text, settings, VFK_ARRAY_SIZE(settings), &st->set, KEPT_IN_FILE);
	list_fields(&text, own, VFK_ARRAY_SIZE(own), st, 0);
	rc = text.failed ? vfk_err_set(err, VFK_E_NOMEM, 0, "write %s", path) :
			   make_dir(err);
	if (rc >= 0)
		rc = write_whole(path, tmp, &text, err);
	strbuf_free(&text);
	return rc;
}
