/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper-replay/record.h"

#include <stdlib.h>
#include <time.h>

#include "fsm/lease.h"
#include "fsm/vf.h"

int record_decode(struct record *out, const struct journal_record *raw, struct vfk_err *err)
{
	void *hold = NULL;
	int rc = 0;

	out->raw = raw;
	out->type = raw->type;
	switch (raw->type) {
	case REC_NODE:
		return codec_get_node(raw->payload, raw->len_bytes, &out->node, err);
	case REC_VF:
		return codec_get_vf(raw->payload, raw->len_bytes, &out->vf, err);
	case REC_LEASE:
		return codec_get_lease(raw->payload, raw->len_bytes, &out->lease, err);
	case REC_BLOB:
		rc = codec_get_blob(raw->payload, raw->len_bytes, &out->blob, &hold, err);
		out->blob.bytes = NULL;
		free(hold);
	}
	return rc;
}

const char *record_type_name(uint16_t type)
{
	switch (type) {
	case REC_NODE:
		return "node";
	case REC_VF:
		return "vf";
	case REC_LEASE:
		return "lease";
	case REC_BLOB:
		return "blob";
	}
	return "unknown";
}

const char *record_time(int64_t wall_ns, char buf[RECORD_TIME_LEN])
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	size_t n = 0;
	struct tm tm;

	if (wall_ns > 0 && gmtime_r(&seconds, &tm))
		n = strftime(buf, RECORD_TIME_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (n)
		snprintf(buf + n, RECORD_TIME_LEN - n, ".%09uZ",
			 (unsigned)(wall_ns % NS_PER_S));
	else
		snprintf(buf, RECORD_TIME_LEN, "-");
	return buf;
}

/* Texts in records come from callers: nothing in them may touch the terminal. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			putc(c, out);
	}
}

static void put_field(FILE *out, const char *name, const char *text)
{
	if (!text[0])
		return;
	fprintf(out, " %s", name);
	put_text(out, text);
}

static void line_head(FILE *out, const struct journal_record *raw)
{
	fprintf(out, "%8llu %u:%08llx %s%-5s", (unsigned long long)raw->seq, raw->file,
		(unsigned long long)raw->offset - (JOURNAL_RECORD_BYTES(0)),
		raw->in_snapshot ? "s " : "  ", record_type_name(raw->type));
}

static void line_meta(FILE *out, const struct rec_meta *meta)
{
	char when[RECORD_TIME_LEN];

	fprintf(out, " %s %s", record_time(meta->wall_ns, when),
		cause_kind_name(meta->cause));
	if (meta->cause_text[0]) {
		fputs(" \"", out);
		put_text(out, meta->cause_text);
		putc('"', out);
	}
}

static void line_owner(FILE *out, const struct attachment *owner, const struct pod_ref *pod)
{
	if (!attachment_none(owner)) {
		put_field(out, "network=", owner->network);
		put_field(out, "container=", owner->container);
		put_field(out, "ifname=", owner->ifname);
	}
	if (pod->name[0]) {
		put_field(out, "pod=", pod->ns);
		putc('/', out);
		put_text(out, pod->name);
	}
}

static void line_vf(FILE *out, const struct rec_vf *r)
{
	char addr[PCI_STRLEN];

	fprintf(out, " %s ", pci_format(r->addr, addr));
	/* A VF to which nothing happened yet has no transition. */
	if (r->event)
		fprintf(out, "%s -%s-> ", vf_state_name(r->from), vf_event_name(r->event));
	fprintf(out, "%s%s", vf_state_name(r->state), r->foreign ? " (foreign)" : "");
	line_meta(out, &r->meta);
	line_owner(out, &r->owner, &r->pod);
	if (r->begun)
		fprintf(out, " begun=0x%x done=0x%x", r->begun, r->done);
	put_field(out, "reason=", r->reason);
}

static void line_lease(FILE *out, const struct rec_lease *r)
{
	char addr[PCI_STRLEN];

	fprintf(out, " %llu %s -%s-> %s", (unsigned long long)r->id,
		lease_state_name(r->from), lease_event_name(r->event),
		lease_state_name(r->state));
	line_meta(out, &r->meta);
	put_field(out, "plugin=", r->plugin);
	if (r->vf != PCI_NONE)
		fprintf(out, " vf=%s", pci_format(r->vf, addr));
	line_owner(out, &r->owner, &r->pod);
	if (r->attempts)
		fprintf(out, " attempts=%u", r->attempts);
	put_field(out, "error=", r->last_error);
}

void record_line(FILE *out, const struct record *rec)
{
	line_head(out, rec->raw);
	switch (rec->type) {
	case REC_NODE:
		fprintf(out, " next_lease=%llu",
			(unsigned long long)rec->node.next_lease_id);
		put_field(out, "version=", rec->node.version);
		if (rec->node.records_missing)
			put_field(out, "records may be missing: ",
				  rec->node.missing_reason[0] ? rec->node.missing_reason :
								"no reason is known");
		line_meta(out, &rec->node.meta);
		break;
	case REC_VF:
		line_vf(out, &rec->vf);
		break;
	case REC_LEASE:
		line_lease(out, &rec->lease);
		break;
	case REC_BLOB:
		fprintf(out, " %llu of %zu bytes", (unsigned long long)rec->blob.id,
			rec->blob.len_bytes);
		break;
	default:
		fprintf(out, " type=%u bytes=%zu", rec->type, rec->raw->len_bytes);
	}
	putc('\n', out);
}

void record_line_bad(FILE *out, const struct journal_record *raw, const char *why)
{
	line_head(out, raw);
	fprintf(out, " %s\n", why);
}
