/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a kind, an errno and one line for a person, in a buffer that the caller owns.
 * Layer: base. */
#ifndef VFK_BASE_ERR_H
#define VFK_BASE_ERR_H

#include "base/attr.h"

/* X(name, value, text, exit code of the tools, CNI error code).  Values are stable:
 * they travel on the control socket. */
#define VFK_ERR_KINDS(X)                                                                 \
	X(VFK_E_SYS, 1, "system call failed", 1, 5)                                      \
	X(VFK_E_KERNEL, 2, "kernel refused", 1, 999)                                     \
	X(VFK_E_USAGE, 3, "wrong usage", 2, 4)                                           \
	X(VFK_E_CONFIG, 4, "invalid configuration", 1, 7)                                \
	X(VFK_E_DECODE, 5, "cannot decode", 1, 6)                                        \
	X(VFK_E_BUSY, 6, "busy, try again later", 5, 11)                                 \
	X(VFK_E_TIMEOUT, 7, "deadline passed", 5, 11)                                    \
	X(VFK_E_TORN, 8, "torn tail", 3, 999)                                            \
	X(VFK_E_CORRUPT, 9, "journal is damaged", 4, 999)                                \
	X(VFK_E_VERSION, 10, "unknown version", 4, 1)                                    \
	X(VFK_E_LIMIT, 11, "limit reached", 1, 7)                                        \
	X(VFK_E_NOTFOUND, 12, "no such object", 1, 7)                                    \
	X(VFK_E_UNSUPPORTED, 13, "not supported", 1, 2)                                  \
	X(VFK_E_GONE, 14, "object is gone", 1, 11)                                       \
	X(VFK_E_IPAM, 15, "IPAM plugin failed", 1, 999)                                  \
	X(VFK_E_NETNS, 16, "invalid network namespace", 1, 8)                            \
	X(VFK_E_EXISTS, 17, "exists already", 1, 999)                                    \
	X(VFK_E_NOMEM, 18, "out of memory", 1, 11)                                       \
	X(VFK_E_INTERNAL, 19, "internal error", 1, 999)

enum vfk_err_kind {
#define X(name, value, text, exit_code, cni_code) name = (value),
	VFK_ERR_KINDS(X)
#undef X
};

struct vfk_err {
	enum vfk_err_kind kind;
	int sys;       /* errno, or 0 */
	char msg[480]; /* one line, no newline, cut at the end if longer */
};

/* Sets 'err' (NULL allowed: dropped) and returns -kind.  'sys' != 0 appends
 * ": <errno name>"; never the text of strerror, because callers of a CNI plugin take
 * "not found" and "no such file or directory" in an error for success (CNI DEL). */
int vfk_err_set(struct vfk_err *err, enum vfk_err_kind kind, int sys, const char *fmt, ...)
	VFK_PRINTF(4, 5);
/* Puts "prefix: " before the message and returns -kind unchanged. */
int vfk_err_wrap(struct vfk_err *err, const char *fmt, ...) VFK_PRINTF(2, 3);

const char *vfk_err_kind_text(enum vfk_err_kind kind); /* "unknown error" if unknown */
int vfk_err_exit_code(enum vfk_err_kind kind);
int vfk_err_cni_code(enum vfk_err_kind kind);
const char *vfk_errno_name(int sys); /* "ENOENT"; "errno" for an unknown number */

#endif
