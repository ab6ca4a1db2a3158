/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/link_list.h"

#include <stdlib.h>
#include <string.h>

static int take(void *arg, const struct link *link, struct vfk_err *err)
{
	struct link_list *list = arg;

	if (!link) {
		list->n = 0;
		return 0;
	}
	if (strcmp(link->parent_bus, "pci"))
		return 0;
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		struct link *grown = realloc(list->link, cap * sizeof(*grown));

		if (!grown)
			return vfk_err_set(err, VFK_E_NOMEM, 0, "list the links");
		list->link = grown;
		list->cap = cap;
	}
	list->link[list->n++] = *link;
	return 0;
}

static int by_function(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return strcmp(x->parent_dev, y->parent_dev);
}

int link_list_read(struct vnl *nl, struct link_list *out, struct vfk_err *err)
{
	const struct link_walk walk = { take, out };
	int rc = link_each(nl, LINK_HERE, &walk, err);

	if (rc < 0) {
		out->n = 0;
		return rc;
	}
	if (out->n)
		qsort(out->link, out->n, sizeof(*out->link), by_function);
	return 0;
}

bool link_list_one(const struct link_list *list, pci_addr_t addr,
		   bool (*is)(const struct link *link, pci_addr_t addr), struct link *out)
{
	const struct link *found = NULL;
	char pci[PCI_STRLEN];
	size_t low = 0, high = list->n;

	pci_format(addr, pci);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(list->link[mid].parent_dev, pci) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < list->n && !strcmp(list->link[low].parent_dev, pci); low++) {
		if (!is(&list->link[low], addr))
			continue;
		if (found)
			return false;
		found = &list->link[low];
	}
	if (found)
		*out = *found;
	return found != NULL;
}

void link_list_free(struct link_list *list)
{
	free(list->link);
	*list = (struct link_list){ 0 };
}
