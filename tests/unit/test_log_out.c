/* SPDX-License-Identifier: Apache-2.0 */
#include "io/log_out.h"
#include "suite.h"

static void lines_become_json(void)
{
	struct strbuf out = { 0 };

	log_out_json(&out, LOG_LV_NOTICE,
		     "notice engine vf=0000:3b:00.4 to=FREE cause=\"a \\\"b\\\" to=X\"",
		     1500000123456789);
	SUITE_STR(out.data,
		  "{\"time\":\"1970-01-18T08:40:00.123456Z\",\"level\":\"notice\","
		  "\"module\":\"engine\",\"vf\":\"0000:3b:00.4\",\"to\":\"FREE\","
		  "\"cause\":\"a \\\"b\\\" to=X\"}");
	strbuf_free(&out);
	log_out_json(&out, LOG_LV_WARN, "warn spool x\xff y: k=v", 0);
	SUITE_STR(out.data, "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"warn\","
			    "\"module\":\"spool\",\"msg\":\"x? y: k=v\"}");
	strbuf_free(&out);
}

static void lines_become_native(void)
{
	struct strbuf out = { 0 };

	log_out_native(&out, "vfkeeperd", LOG_LV_WARN,
		       "warn engine vf=1 pod=\"a b\" it failed");
	SUITE_STR(out.data, "MESSAGE=warn engine vf=1 pod=\"a b\" it failed\nPRIORITY=4\n"
			    "SYSLOG_IDENTIFIER=vfkeeperd\nVFKEEPER_MODULE=engine\n"
			    "VFKEEPER_VF=1\nVFKEEPER_POD=a b\n");
	strbuf_free(&out);
}

VFK_SUITE(log_out, { "a line becomes a JSON object", lines_become_json },
	  { "a line becomes what the journal service takes", lines_become_native })
