/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper-replay/apply.h"

#include <jansson.h>
#include <time.h>

#include "base/clock.h"
#include "io/ctl_client.h"
#include "io/engine_start.h"

#define PAUSE_MS 100

struct answer {
	bool discovered;
	int owed, under_way, faulted, vfs;
};

static int ask(struct ctl_client *c, int timeout_ms, struct answer *a, struct vfk_err *err)
{
	struct strbuf text = { 0 };
	int rc = ctl_ask(c, "replay-apply", NULL, 0, timeout_ms, &text, err);
	json_t *doc;
	int discovered;

	if (rc < 0) {
		strbuf_free(&text);
		return rc;
	}
	doc = text.data ? json_loadb(text.data, text.len, 0, NULL) : NULL;
	strbuf_free(&text);
	rc = json_unpack(doc, "{s:b,s:i,s:i,s:i,s:i}", "discovered", &discovered, "owed",
			 &a->owed, "under_way", &a->under_way, "faulted", &a->faulted,
			 "vfs", &a->vfs);
	json_decref(doc);
	if (rc < 0)
		return vfk_err_set(err, VFK_E_DECODE, 0,
				   "the engine's answer to replay-apply is not understood");
	a->discovered = discovered != 0;
	return 0;
}

static bool is_done(const struct answer *a)
{
	return a->discovered && a->owed == 0 && a->under_way == 0;
}

static void pause_ms(int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * NS_PER_MS };

	nanosleep(&ts, NULL);
}

/* An engine may give way to another one meanwhile: then the other one is asked. */
int apply(FILE *out, int timeout_ms, struct vfk_err *err)
{
	int64_t deadline = clock_boot_ns() + timeout_ms * NS_PER_MS;
	struct answer a = { .discovered = false };
	struct ctl_client *c = NULL;
	bool answered = false;
	int rc = 0;

	while (!is_done(&a)) {
		int left_ms = clock_left_ms(deadline);

		if (!left_ms)
			break;
		if (!c)
			rc = engine_connect(&c, left_ms, err);
		if (rc < 0)
			break;
		rc = ask(c, left_ms, &a, err);
		if (rc == -VFK_E_GONE) {
			ctl_close(c);
			c = NULL;
			rc = 0;
			continue;
		}
		if (rc < 0)
			break;
		answered = true;
		if (!is_done(&a))
			pause_ms(PAUSE_MS);
	}
	ctl_close(c);
	if (rc < 0)
		return rc;
	if (!answered)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0, "no engine answered in time");
	if (!is_done(&a))
		return vfk_err_set(err, VFK_E_BUSY, 0,
				   "still owed: %d leases, %d VFs under way%s; the engine "
				   "goes on (vfctl leases, vfctl list)",
				   a.owed, a.under_way,
				   a.discovered ? "" :
						  ", the devices are not all looked at");
	fprintf(out, "applied: %d VFs, nothing is owed", a.vfs);
	if (a.faulted)
		fprintf(out, ", %d faulted (vfctl list)", a.faulted);
	putc('\n', out);
	return 0;
}
