/* SPDX-License-Identifier: Apache-2.0 */
/* A journal of well-formed files and records whose story makes no sense: the input is a
 * program that begins files, appends records, repeats, skips and tears them, with right
 * checksums and lengths, so that what is behind the checksums is reached.  Read by the
 * journal and by the engine's node; what was opened once is read again as it was. */
#include "fuzz.h"

#include <string.h>

#include "base/log.h"
#include "engine/node.h"
#include "engine/view.h"
#include "io/codec.h"
#include "io/journal-internal.h"
#define MEM_FILE_MAX (48 * 1024) /* small ones are made faster */
#include "mem_disk.h"

const char fuzz_name[] = "fuzz_records";

#define SIZE (48 * 1024)
#define NOW (INT64_C(1800000000) * NS_PER_S)

/* --- the program --- */

struct program {
	const uint8_t *at, *end;
};

static unsigned byte(struct program *p)
{
	return p->at < p->end ? *p->at++ : 0;
}

static unsigned word(struct program *p)
{
	unsigned low = byte(p);

	return low | byte(p) << 8;
}

struct writer {
	struct mem_disk *mem;
	struct program p;
	unsigned file;
	uint64_t off, seq, generation, number, durable;
	bool twice; /* records of one generation may stand where no writer puts them */
};

/* A writer never uses one again: this is the n-th. */
static uint64_t generation_of(uint64_t n)
{
	return 0x1000000 + n;
}

/* Writes a record where the program is; false if the file is full. */
static bool put(struct writer *w, uint16_t type, uint16_t flags, const void *payload,
		size_t len)
{
	struct jr_header h = { .len = (uint32_t)len,
			       .type = type,
			       .flags = flags,
			       .seq = w->seq,
			       .generation = w->generation,
			       .durable_upto = w->durable };

	if (w->off + jr_bytes(len) > SIZE)
		return false;
	jr_encode(w->mem->files[w->file].now + w->off, &h, payload);
	w->off += jr_bytes(len);
	w->seq++;
	return true;
}

static void make_vf(struct program *p, struct strbuf *out)
{
	struct rec_vf rec = { .addr = 0x3b01 + byte(p) % 4, .pf = 0x3b00, .nsid = -1 };
	unsigned who = byte(p);

	snprintf(rec.driver, sizeof(rec.driver), "sim");
	rec.state = (uint8_t)(byte(p) % 9);
	rec.from = (uint8_t)(byte(p) % 9);
	rec.event = (uint8_t)(byte(p) % 32);
	if (who % 4) {
		snprintf(rec.owner.container, sizeof(rec.owner.container), "c%u", who % 4);
		snprintf(rec.owner.ifname, sizeof(rec.owner.ifname), "net1");
		snprintf(rec.pod.name, sizeof(rec.pod.name), "pod%u", who % 4);
	}
	rec.plan = (uint8_t)(byte(p) % 4);
	rec.begun = word(p);
	rec.done = word(p);
	rec.incarnation = byte(p);
	rec.lease_id = byte(p) % 5;
	rec.request_blob = byte(p) % 5;
	rec.result_blob = byte(p) % 5;
	rec.meta.wall_ns = (int64_t)word(p) * NS_PER_S;
	codec_put_vf(out, &rec);
}

static void make_lease(struct program *p, struct strbuf *out)
{
	struct rec_lease rec = { .id = byte(p) % 5, .vf = 0x3b01 + byte(p) % 4 };
	unsigned who = byte(p);

	rec.state = (uint8_t)(byte(p) % 6);
	rec.from = (uint8_t)(byte(p) % 6);
	rec.event = (uint8_t)(byte(p) % 16);
	rec.request_blob = byte(p) % 5;
	snprintf(rec.owner.container, sizeof(rec.owner.container), "c%u", who % 4);
	snprintf(rec.plugin, sizeof(rec.plugin), "host-local");
	codec_put_lease(out, &rec);
}

