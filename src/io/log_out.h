/* SPDX-License-Identifier: Apache-2.0 */
/* Where log lines go and how they look: text or JSON, to standard error or to the journal
 * service's own socket, with the fields of the line as fields.  Layer: io. */
#ifndef VFK_IO_LOG_OUT_H
#define VFK_IO_LOG_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/strbuf.h"

enum log_format { LOG_TEXT, LOG_JSON };
/* AUTO: the journal service if standard error is connected to it. */
enum log_target { LOG_AUTO, LOG_STDERR, LOG_JOURNAL };

bool log_target_parse(const char *name, enum log_target *out);

/* From now on; may be called again.  'identifier' is a literal.  What the journal service does
 * not take at once goes to standard error: nobody waits for it. */
void log_out_set(const char *identifier, enum log_format format, enum log_target target);

/* A line of log_at as a JSON object without newline: "time", "level", "module", the fields at
 * its beginning by their names, and the rest as "msg". */
void log_out_json(struct strbuf *out, enum log_level level, const char *line,
		  int64_t wall_ns);
/* The same as the journal service's native protocol: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER,
 * VFKEEPER_MODULE and VFKEEPER_<FIELD>. */
void log_out_native(struct strbuf *out, const char *identifier, enum log_level level,
		    const char *line);

#endif
