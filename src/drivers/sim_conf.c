/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/sim.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ini.h>

#include "base/clock.h"

/* Numbers of enum port_state (fsm/port.h), by name. */
static const char *const port_states[] = {
	[1] = "unknown", [2] = "down", [3] = "init", [4] = "active", [5] = "fatal"
};
#define PORT_ACTIVE_NUMBER 4

struct parse {
	const char *path;
	struct sim_conf *conf;
	bool links_default; /* [sim] links, for the sections after it */
	char section[64];   /* of the call before */
	struct vfk_err err; /* kind 0: none yet */
};

static int number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno || *end || *out > max ? -1 : 0;
}

static int yes_no(const char *text, bool *out)
{
	*out = !strcmp(text, "yes");
	return *out || !strcmp(text, "no") ? 0 : -1;
}

/* A handler of inih returns 0 to report this line. */
static int bad(struct parse *p, const char *name, const char *value, const char *why)
{
	if (!p->err.kind)
		(void)(vfk_err_set(&p->err, VFK_E_CONFIG, 0, "%s = %s: %s", name, value,
				   why) < 0);
	return 0;
}

static int add_fault(struct parse *p, const char *name, const char *value, pci_addr_t pf)
{
	struct sim_conf *c = p->conf;
	struct vfk_err why;

	if (c->n_fixed == VFK_ARRAY_SIZE(c->fixed))
		return bad(p, name, value, "more than 32 faults");
	if (strlen(value) >= sizeof(c->fixed[0].text))
		return bad(p, name, value, "longer than 119 characters");
	if (sim_fault_check(value, true, &why) < 0)
		return bad(p, name, value, why.msg);
	c->fixed[c->n_fixed].pf = pf;
	snprintf(c->fixed[c->n_fixed++].text, sizeof(c->fixed[0].text), "%s", value);
	return 1;
}

static int sim_key(struct parse *p, const char *name, const char *value)
{
	if (!strcmp(name, "faults")) {
		if (value[0] != '/' || strlen(value) >= sizeof(p->conf->faults))
			return bad(p, name, value, "not an absolute path");
		snprintf(p->conf->faults, sizeof(p->conf->faults), "%s", value);
		return 1;
	}
	if (!strcmp(name, "fault"))
		return add_fault(p, name, value, PCI_NONE);
	if (!strcmp(name, "links"))
		return yes_no(value, &p->links_default) ?
			       bad(p, name, value, "neither yes nor no") :
			       1;
	return bad(p, name, value, "no such key in section sim");
}

static int pf_name(struct parse *p, struct sim_pf *pf, const char *name, const char *value)
{
	size_t len = strlen(value);

	if (!len || len > SIM_NAME_MAX)
		return bad(p, name, value, "not 1 to 10 characters long");
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)value[i]) && value[i] != '_')
			return bad(p, name, value,
				   "has a character that is no letter, "
				   "digit or underscore");
	memcpy(pf->name, value, len + 1);
	return 1;
}

static int pf_cannot(struct parse *p, struct sim_pf *pf, const char *name, const char *value)
{
	char key[32];
	uint32_t bit;

	while (*value) {
		size_t len = strcspn(value, " ");

		snprintf(key, sizeof(key), "%.*s", (int)len, value);
		bit = sim_setting_bit(key);
		if (!bit)
			return bad(p, name, value, "no such setting");
		pf->cannot |= bit;
		value += len + strspn(value + len, " ");
	}
	return 1;
}

static int pf_key(struct parse *p, struct sim_pf *pf, const char *name, const char *value)
{
	unsigned long n;

	if (!strcmp(name, "name"))
		return pf_name(p, pf, name, value);
	if (!strcmp(name, "vfs")) {
		if (number(value, SIM_MAX_VFS, &n))
			return bad(p, name, value, "not a number up to 4096");
		pf->n_vfs = (uint16_t)n;
		return 1;
	}
	if (!strcmp(name, "ports")) {
		if (number(value, SIM_MAX_PORTS, &n) || !n)
			return bad(p, name, value, "not a number from 1 to 4");
		pf->n_ports = (uint8_t)n;
		return 1;
	}
	if (!strcmp(name, "port_state")) {
		for (size_t i = 1; i < VFK_ARRAY_SIZE(port_states); i++) {
			if (strcmp(value, port_states[i]))
				continue;
			pf->port_state = (uint8_t)i;
			return 1;
		}
		return bad(p, name, value, "no such port state");
	}
	if (!strcmp(name, "links"))
		return yes_no(value, &pf->links) ?
			       bad(p, name, value, "neither yes nor no") :
			       1;
	if (!strcmp(name, "cannot"))
		return pf_cannot(p, pf, name, value);
	if (!strcmp(name, "fault"))
		return add_fault(p, name, value, pf->addr);
	return bad(p, name, value, "no such key in a section of a PF");
}

static struct sim_pf *pf_section(struct parse *p, const char *section)
{
	struct sim_conf *c = p->conf;
	pci_addr_t addr;

