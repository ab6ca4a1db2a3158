/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/clock.h"
#include "suite.h"
#include "vfkeeper-replay/progress.h"

static void speaks_once_a_second(void)
{
	FILE *f = tmpfile();
	struct progress p;
	char text[400];
	size_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	progress_begin(&p, f, 10 * NS_PER_S);
	for (int i = 0; i < 35; i++) /* 3.5 seconds, 10 records in each */
		progress_record(&p, 1000000, 10 * NS_PER_S + (i + 1) * NS_PER_S / 10);
	progress_end(&p);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	SUITE_STR(text, "vfkeeper-replay: 10 records, 10.0 MB read\n"
			"vfkeeper-replay: 20 records, 20.0 MB read\n"
			"vfkeeper-replay: 30 records, 30.0 MB read\n");
	fclose(f);
}

static void short_work_is_silent(void)
{
	FILE *f = tmpfile();
	struct progress p;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	progress_begin(&p, f, 10 * NS_PER_S);
	progress_record(&p, 1000000, 11 * NS_PER_S - 1);
	progress_end(&p);
	SUITE_INT(ftell(f), 0);
	fclose(f);
}

VFK_SUITE(progress, { "long work is told once a second", speaks_once_a_second },
	  { "short work is not", short_work_is_silent })
