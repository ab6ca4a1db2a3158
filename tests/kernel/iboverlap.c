/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of the numbers of InfiniBand VFs whose rebinds overlap.
 *
 *   iboverlap STORMS DELAY_MS JITTER_MS VF...
 *
 * A storm binds one VF of each PF anew, chosen at random.  There are STORMS of each of three ways,
 * by turns: one VF after the other; any order, all at once; and up, in the order of their
 * numbers, each as soon as the one before has lost its driver.  A probe takes DELAY_MS, and up
 * to JITTER_MS more or less.  VFs that have another number then are unbound, and bound one at a
 * time in the order of their own numbers.  A line for each way:
 *
 *   changed    storms that changed a number, and by kind; names only count by kind
 *   crossed    storms in which two VFs got numbers of verbs and MAD devices in opposite orders
 *   again      VFs that were bound once more
 *   lost       storms after which a number was still another one
 *   ms         time of a storm, without and with the repair */
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/sysfs.h"

#define DRIVER "mlx5_core"
#define MAX_VFS 1024
#define MAX_PFS 16

enum kind { UVERBS, UMAD, RDMA_NAME, LINK_NAME, N_KINDS };
enum way { ONE, ANY, UP, N_WAYS };

static const struct drv_env env = { .sysfs_root = "/sys",
				    .proc_root = "/proc",
				    .dev_root = "/dev" };

struct names {
	char name[N_KINDS][32];
};

struct vf {
	pci_addr_t addr, pf;
	struct names own;
	sem_t unbound;
	struct vf *before; /* its unbind is waited for */
};

static struct vf vfs[MAX_VFS], *pf_vfs[MAX_PFS][MAX_VFS];
static unsigned n_vfs, n_pfs, n_of_pf[MAX_PFS];

static void must(int rc, const struct vfk_err *err, const struct vf *vf)
{
	char pci[PCI_STRLEN];

	if (rc >= 0)
		return;
	fprintf(stderr, "iboverlap: %s: %s\n", pci_format(vf->addr, pci), err->msg);
	exit(1);
}

static unsigned number_of(const char *name)
{
	return (unsigned)strtoul(name + strcspn(name, "0123456789"), NULL, 10);
}

static unsigned number(const struct vf *vf)
{
	return number_of(vf->own.name[UVERBS]);
}

static int issm_is_no_umad(void *arg, const char *name)
{
	if (strncmp(name, "umad", 4) != 0)
		return 0;
	snprintf(arg, sizeof(((struct names *)0)->name[0]), "%s", name);
	return 1;
}

static struct names look(const struct vf *vf)
{
	static const char *const dir[] = { "infiniband_verbs", "", "infiniband", "net" };
	struct names now = { 0 };

	for (int k = 0; k < N_KINDS; k++)
		if (k != UMAD)
			pci_first_name(&env, vf->addr, dir[k], now.name[k],
				       sizeof(now.name[k]));
	pci_each_name(&env, vf->addr, "infiniband_mad", issm_is_no_umad, now.name[UMAD]);
	return now;
}

static void bind_it(struct vf *vf)
{
	struct vfk_err err = { 0 };

	must(pci_bind(&env, vf->addr, DRIVER, &err), &err, vf);
}

static void unbind_it(struct vf *vf)
{
	struct vfk_err err = { 0 };

	must(pci_unbind(&env, vf->addr, DRIVER, &err), &err, vf);
}

static void *rebind(void *arg)
{
	char driver[32];
	struct vf *vf = arg;

	if (vf->before)
		sem_wait(&vf->before->unbound);
	if (pci_link(&env, vf->addr, "driver", driver, sizeof(driver)))
		unbind_it(vf);
	sem_post(&vf->unbound);
	bind_it(vf);
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	const struct vf *x = *(struct vf *const *)a, *y = *(struct vf *const *)b;

	return number(x) < number(y) ? -1 : number(x) > number(y);
}