	if (strncmp(section, "pf ", 3) || !pci_parse(section + 3, &addr)) {
		bad(p, section, "", "neither sim nor pf with a PCI address");
		return NULL;
	}
	for (unsigned i = 0; i < c->n_pfs; i++)
		if (c->pf[i].addr == addr)
			return &c->pf[i];
	if (c->n_pfs == SIM_MAX_PFS) {
		bad(p, section, "", "more than 64 PFs");
		return NULL;
	}
	c->pf[c->n_pfs] = (struct sim_pf){ .addr = addr,
					   .n_ports = 1,
					   .port_state = PORT_ACTIVE_NUMBER,
					   .links = p->links_default };
	return &c->pf[c->n_pfs++];
}

static int take_line(void *arg, const char *section, const char *name, const char *value)
{
	struct parse *p = arg;
	struct sim_pf *pf;

	if (!strcmp(section, "sim"))
		return sim_key(p, name, value);
	pf = pf_section(p, section);
	return pf ? pf_key(p, pf, name, value) : 0;
}

static int overlaps(const struct sim_pf *a, const struct sim_pf *b)
{
	return a->addr <= b->addr + b->n_vfs && b->addr <= a->addr + a->n_vfs;
}

static int check_whole(const char *path, const struct sim_conf *c, struct vfk_err *err)
{
	char a[PCI_STRLEN], b[PCI_STRLEN];

	for (unsigned i = 0; i < c->n_pfs; i++) {
		if (!c->pf[i].name[0])
			return vfk_err_set(err, VFK_E_CONFIG, 0, "%s: PF %s has no name",
					   path, pci_format(c->pf[i].addr, a));
		if ((c->pf[i].addr & 0xffff) + c->pf[i].n_vfs > 0xffff)
			return vfk_err_set(err, VFK_E_CONFIG, 0,
					   "%s: the VFs of PF %s pass the end of its domain",
					   path, pci_format(c->pf[i].addr, a));
		for (unsigned k = 0; k < i; k++) {
			if (!strcmp(c->pf[i].name, c->pf[k].name))
				return vfk_err_set(err, VFK_E_CONFIG, 0,
						   "%s: two PFs are named %s", path,
						   c->pf[i].name);
			if (overlaps(&c->pf[i], &c->pf[k]))
				return vfk_err_set(err, VFK_E_CONFIG, 0,
						   "%s: the VFs of PF %s and PF %s overlap",
						   path, pci_format(c->pf[k].addr, a),
						   pci_format(c->pf[i].addr, b));
		}
	}
	return 0;
}

static int read_conf(const char *path, struct sim_conf *conf, struct vfk_err *err)
{
	struct parse p = { .path = path, .conf = conf, .links_default = true };
	bool cut;
	FILE *f;
	int line;

	memset(conf, 0, sizeof(*conf));
	f = fopen(path, "re");
	if (!f)
		return vfk_err_set(err, VFK_E_CONFIG, errno,
				   "open the sim description %s", path);
	line = ini_parse_file(f, take_line, &p);
	cut = ferror(f) != 0;
	fclose(f);
	if (cut) /* else its rest would be VFs that have vanished */
		return vfk_err_set(err, VFK_E_CONFIG, EIO, "read the sim description %s",
				   path);
	if (line < 0)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "read the sim description %s",
				   path);
	if (line > 0 && p.err.kind)
		return vfk_err_set(err, VFK_E_CONFIG, 0, "%s:%d: %s", path, line,
				   p.err.msg);
	if (line > 0)
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "%s:%d: neither a section nor key = value", path, line);
	return check_whole(path, conf, err);
}

int sim_conf_get(const char *path, const struct sim_conf **out, struct vfk_err *err)
{
	/* The description is asked for at every step of a thousand VFs: what was read last
	 * is used as long as the file is the same. */
	static struct sim_conf conf;
	static struct stat seen;
	static char seen_path[256];
	struct stat st;
	int rc;

	if (stat(path, &st))
		return vfk_err_set(err, VFK_E_CONFIG, errno,
				   "open the sim description %s", path);
	if (strcmp(path, seen_path) || st.st_ino != seen.st_ino ||
	    st.st_dev != seen.st_dev || st.st_size != seen.st_size ||
	    st.st_mtim.tv_sec != seen.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != seen.st_mtim.tv_nsec) {
		seen_path[0] = '\0';
		rc = read_conf(path, &conf, err);
		if (rc < 0)
			return rc;
		seen = st;
		snprintf(seen_path, sizeof(seen_path), "%s", path);
	}
	*out = &conf;
	return 0;
}

struct sim_vf sim_vf_at(const struct sim_conf *conf, const struct sim_pf *pf, uint16_t index)
{
	struct sim_vf vf = {
		.conf = conf, .pf = pf, .index = index, .addr = pf->addr + 1 + index
	};

	pci_format(vf.addr, vf.pci);
	return vf;
}

bool sim_vf_find(const struct sim_conf *conf, pci_addr_t addr, struct sim_vf *out)
{
	for (unsigned i = 0; i < conf->n_pfs; i++) {
		const struct sim_pf *pf = &conf->pf[i];

		if (addr > pf->addr && addr <= pf->addr + pf->n_vfs) {
			*out = sim_vf_at(conf, pf, (uint16_t)(addr - pf->addr - 1));
			return true;
		}
	}
	return false;
}

/* FNV-1a of the boot id: another one after a reboot, the same for every engine of a boot. */
uint64_t sim_incarnation(void)
{
	char id[BOOT_ID_LEN + 1];
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	if (clock_boot_id(id))
		return 1;
	for (const char *c = id; *c; c++)
		h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	return h | 1;
}
