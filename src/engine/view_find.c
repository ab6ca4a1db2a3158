/* SPDX-License-Identifier: Apache-2.0 */
/* All the ways to name a VF. */
#include "engine/view.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CID_PREFIX_MIN 6

/* Collects who fits, without counting one twice. */
struct hits {
	const struct vf *first;
	size_t n;
	char names[200]; /* the first few, for the error */
};

static void hit(struct hits *h, const struct vf *vf)
{
	size_t len = strlen(h->names);
	char addr[PCI_STRLEN];

	if (h->n == 0)
		h->first = vf;
	if (h->n < 6)
		snprintf(h->names + len, sizeof(h->names) - len, "%s%s", h->n ? ", " : "",
			 pci_format(vf->rec.addr, addr));
	else if (h->n == 6)
		snprintf(h->names + len, sizeof(h->names) - len, ", ...");
	h->n++;
}

/* Hex digits in groups of two with or without colons, exactly 'n_octets' of them. */
static bool parse_octets(const char *text, size_t n_octets, uint64_t *out)
{
	bool colons = strchr(text, ':') != NULL;

	*out = 0;
	for (size_t i = 0; i < n_octets; i++) {
		char pair[3] = { 0 };

		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return false;
		memcpy(pair, text, 2);
		*out = *out << 8 | strtoul(pair, NULL, 16);
		text += 2;
		if (colons && i + 1 < n_octets && *text++ != ':')
			return false;
	}
	return *text == '\0';
}

static bool settings_have(const struct vf_settings *set, bool is_guid, uint64_t value)
{
	uint64_t mac = 0;

	if (is_guid)
		return ((set->has & HAS_NODE_GUID) && set->node_guid == value) ||
		       ((set->has & HAS_PORT_GUID) && set->port_guid == value);
	for (int i = 0; i < 6; i++)
		mac = mac << 8 | set->mac[i];
	return (set->has & HAS_MAC) && mac == value;
}

static void find_hardware(const struct node *node, const char *word, struct hits *hits)
{
	const char *digits = strncmp(word, "0x", 2) ? word : word + 2;
	uint64_t value;
	bool is_guid = parse_octets(digits, 8, &value);

	if (!is_guid && !parse_octets(digits, 6, &value))
		return;
	for (size_t i = 0; i < node->n_vfs; i++) {
		const struct rec_vf *rec = &node->vfs[i]->rec;

		/* One that is not there answers to nothing. */
		if (rec->state != VF_ABSENT &&
		    (settings_have(&rec->baseline.set, is_guid, value) ||
		     settings_have(&rec->wanted, is_guid, value)))
			hit(hits, node->vfs[i]);
	}
}

static void find_device(const struct node *node, const char *word, struct hits *hits)
{
	for (size_t i = 0; i < node->n_vfs; i++) {
		const struct vf_baseline *b = &node->vfs[i]->rec.baseline;

		if ((b->ifname[0] && !strcmp(b->ifname, word)) ||
		    (b->rdma_dev[0] && !strcmp(b->rdma_dev, word)))
			hit(hits, node->vfs[i]);
	}
}

/* "PF/index": true if 'word' is of that form with a PF that we know. */
static bool find_index(const struct node *node, const char *word, struct hits *hits)
{
	const char *slash = strrchr(word, '/');
	char pf_word[64], *end;
	pci_addr_t pf = PCI_NONE;
	unsigned long index;

	if (!slash || !isdigit((unsigned char)slash[1]) ||
	    (size_t)(slash - word) >= sizeof(pf_word))
		return false;
	errno = 0;
	index = strtoul(slash + 1, &end, 10);
	if (errno || *end || index > UINT16_MAX)
		return false;
	snprintf(pf_word, sizeof(pf_word), "%.*s", (int)(slash - word), word);
	if (!pci_parse(pf_word, &pf)) {
		for (size_t i = 0; i < node->n_pfs; i++) {
			if (!strcmp(node->pfs[i].ifname, pf_word))
				pf = node->pfs[i].addr;
		}
		if (pf == PCI_NONE)
			return false;
	}
	for (size_t i = 0; i < node->n_vfs; i++) {
		if (node->vfs[i]->rec.pf == pf && node->vfs[i]->rec.index == index)
			hit(hits, node->vfs[i]);
	}
	return true;
}