static void make_payload(struct program *p, unsigned type, struct strbuf *out)
{
	struct rec_node node = { .version = "0.1.0" };
	struct rec_blob blob;
	size_t len;

	switch (type) {
	case REC_NODE:
		node.records_missing = byte(p) % 2;
		node.next_lease_id = byte(p);
		codec_put_node(out, &node);
		break;
	case REC_VF:
		make_vf(p, out);
		break;
	case REC_LEASE:
		make_lease(p, out);
		break;
	case REC_BLOB:
		blob.id = byte(p) % 5;
		len = byte(p) * 8;
		if (len > (size_t)(p->end - p->at))
			len = (size_t)(p->end - p->at);
		blob.bytes = p->at;
		blob.len_bytes = len;
		codec_put_blob(out, &blob);
		p->at += len;
		break;
	default: /* anything */
		len = byte(p);
		if (len > (size_t)(p->end - p->at))
			len = (size_t)(p->end - p->at);
		strbuf_add(out, p->at, len);
		p->at += len;
		break;
	}
	FUZZ_HOLDS(!out->failed);
}

static void put_made(struct writer *w, uint16_t flags)
{
	unsigned kind = byte(&w->p);
	struct strbuf out = { 0 };

	/* Mostly what the type says; sometimes any bytes under any type. */
	make_payload(&w->p, kind % 6, &out);
	put(w, (uint16_t)(kind & 0x80 ? kind % 7 : kind % 6), flags,
	    out.data ? out.data : "", out.len);
	strbuf_free(&out);
}

static void begin_file(struct writer *w)
{
	unsigned lie = byte(&w->p), n_records = byte(&w->p) % 8, count = 0;
	struct jf_header h = { .version = JF_VERSION, .previous = w->generation };
	uint8_t mark[JR_MARK_LEN];
	uint64_t end, first, last;
	struct mem_file *f;

	w->file = byte(&w->p) % JOURNAL_FILES;
	f = &w->mem->files[w->file];
	f->exists = true;
	f->size = SIZE;
	h.number = ++w->number;
	h.generation = w->generation = generation_of(w->number);
	h.first_seq = first = w->seq;
	if ((lie & 1) && h.number > 2) /* 0 has nothing behind it */
		h.number -= byte(&w->p) % 3;
	if (lie & 2)
		h.first_seq += byte(&w->p) % 3;
	if (lie & 4)
		h.version += byte(&w->p) % 2;
	jf_encode(f->now, &h);
	w->off = JF_DATA + JR_MARK_BYTES;
	w->seq++;
	for (unsigned i = 0; i < n_records && w->off < SIZE / 2; i++, count++)
		put_made(w, JR_FLAG_SNAPSHOT);
	jr_put_mark(mark, count + (lie & 8 ? 1 : 0), w->off - JF_DATA - JR_MARK_BYTES);
	if (!(lie & 16))
		put(w, JR_TYPE_END, 0, mark, sizeof(mark));
	end = w->off;
	last = w->seq;
	w->off = JF_DATA;
	w->seq = first;
	if (!(lie & 32))
		put(w, JR_TYPE_BEGIN, 0, mark, sizeof(mark));
	w->off = end;
	w->seq = last;
}

static void damage(struct writer *w, unsigned how)
{
	struct mem_file *f = &w->mem->files[byte(&w->p) % JOURNAL_FILES], *g;
	unsigned at = word(&w->p) % SIZE, len = 1 + word(&w->p) % 2048;

	if (at + len > SIZE)
		len = SIZE - at;
	switch (how % 4) {
	case 0:
		f->now[at] ^= (uint8_t)(1u << len % 8);
		break;
	case 1:
		memset(f->now + at, 0, len);
		break;
	case 2: /* what stood elsewhere */
		w->twice = true;
		g = &w->mem->files[byte(&w->p) % JOURNAL_FILES];
		memmove(f->now + at, g->now + at, len);
		break;
	default:
		f->exists = len % 2;
		if (!f->exists) {
			f->size = 0;
			memset(f->now, 0, SIZE);
		}
	}
}

static void step(struct writer *w)
{
	unsigned op = byte(&w->p);
	uint64_t seq = w->seq, durable = w->durable, generation = w->generation;

	/* Nothing stands in a file that was never begun. */
	switch (w->number ? op % 8 : 0) {
	case 0:
		begin_file(w);
		return;
	case 1:
	case 2:
	case 3:
		put_made(w, 0);
		return;
	case 4: /* says what is on the disk */
		w->durable = w->seq > 1 ? w->seq - 1 - byte(&w->p) % 3 : 0;
		if (w->durable >= w->seq)
			w->durable = 0;
		return;
	case 5: /* one record with another number, generation or claim */
		w->seq += byte(&w->p) % 5 - UINT64_C(2);
		if (op & 8)
			w->generation = generation_of(byte(&w->p) % 8);
		w->twice = true;
		if (op & 16)
			w->durable = w->seq + byte(&w->p) % 4 - UINT64_C(2);
		put_made(w, op & 32 ? JR_FLAG_SNAPSHOT : 0);
		w->generation = generation;
		w->durable = durable;
		w->seq = op & 64 ? seq : w->seq;
		return;
	case 6: /* a hole */
		w->off += 8 * (byte(&w->p) % 32);
		return;
	default:
		damage(w, op / 8);
	}
}

