/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>

#include "base/err.h"
#include "suite.h"

static void sets_everything(void)
{
	struct vfk_err err = { 0 };

	SUITE_INT(vfk_err_set(&err, VFK_E_CONFIG, 0, "line %d: %s", 7, "unknown key"), -4);
	SUITE_INT(err.kind, VFK_E_CONFIG);
	SUITE_INT(err.sys, 0);
	SUITE_STR(err.msg, "line 7: unknown key");
}

static void names_errno(void)
{
	struct vfk_err err = { 0 };

	SUITE_INT(vfk_err_set(&err, VFK_E_SYS, ENOENT, "open %s", "/x"), -1);
	SUITE_INT(err.sys, ENOENT);
	SUITE_STR(err.msg, "open /x: ENOENT");
	SUITE_INT(vfk_err_set(&err, VFK_E_SYS, 4321, "open"), -1);
	SUITE_STR(err.msg, "open: errno");
}

static void wraps(void)
{
	struct vfk_err err = { 0 };

	vfk_err_set(&err, VFK_E_BUSY, EAGAIN, "lock");
	SUITE_INT(vfk_err_wrap(&err, "start %s", "engine"), -6);
	SUITE_STR(err.msg, "start engine: lock: EAGAIN");
	SUITE_INT(err.kind, VFK_E_BUSY);
	SUITE_INT(err.sys, EAGAIN);
}

/* What stood there before, or on the stack, goes nowhere with it. */
static void fills_the_rest(void)
{
	struct vfk_err err;
	unsigned n_odd = 0;

	memset(&err, 0xee, sizeof(err));
	vfk_err_set(&err, VFK_E_BUSY, 0, "%0400d", 1);
	vfk_err_set(&err, VFK_E_BUSY, 0, "short");
	vfk_err_wrap(&err, "a");
	for (size_t i = strlen(err.msg); i < sizeof(err.msg); i++)
		n_odd += err.msg[i] != 0;
	SUITE_INT(n_odd, 0);
}

static void drops_without_place(void)
{
	SUITE_INT(vfk_err_set(NULL, VFK_E_TORN, 0, "x"), -8);
	CU_ASSERT(vfk_err_wrap(NULL, "x") < 0);
}

static void keeps_to_one_line(void)
{
	struct vfk_err err = { 0 };

	vfk_err_set(&err, VFK_E_IPAM, 0, "said: %s",
		    "a\nb\tc\x7f"
		    "d");
	SUITE_STR(err.msg, "said: a b c d");
	vfk_err_wrap(&err, "one\ntwo");
	SUITE_STR(err.msg, "one two: said: a b c d");
}

static void cuts_what_is_too_long(void)
{
	struct vfk_err err = { 0 };
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	vfk_err_set(&err, VFK_E_SYS, EIO, "%s", text);
	SUITE_INT(strlen(err.msg), sizeof(err.msg) - 1);
	SUITE_INT(err.sys, EIO);
	vfk_err_wrap(&err, "prefix");
	SUITE_INT(strlen(err.msg), sizeof(err.msg) - 1);
	CU_ASSERT(!strncmp(err.msg, "prefix: xxx", 11));
}

static void takes_its_own_message(void)
{
	struct vfk_err err = { 0 };

	vfk_err_set(&err, VFK_E_SYS, 0, "inner");
	vfk_err_set(&err, VFK_E_IPAM, 0, "outer %s outer", err.msg);
	SUITE_STR(err.msg, "outer inner outer");
}

static void maps_every_kind(void)
{
#define X(name, value, text, exit_code, cni_code)                                        \
	SUITE_INT(name, value);                                                          \
	SUITE_STR(vfk_err_kind_text(name), text);                                        \
	SUITE_INT(vfk_err_exit_code(name), exit_code);                                   \
	SUITE_INT(vfk_err_cni_code(name), cni_code);
	VFK_ERR_KINDS(X)
#undef X
	SUITE_STR(vfk_err_kind_text((enum vfk_err_kind)99), "unknown error");
	SUITE_INT(vfk_err_exit_code((enum vfk_err_kind)99), 1);
	SUITE_INT(vfk_err_cni_code((enum vfk_err_kind)99), 999);
}

/* Kinds travel and texts are shown: neither a number nor a text may stand twice. */
static void tells_kinds_apart(void)
{
	for (int a = 1; a < 20; a++)
		for (int b = 1; b < a; b++)
			CU_ASSERT(strcmp(vfk_err_kind_text((enum vfk_err_kind)a),
					 vfk_err_kind_text((enum vfk_err_kind)b)) != 0);
}

/* Those of STREAMS, shared libraries, XENIX and keys, which no call of ours returns. */
static bool is_foreign(const char *name)
{
	static const char foreign[] =
		" ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR "
		"EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENOSR ENONET ENOPKG EREMOTE "
		"EADV ESRMNT ECOMM EMULTIHOP EDOTDOT ELIBACC ELIBBAD ELIBSCN ELIBMAX "
		"ELIBEXEC ESTRPIPE ENOTNAM ENAVAIL EISNAM ENOKEY EKEYEXPIRED EKEYREVOKED "
		"EKEYREJECTED ";
	char word[32];

	snprintf(word, sizeof(word), " %s ", name);
	return strstr(foreign, word) != NULL;
}

static void knows_every_errno(void)
{
	for (int sys = 1; sys < 134; sys++) {
		const char *theirs = strerrorname_np(sys);

		if (!theirs || is_foreign(theirs))
			continue;
		if (!strcmp(theirs, "ENOTSUP"))
			theirs = "EOPNOTSUPP";
		SUITE_STR(vfk_errno_name(sys), theirs);
	}
	SUITE_STR(vfk_errno_name(EOPNOTSUPP), "EOPNOTSUPP");
	SUITE_STR(vfk_errno_name(0), "errno");
}

VFK_SUITE(err, { "sets kind, errno and message", sets_everything },
	  { "ends a message in the name of errno", names_errno },
	  { "puts a prefix before the message and keeps the rest", wraps },
	  { "leaves nothing behind the message", fills_the_rest },
	  { "drops an error that nobody wants", drops_without_place },
	  { "keeps a message to one line", keeps_to_one_line },
	  { "cuts a message that is too long at its end", cuts_what_is_too_long },
	  { "may be given its own message as an argument", takes_its_own_message },
	  { "maps every kind to text, exit code and CNI code", maps_every_kind },
	  { "has a text of its own for every kind", tells_kinds_apart },
	  { "names errnos as the C library does", knows_every_errno })
