/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper-replay/progress.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"

void progress_begin(struct progress *p, FILE *out, int64_t now_ns)
{
	memset(p, 0, sizeof(*p));
	p->out = out;
	p->terminal = isatty(fileno(out));
	p->next_ns = now_ns + NS_PER_S;
}

void progress_record(struct progress *p, uint64_t bytes, int64_t now_ns)
{
	p->n++;
	p->bytes += bytes;
	if (now_ns < p->next_ns)
		return;
	p->next_ns = now_ns + NS_PER_S;
	p->spoken = true;
	fprintf(p->out, "%svfkeeper-replay: %llu records, %.1f MB read%s",
		p->terminal ? "\r" : "", (unsigned long long)p->n, (double)p->bytes / 1e6,
		p->terminal ? "" : "\n");
	fflush(p->out);
}

void progress_end(struct progress *p)
{
	if (p->spoken && p->terminal)
		putc('\n', p->out);
}