/* --- what is read --- */

static void quiet(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static int count_record(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	(void)err;
	FUZZ_HOLDS(rec->len_bytes <= JOURNAL_PAYLOAD_MAX && rec->file < JOURNAL_FILES);
	++*(unsigned *)arg;
	return 0;
}

static uint64_t next_generation(void *arg)
{
	static uint64_t n;

	(void)arg;
	return 0x2000000 + ++n;
}

static int open_node(struct mem_disk *mem, struct node *node, struct journal **j,
		     struct journal_status *st, struct vfk_err *err)
{
	struct disk disk = mem_as_disk(mem);
	struct journal_cfg cfg = { .disk = &disk,
				   .min_size = SIZE,
				   .snapshot = node_snapshot,
				   .arg = node,
				   .random = next_generation };
	int rc;

	node_init(node);
	rc = journal_open(j, &cfg, node_replay, st, err);
	node_settle(node);
	return rc;
}

/* Everything that anybody is shown of the node, and the bytes of its blobs. */
static void show(const struct node *node, const struct journal *j, struct strbuf *out)
{
	static const struct view_status status = {
		.mode = "service", .version = "1", .boot_id = "b", .journal = "clean"
	};
	static const char *const commands[] = { "list", "leases", "status" };
	struct view view = { .node = node, .status = &status, .wall_ns = NOW, .boot_ns = NOW };
	struct vfk_err err = { 0 };
	char *json = NULL;

	for (unsigned i = 0; i < 3; i++) {
		struct ctl_request rq = { .version = CTL_VERSION };

		snprintf(rq.command, sizeof(rq.command), "%s", commands[i]);
		FUZZ_HOLDS(view_command(&view, &rq, &json, &err) == 0);
		strbuf_adds(out, json);
		free(json);
	}
	for (size_t i = 0; i < node->n_vfs; i++) {
		FUZZ_HOLDS(view_dump(view_show(&view, node->vfs[i]), &json, &err) == 0);
		strbuf_adds(out, json);
		free(json);
	}
	for (size_t i = 0; i < node->n_blobs; i++) {
		const struct blob *b = node->blobs[i];
		size_t len = 0;
		char *bytes = node_blob_get(node, j, b->id, &len, &err);

		if (!bytes) /* lost with a damaged file: the next reader misses it */
			continue;
		FUZZ_HOLDS(len == b->len_bytes);
		strbuf_addf(out, "blob %llu %zu ", (unsigned long long)b->id, len);
		strbuf_add(out, bytes, len);
		free(bytes);
	}
	FUZZ_HOLDS(!out->failed);
}

/* Opened, it says what it is and takes records; opened again, it says the same. */
static void check_open(struct mem_disk *mem, bool twice)
{
	static struct node first, second;
	struct strbuf before = { 0 }, after = { 0 };
	struct journal_status st = { 0 }, st2 = { 0 };
	struct rec_vf rec = { .addr = 0x3b09, .driver = "sim", .state = VF_FREE };
	struct strbuf buf = { 0 };
	struct journal *j = NULL;
	struct vfk_err err = { 0 };
	struct vf *vf;
	uint64_t seq;

	if (open_node(mem, &first, &j, &st, &err) < 0) {
		FUZZ_HOLDS(!j && err.msg[0] && !strchr(err.msg, '\n'));
		/* Records with the right checksum that cannot be taken apart, or another
		 * version: nothing else keeps a journal from being opened. */
		FUZZ_HOLDS(err.kind == VFK_E_DECODE || err.kind == VFK_E_VERSION);
		node_fini(&first);
		return;
	}
	FUZZ_HOLDS(st.verdict != JOURNAL_UNKNOWN && st.durable_upto <= journal_last(j));
	codec_put_vf(&buf, &rec);
	FUZZ_HOLDS(journal_append(j, REC_VF, buf.data, buf.len, &seq, &err) == 0);
	strbuf_free(&buf);
	vf = node_vf_add(&first, rec.addr);
	FUZZ_HOLDS(vf && seq > st.durable_upto);
	vf->rec = rec;
	vf->fsm.state = VF_FREE;
	show(&first, j, &before);
	journal_close(j);
	node_fini(&first);

	FUZZ_HOLDS(open_node(mem, &second, &j, &st2, &err) == 0);
	if (twice && st2.verdict != JOURNAL_CLEAN) { /* one of those was in the way */
		journal_close(j);
		node_fini(&second);
		strbuf_free(&before);
		return;
	}
	FUZZ_HOLDS(st2.verdict == JOURNAL_CLEAN || st2.verdict == JOURNAL_TORN);
	FUZZ_HOLDS(st2.last_seq >= seq && second.last_seq == seq);
	show(&second, j, &after);
	FUZZ_HOLDS(before.len == after.len && !memcmp(before.data, after.data, after.len));
	/* By hand, into the next file. */
	FUZZ_HOLDS(journal_begin(j, &err) == 0);
	strbuf_free(&after);
	show(&second, j, &after);
	FUZZ_HOLDS(before.len == after.len && !memcmp(before.data, after.data, after.len));
	journal_close(j);
	node_fini(&second);
	strbuf_free(&before);
	strbuf_free(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct mem_disk mem;
	struct writer w = { .mem = &mem,
			    .p = { data, data + len },
			    .seq = 1,
			    .generation = generation_of(0),
			    .off = JF_DATA };
	struct journal_status st = { 0 };
	struct vfk_err err = { 0 };
	struct disk disk;
	unsigned n_read = 0;
	uint64_t durable;
	int rc;

	log_set_sink(quiet);
	mem_init(&mem);
	for (unsigned f = 0; f < JOURNAL_FILES; f++) {
		mem.files[f].exists = true;
		mem.files[f].size = SIZE;
		jf_encode(mem.files[f].now, &(struct jf_header){ .version = JF_VERSION });
	}
	durable = byte(&w.p) % 16;
	for (unsigned i = 0; i < 200 && w.p.at < w.p.end; i++)
		step(&w);
	disk = mem_as_disk(&mem);
	rc = journal_read(&disk, durable, true, count_record, &n_read, &st, &err);
	FUZZ_HOLDS(rc == 0 || (err.msg[0] && !strchr(err.msg, '\n')));
	FUZZ_HOLDS((st.verdict == JOURNAL_CLEAN || st.verdict == JOURNAL_EMPTY) ==
		   !st.what[0]);
	check_open(&mem, w.twice);
	mem_fini(&mem);
	return 0;
}

/* Begin, some records of each kind, begin again, and each way to spoil it. */
size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	static const uint8_t ends[][8] = { { 0 },
					   { 4, 0, 1 },
					   { 5, 3, 1, 2, 3, 4 },
					   { 7, 0, 16, 16, 8 },
					   { 7 + 8, 1, 0, 16, 64 },
					   { 7 + 24, 2, 0, 0, 1 },
					   { 13, 2, 3, 2, 1 },
					   { 6, 3, 1, 2 } };
	uint8_t *at = out;

	if (n >= sizeof(ends) / sizeof(ends[0]))
		return 0;
	*at++ = 0;
	for (unsigned file = 0; file < 1 + n % 3; file++) {
		static const uint8_t begin[] = { 0, 0, 2 }; /* no lie, two records */
		static const uint8_t blob[] = { 4, 1,	1,   'e', 'n', 'v',
						0, 'c', 'o', 'n', 'f' };
		static const uint8_t vf[] = { 2, 1, 1, 3, 2, 2, 1, 3, 0,
					      1, 0, 7, 1, 1, 0, 9, 9 };
		static const uint8_t lease[] = { 3, 1, 1, 1, 2, 1, 2, 1 };
		static const uint8_t node[] = { 1, 0, 3 };

		memcpy(at, begin, sizeof(begin));
		at += sizeof(begin);
		*at++ = (uint8_t)file;
		memcpy(at, node, sizeof(node));
		at += sizeof(node);
		memcpy(at, blob, sizeof(blob));
		at += sizeof(blob);
		*at++ = 1;
		memcpy(at, vf, sizeof(vf));
		at += sizeof(vf);
		*at++ = 1;
		memcpy(at, lease, sizeof(lease));
		at += sizeof(lease);
	}
	memcpy(at, ends[n], sizeof(ends[n]));
	return (size_t)(at - out) + sizeof(ends[n]);
}
