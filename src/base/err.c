/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Every errno that a Linux system call of ours can return.  musl has no
 * strerrorname_np, and the client is built with musl. */
#define N(name)                                                                          \
	{                                                                                \
		name, #name                                                              \
	}
static const struct errno_row {
	int sys;
	const char *name;
} errno_names[] = {
	N(EPERM),	    N(ENOENT),	     N(ESRCH),
	N(EINTR),	    N(EIO),	     N(ENXIO),
	N(E2BIG),	    N(ENOEXEC),	     N(EBADF),
	N(ECHILD),	    N(EAGAIN),	     N(ENOMEM),
	N(EACCES),	    N(EFAULT),	     N(ENOTBLK),
	N(EBUSY),	    N(EEXIST),	     N(EXDEV),
	N(ENODEV),	    N(ENOTDIR),	     N(EISDIR),
	N(EINVAL),	    N(ENFILE),	     N(EMFILE),
	N(ENOTTY),	    N(ETXTBSY),	     N(EFBIG),
	N(ENOSPC),	    N(ESPIPE),	     N(EROFS),
	N(EMLINK),	    N(EPIPE),	     N(EDOM),
	N(ERANGE),	    N(EDEADLK),	     N(ENAMETOOLONG),
	N(ENOLCK),	    N(ENOSYS),	     N(ENOTEMPTY),
	N(ELOOP),	    N(ENOMSG),	     N(EIDRM),
	N(ENODATA),	    N(ETIME),	     N(ENOLINK),
	N(EPROTO),	    N(EBADMSG),	     N(EOVERFLOW),
	N(ENOTUNIQ),	    N(EBADFD),	     N(EREMCHG),
	N(EILSEQ),	    N(ERESTART),     N(EUSERS),
	N(ENOTSOCK),	    N(EDESTADDRREQ), N(EMSGSIZE),
	N(EPROTOTYPE),	    N(ENOPROTOOPT),  N(EPROTONOSUPPORT),
	N(ESOCKTNOSUPPORT), N(EOPNOTSUPP),   N(EPFNOSUPPORT),
	N(EAFNOSUPPORT),    N(EADDRINUSE),   N(EADDRNOTAVAIL),
	N(ENETDOWN),	    N(ENETUNREACH),  N(ENETRESET),
	N(ECONNABORTED),    N(ECONNRESET),   N(ENOBUFS),
	N(EISCONN),	    N(ENOTCONN),     N(ESHUTDOWN),
	N(ETOOMANYREFS),    N(ETIMEDOUT),    N(ECONNREFUSED),
	N(EHOSTDOWN),	    N(EHOSTUNREACH), N(EALREADY),
	N(EINPROGRESS),	    N(ESTALE),	     N(EUCLEAN),
	N(EREMOTEIO),	    N(EDQUOT),	     N(ENOMEDIUM),
	N(EMEDIUMTYPE),	    N(ECANCELED),    N(EOWNERDEAD),
	N(ENOTRECOVERABLE), N(ERFKILL),	     N(EHWPOISON),
};
#undef N

const char *vfk_errno_name(int sys)
{
	for (size_t i = 0; i < VFK_ARRAY_SIZE(errno_names); i++)
		if (errno_names[i].sys == sys)
			return errno_names[i].name;
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
	/* Apart: an argument may be err->msg itself.  Filled: errors are sent as they are. */
	char msg[sizeof(err->msg)] = { 0 };
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
	char msg[sizeof(err->msg)] = { 0 };
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
