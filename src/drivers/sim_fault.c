/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/sim.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define FAULTS_MAX_BYTES 65536
#define MAX_MS (24ul * 3600 * 1000)

/* One line, taken apart in place. */
struct line {
	char op[24], target[40];
	struct sim_fault fault;
	bool counted;
	unsigned long count;
	size_t digits_at, n_digits; /* of 'count' in the line */
};

static const char *const looks[] = { "discover", "observe", "identify" };

static bool known_op(const char *op)
{
	if (!strcmp(op, "*"))
		return true;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(looks); i++)
		if (!strcmp(op, looks[i]))
			return true;
	for (unsigned bit = 0; bit < 32; bit++)
		if (strcmp(drv_step_name(bit), "?") && !strcmp(op, drv_step_name(bit)))
			return true;
	return false;
}

static int errno_number(const char *name)
{
	for (int sys = 1; sys < 200; sys++)
		if (!strcmp(vfk_errno_name(sys), name))
			return sys;
	return 0;
}

static int milliseconds(const char *text, uint64_t *out)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || errno || *end || n > MAX_MS)
		return -1;
	*out = n;
	return 0;
}

/* One "key=value" at 'word' of the line that began at 'start'. */
static int take_word(struct line *l, const char *start, const char *word, size_t len,
		     struct vfk_err *err)
{
	char text[64];
	const char *value;
	char *end;
	bool ok = false;

	snprintf(text, sizeof(text), "%.*s", (int)(len < 63 ? len : 63), word);
	value = strchr(text, '=');
	value = value ? value + 1 : "";
	if (!strncmp(text, "latency_ms=", 11)) {
		ok = !milliseconds(value, &l->fault.latency_ms);
	} else if (!strncmp(text, "hang_ms=", 8)) {
		ok = !milliseconds(value, &l->fault.hang_ms);
	} else if (!strncmp(text, "stuck_ms=", 9)) {
		ok = !milliseconds(value, &l->fault.stuck_ms);
	} else if (!strncmp(text, "errno=", 6)) {
		l->fault.sys = errno_number(value);
		ok = l->fault.sys != 0;
	} else if (!strncmp(text, "count=", 6)) {
		l->counted = true;
		l->digits_at = (size_t)(word - start) + 6;
		l->n_digits = len - 6;
		l->count = strtoul(value, &end, 10);
		ok = isdigit((unsigned char)value[0]) && !*end && l->n_digits < 10;
	}
	if (!ok)
		return vfk_err_set(err, VFK_E_CONFIG, 0, "\"%s\" is no fault", text);
	return 0;
}

/* Takes the line of 'len' bytes apart.  Returns 1, or 0 for an empty line or a comment. */
static int parse_line(const char *text, size_t len, struct line *l, struct vfk_err *err)
{
	unsigned n_words = 0;
	size_t at = 0;
	int rc;

	memset(l, 0, sizeof(*l));
	while (at < len) {
		size_t n = 0;

		while (at < len && isspace((unsigned char)text[at]))
			at++;
		while (at + n < len && !isspace((unsigned char)text[at + n]))
			n++;
		if (!n || (!n_words && text[at] == '#'))
			break;
		if (n_words == 0)
			snprintf(l->op, sizeof(l->op), "%.*s", (int)n, text + at);
		else if (n_words == 1)
			snprintf(l->target, sizeof(l->target), "%.*s", (int)n, text + at);
		else if ((rc = take_word(l, text, text + at, n, err)) < 0)
			return rc;
		n_words++;
		at += n;
	}
	if (!n_words)
		return 0;
	if (!known_op(l->op))
		return vfk_err_set(err, VFK_E_CONFIG, 0, "\"%s\" is no step", l->op);
	if (n_words < 3)
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "not of the form: STEP VF|PF|* KEY=VALUE ...");
	return 1;
}

int sim_fault_check(const char *line, bool fixed, struct vfk_err *err)
{
	struct line l;
	int rc = parse_line(line, strlen(line), &l, err);

	if (rc == 0)
		return vfk_err_set(err, VFK_E_CONFIG, 0, "empty");
	if (rc > 0 && fixed && l.counted)
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "count= works in the file of faults only");
	return rc < 0 ? rc : 0;
}

static bool concerns(const struct line *l, const char *op, const struct sim_vf *vf)
{
	char pf[PCI_STRLEN];
	struct sim_names names;

	if (strcmp(l->op, "*") && strcmp(l->op, op))
		return false;
	if (!strcmp(l->target, "*"))
		return true;
	if (!vf)
		return false;
	sim_names_of(vf, &names);
	return !strcmp(l->target, vf->pci) || !strcmp(l->target, names.vf) ||
	       !strcmp(l->target, vf->pf->name) ||
	       !strcmp(l->target, pci_format(vf->pf->addr, pf));
}

