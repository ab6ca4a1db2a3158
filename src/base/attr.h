/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes and scope-bound cleanup.  Layer: base. */
#ifndef VFK_BASE_ATTR_H
#define VFK_BASE_ATTR_H

#include <stdlib.h>
#include <unistd.h>

#define VFK_MUST_CHECK __attribute__((warn_unused_result))
#define VFK_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define VFK_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Guards a local: 'fn' gets its address when the scope ends.  Initialise every guarded
 * variable where it is declared; hand its value out with VFK_STEAL or fd_steal. */
#define VFK_AUTO(fn) __attribute__((cleanup(fn)))
#define VFK_STEAL(p)                                                                     \
	({                                                                               \
		__typeof__(p) vfk_stolen_ = (p);                                         \
		(p) = NULL;                                                              \
		vfk_stolen_;                                                             \
	})

static inline void free_auto(void *p)
{
	free(*(void **)p);
}

static inline void fd_auto(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline int fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif
