/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Every errno that a Linux system call of ours can return.  musl has no strerrorname_np,
 * and the client is built with musl. */
#define ERRNO_NAMES(X)                                                                   \
	X(EPERM) X(ENOENT) X(ESRCH) X(EINTR) X(EIO) X(ENXIO) X(E2BIG) X(ENOEXEC)         \
	X(EBADF) X(ECHILD) X(EAGAIN) X(ENOMEM) X(EACCES) X(EFAULT) X(ENOTBLK) X(EBUSY)   \
	X(EEXIST) X(EXDEV) X(ENODEV) X(ENOTDIR) X(EISDIR) X(EINVAL) X(ENFILE) X(EMFILE)  \
	X(ENOTTY) X(ETXTBSY) X(EFBIG) X(ENOSPC) X(ESPIPE) X(EROFS) X(EMLINK) X(EPIPE)    \
	X(EDOM) X(ERANGE) X(EDEADLK) X(ENAMETOOLONG) X(ENOLCK) X(ENOSYS) X(ENOTEMPTY)    \
	X(ELOOP) X(ENOMSG) X(EIDRM) X(ENODATA) X(ETIME) X(ENOLINK) X(EPROTO)             \
	X(EBADMSG) X(EOVERFLOW) X(ENOTUNIQ) X(EBADFD) X(EREMCHG) X(EILSEQ) X(ERESTART)   \
	X(EUSERS) X(ENOTSOCK) X(EDESTADDRREQ) X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT)   \
	X(EPROTONOSUPPORT) X(ESOCKTNOSUPPORT) X(EOPNOTSUPP) X(EPFNOSUPPORT)              \
	X(EAFNOSUPPORT) X(EADDRINUSE) X(EADDRNOTAVAIL) X(ENETDOWN) X(ENETUNREACH)        \
	X(ENETRESET) X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(EISCONN) X(ENOTCONN)     \
	X(ESHUTDOWN) X(ETOOMANYREFS) X(ETIMEDOUT) X(ECONNREFUSED) X(EHOSTDOWN)           \
	X(EHOSTUNREACH) X(EALREADY) X(EINPROGRESS) X(ESTALE) X(EUCLEAN) X(EREMOTEIO)     \
	X(EDQUOT) X(ENOMEDIUM) X(EMEDIUMTYPE) X(ECANCELED) X(EOWNERDEAD)                 \
	X(ENOTRECOVERABLE) X(ERFKILL) X(EHWPOISON)

const char *vfk_errno_name(int sys)
{
	switch (sys) {
#define X(name)                                                                          \
	case name:                                                                       \
		return #name;
		ERRNO_NAMES(X)
#undef X
	}
	return "errno";
}

/* A message is one line: whatever came in with an argument must not break it. */
static void keep_one_line(char *msg)
{
	for (; *msg; msg++)
		if ((unsigned char)*msg < ' ' || *msg == 0x7f)
			*msg = ' ';
}

/* Appends as much of 'text' as fits. */
static void append(char *msg, size_t cap_bytes, const char *text)
{
	size_t at = strlen(msg), n = strlen(text);

	if (n > cap_bytes - 1 - at)
		n = cap_bytes - 1 - at;
	memcpy(msg + at, text, n);
	msg[at + n] = '\0';
}

int vfk_err_set(struct vfk_err *err, enum vfk_err_kind kind, int sys, const char *fmt, ...)
{
	char msg[sizeof(err->msg)]; /* apart: an argument may be err->msg itself */
	va_list ap;

	if (!err)
		return -(int)kind;
	va_start(ap, fmt);
	if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0)
		msg[0] = '\0';
	va_end(ap);
	if (sys) {
		append(msg, sizeof(msg), ": ");
		append(msg, sizeof(msg), vfk_errno_name(sys));
	}
	keep_one_line(msg);
	memcpy(err->msg, msg, sizeof(msg));
	err->kind = kind;
	err->sys = sys;
	return -(int)kind;
}

int vfk_err_wrap(struct vfk_err *err, const char *fmt, ...)
{
	char msg[sizeof(err->msg)];
	va_list ap;

	if (!err)
		return -(int)VFK_E_INTERNAL;
	va_start(ap, fmt);
	if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0)
		msg[0] = '\0';
	va_end(ap);
	append(msg, sizeof(msg), ": ");
	append(msg, sizeof(msg), err->msg);
	keep_one_line(msg);
	memcpy(err->msg, msg, sizeof(msg));
	return -(int)err->kind;
}

static const struct kind_row {
	enum vfk_err_kind kind;
	const char *text;
	int exit_code, cni_code;
} kinds[] = {
#define X(name, value, text, exit_code, cni_code) { name, text, exit_code, cni_code },
	VFK_ERR_KINDS(X)
#undef X
};

/* A kind may have come over the control socket: any number is allowed. */
static const struct kind_row *find(enum vfk_err_kind kind)
{
	for (size_t i = 0; i < VFK_ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return &kinds[i];
	return NULL;
}

const char *vfk_err_kind_text(enum vfk_err_kind kind)
{
	const struct kind_row *row = find(kind);

	return row ? row->text : "unknown error";
}

int vfk_err_exit_code(enum vfk_err_kind kind)
{
	const struct kind_row *row = find(kind);

	return row ? row->exit_code : 1;
}

int vfk_err_cni_code(enum vfk_err_kind kind)
{
	const struct kind_row *row = find(kind);

	return row ? row->cni_code : 999;
}