static void add_up(struct sim_fault *sum, const struct sim_fault *f)
{
	sum->latency_ms += f->latency_ms;
	sum->hang_ms += f->hang_ms;
	sum->stuck_ms += f->stuck_ms;
	if (!sum->sys)
		sum->sys = f->sys;
}

/* One less, in place and with as many digits: one small write, so that whoever reads the
 * file meanwhile sees the old or the new number. */
static int count_down(int fd, off_t at, const struct line *l)
{
	char digits[12];

	snprintf(digits, sizeof(digits), "%0*lu", (int)l->n_digits, l->count - 1);
	return pwrite(fd, digits, l->n_digits, at) == (ssize_t)l->n_digits ? 0 : -1;
}

static int scan(const char *path, int fd, const char *buf, size_t len, const char *op,
		const struct sim_vf *vf, struct sim_fault *out, struct vfk_err *err)
{
	unsigned number = 1;

	for (size_t at = 0; at < len; number++) {
		const char *end = memchr(buf + at, '\n', len - at);
		size_t n = end ? (size_t)(end - (buf + at)) : len - at;
		struct line l;
		int rc = parse_line(buf + at, n, &l, err);

		if (rc < 0)
			return vfk_err_wrap(err, "%s:%u", path, number);
		if (rc > 0 && (!l.counted || l.count) && concerns(&l, op, vf)) {
			if (l.counted && count_down(fd, (off_t)(at + l.digits_at), &l))
				return vfk_err_set(err, VFK_E_SYS, errno,
						   "%s:%u: count down", path, number);
			add_up(out, &l.fault);
		}
		at += n + 1;
	}
	return 0;
}

static int from_file(const char *path, const char *op, const struct sim_vf *vf,
		     struct sim_fault *out, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int fd = open(path, O_RDWR | O_CLOEXEC);
	VFK_AUTO(free_auto) char *buf = NULL;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return 0; /* no faults at present */
	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
	/* Counting down in several workers at once; ends with the descriptor. */
	if (flock(fd, LOCK_EX))
		return vfk_err_set(err, VFK_E_SYS, errno, "lock %s", path);
	buf = malloc(FAULTS_MAX_BYTES);
	if (!buf)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "read %s", path);
	n = pread(fd, buf, FAULTS_MAX_BYTES, 0);
	if (n < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "read %s", path);
	if (n == FAULTS_MAX_BYTES)
		return vfk_err_set(err, VFK_E_CONFIG, 0, "%s: longer than %d bytes", path,
				   FAULTS_MAX_BYTES - 1);
	return scan(path, fd, buf, (size_t)n, op, vf, out, err);
}

int sim_fault_get(const struct sim_conf *conf, const char *op, const struct sim_vf *vf,
		  struct sim_fault *out, struct vfk_err *err)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < conf->n_fixed; i++) {
		struct line l;

		if (conf->fixed[i].pf != PCI_NONE &&
		    (!vf || vf->pf->addr != conf->fixed[i].pf))
			continue;
		if (parse_line(conf->fixed[i].text, strlen(conf->fixed[i].text), &l, err) >
			    0 &&
		    concerns(&l, op, vf))
			add_up(out, &l.fault);
	}
	return conf->faults[0] ? from_file(conf->faults, op, vf, out, err) : 0;
}

static void sleep_ns(int64_t ns)
{
	struct timespec left = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

int sim_fault_meet(const struct sim_fault *f, int64_t deadline_boot_ns, struct vfk_err *err)
{
	int64_t wait = (int64_t)f->latency_ms * NS_PER_MS;
	int64_t room = deadline_boot_ns - clock_boot_ns();

	if (f->latency_ms) {
		bool late = deadline_boot_ns && wait > room;

		if (late)
			wait = room > 0 ? room : 0;
		sleep_ns(wait);
		if (late)
			return vfk_err_set(err, VFK_E_TIMEOUT, 0,
					   "the deadline passed (simulated latency of %llu ms)",
					   (unsigned long long)f->latency_ms);
	}
	if (f->hang_ms)
		sleep_ns((int64_t)f->hang_ms * NS_PER_MS);
	if (f->sys)
		return vfk_err_set(err, VFK_E_KERNEL, f->sys, "simulated fault");
	return 0;
}