static void set_probe_ms(pci_addr_t pf, long ms)
{
	char path[128], pci[PCI_STRLEN];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/ibvfsim/%s/ops/probe/delay_ms",
		 pci_format(pf, pci));
	f = fopen(path, "w");
	if (!f || fprintf(f, "%ld\n", ms < 0 ? 0 : ms) < 0 || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static void overlap(struct vf **set, unsigned n, enum way way)
{
	pthread_t thread[MAX_PFS];

	for (unsigned i = 0; i < n; i++) {
		sem_init(&set[i]->unbound, 0, 0);
		set[i]->before = way == UP && i ? set[i - 1] : NULL;
	}
	for (unsigned i = 0; i < n; i++) {
		if (pthread_create(&thread[i], NULL, rebind, set[i]) != 0)
			exit(1);
		if (way == ONE)
			pthread_join(thread[i], NULL);
	}
	for (unsigned i = 0; way != ONE && i < n; i++)
		pthread_join(thread[i], NULL);
}

struct counts {
	unsigned changed[N_KINDS], crossed, again, lost, storms_changed, storms;
	int64_t ns, repaired_ns;
};

/* Returns how many VFs have another number, which go to 'wrong'. */
static unsigned compare(struct vf **set, unsigned n, struct counts *c, struct vf **wrong)
{
	bool changed[N_KINDS] = { false }, crossed = false;
	struct names now[MAX_PFS];
	unsigned n_wrong = 0;

	for (unsigned i = 0; i < n; i++) {
		bool other = false;

		now[i] = look(set[i]);
		for (int k = 0; k < N_KINDS; k++)
			if (strcmp(now[i].name[k], set[i]->own.name[k]) != 0) {
				changed[k] = true;
				other |= k == UVERBS || k == UMAD;
			}
		if (other)
			wrong[n_wrong++] = set[i];
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < i; j++)
			crossed |= (number_of(now[i].name[UVERBS]) <
				    number_of(now[j].name[UVERBS])) !=
				   (number_of(now[i].name[UMAD]) <
				    number_of(now[j].name[UMAD]));
	for (int k = 0; c && k < N_KINDS; k++)
		c->changed[k] += changed[k];
	if (c) {
		c->crossed += crossed;
		c->storms_changed += n_wrong > 0;
	}
	return n_wrong;
}

static void in_order(struct vf **set, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		unbind_it(set[i]);
	qsort(set, n, sizeof(*set), by_number);
	for (unsigned i = 0; i < n; i++)
		bind_it(set[i]);
}

static void all_anew(void)
{
	static struct vf *all[MAX_VFS];

	for (unsigned i = 0; i < n_pfs; i++)
		set_probe_ms(pf_vfs[i][0]->pf, 0);
	for (unsigned i = 0; i < n_vfs; i++)
		all[i] = &vfs[i];
	in_order(all, n_vfs);
	for (unsigned i = 0; i < n_vfs; i++)
		vfs[i].own = look(&vfs[i]);
}

static void storm(enum way way, long delay_ms, long jitter_ms, struct counts *c)
{
	struct vf *set[MAX_PFS] = { NULL }, *wrong[MAX_PFS];
	unsigned n_wrong;
	int64_t t0;

	for (unsigned i = 0; i < n_pfs; i++) {
		unsigned at = (unsigned)random() % (i + 1);

		set[i] = set[at];
		set[at] = pf_vfs[i][(unsigned)random() % n_of_pf[i]];
		set_probe_ms(set[at]->pf,
			     delay_ms - jitter_ms +
				     (jitter_ms ? random() % (2 * jitter_ms + 1) : 0));
	}
	if (way == UP)
		qsort(set, n_pfs, sizeof(*set), by_number);
	t0 = clock_boot_ns();
	overlap(set, n_pfs, way);
	c->ns += clock_boot_ns() - t0;
	n_wrong = compare(set, n_pfs, c, wrong);
	c->again += n_wrong;
	in_order(wrong, n_wrong);
	c->repaired_ns += clock_boot_ns() - t0;
	c->storms++;
	if (n_wrong && compare(set, n_pfs, NULL, wrong)) {
		c->lost++;
		all_anew();
	}
	for (unsigned i = 0; i < n_pfs; i++)
		set[i]->own = look(set[i]); /* names are put back by renaming */
}

static void take(const char *text)
{
	struct vf *vf = &vfs[n_vfs++];
	char physfn[PCI_STRLEN];
	unsigned i = 0;

	if (n_vfs > MAX_VFS || !pci_parse(text, &vf->addr) ||
	    !pci_link(&env, vf->addr, "physfn", physfn, sizeof(physfn)) ||
	    !pci_parse(physfn, &vf->pf)) {
		fprintf(stderr, "iboverlap: %s is no VF\n", text);
		exit(2);
	}
	while (i < n_pfs && pf_vfs[i][0]->pf != vf->pf)
		i++;
	if (i == MAX_PFS)
		exit(2);
	n_pfs += i == n_pfs;
	pf_vfs[i][n_of_pf[i]++] = vf;
	vf->own = look(vf);
}

static void print(enum way way, const struct counts *c)
{
	static const char *const name[N_WAYS] = { "one", "any", "up" };

	printf("%s: storms=%u changed=%u uverbs=%u umad=%u ibdev=%u link=%u crossed=%u"
	       " again=%u lost=%u ms=%" PRId64 " with_repair_ms=%" PRId64 "\n",
	       name[way], c->storms, c->storms_changed, c->changed[UVERBS],
	       c->changed[UMAD], c->changed[RDMA_NAME], c->changed[LINK_NAME], c->crossed,
	       c->again, c->lost, c->ns / c->storms / 1000000,
	       c->repaired_ns / c->storms / 1000000);
}

int main(int argc, char **argv)
{
	struct counts c[N_WAYS] = { 0 };
	long storms, delay_ms, jitter_ms;

	if (argc < 5)
		return 2;
	storms = strtol(argv[1], NULL, 10);
	delay_ms = strtol(argv[2], NULL, 10);
	jitter_ms = strtol(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++)
		take(argv[i]);
	all_anew();
	for (long i = 0; i < storms; i++)
		for (enum way way = 0; way < N_WAYS; way++)
			storm(way, delay_ms, jitter_ms, &c[way]);
	printf("%u VFs of %u PFs, a probe takes %ld ms, %ld more or less\n", n_vfs, n_pfs,
	       delay_ms, jitter_ms);
	for (enum way way = 0; storms > 0 && way < N_WAYS; way++)
		print(way, &c[way]);
	return 0;
}