static bool is_pod(const struct rec_vf *rec, const char *word)
{
	size_t ns_len = strlen(rec->pod.ns);

	return rec->pod.name[0] && !strncmp(rec->pod.ns, word, ns_len) &&
	       word[ns_len] == '/' && !strcmp(rec->pod.name, word + ns_len + 1);
}

/* 'exact': the whole container ID, else a beginning of it. */
static bool is_owner(const struct rec_vf *rec, const char *word, bool exact)
{
	const char *slash = strrchr(word, '/');
	size_t len = slash ? (size_t)(slash - word) : 0;

	if (!slash || attachment_none(&rec->owner) || strcmp(rec->owner.ifname, slash + 1))
		return false;
	if (exact)
		return strlen(rec->owner.container) == len &&
		       !memcmp(rec->owner.container, word, len);
	return len >= CID_PREFIX_MIN && !strncmp(rec->owner.container, word, len);
}

static void find_owner(const struct node *node, const char *word, struct hits *hits)
{
	for (int exact = 1; exact >= 0 && hits->n == 0; exact--) {
		for (size_t i = 0; i < node->n_vfs; i++) {
			if (is_owner(&node->vfs[i]->rec, word, exact))
				hit(hits, node->vfs[i]);
		}
	}
}

bool view_names_owner(const struct rec_vf *rec, const char *const *words, unsigned n_words)
{
	if (n_words == 2)
		return !strcmp(words[0], "pod") && is_pod(rec, words[1]);
	return n_words == 1 && is_owner(rec, words[0], false);
}

int view_find(const struct node *node, const char *const *words, unsigned n_words,
	      const struct vf **out, struct vfk_err *err)
{
	bool by_pod = n_words == 2 && !strcmp(words[0], "pod");
	struct hits hits = { 0 };
	const char *word;
	pci_addr_t addr;

	if (n_words < 1 || n_words > 2 || (n_words == 2 && !by_pod))
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "a VF is named by one word or by 'pod NAMESPACE/NAME'");
	word = words[n_words - 1];
	if (by_pod) {
		if (!strchr(word, '/'))
			return vfk_err_set(err, VFK_E_USAGE, 0,
					   "a pod is named NAMESPACE/NAME, not '%.100s'",
					   word);
		for (size_t i = 0; i < node->n_vfs; i++) {
			if (is_pod(&node->vfs[i]->rec, word))
				hit(&hits, node->vfs[i]);
		}
	} else if (pci_parse(word, &addr)) {
		const struct vf *vf = node_vf(node, addr);

		if (vf)
			hit(&hits, vf);
	} else if (!find_index(node, word, &hits)) {
		if (strchr(word, '/'))
			find_owner(node, word, &hits);
		else
			find_device(node, word, &hits);
		if (hits.n == 0)
			find_hardware(node, word, &hits);
	}
	if (hits.n == 0 && by_pod)
		return vfk_err_set(err, VFK_E_NOTFOUND, 0,
				   "no VF is attached to pod %.300s", word);
	if (hits.n == 0)
		return vfk_err_set(err, VFK_E_NOTFOUND, 0,
				   "no VF is called '%.200s' (a PCI address, PF/index, netdev, "
				   "GUID, CID/IFNAME or 'pod NAMESPACE/NAME' is)",
				   word);
	if (hits.n > 1)
		return vfk_err_set(err, VFK_E_USAGE, 0, "'%.100s' names %zu VFs: %s",
				   word, hits.n, hits.names);
	*out = hits.first;
	return 0;
}
