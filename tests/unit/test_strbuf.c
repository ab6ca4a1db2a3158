/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "base/strbuf.h"
#include "suite.h"

static void grows(void)
{
	struct strbuf s = { 0 };

	strbuf_adds(&s, "ab");
	strbuf_add(&s, "c\0d", 3);
	strbuf_addf(&s, "%s-%d", "e", 12);
	SUITE_INT(s.len, 9);
	CU_ASSERT(!memcmp(s.data, "abc\0de-12", 10));
	CU_ASSERT(!s.failed);
	strbuf_free(&s);
	CU_ASSERT(!s.data && !s.len && !s.cap && !s.failed);
}

/* Every length around the sizes at which it grows. */
static void ends_in_nul_at_every_length(void)
{
	for (size_t len = 0; len < 300; len++) {
		struct strbuf one = { 0 }, many = { 0 }, printed = { 0 };
		char text[301];

		memset(text, 'x', len);
		text[len] = '\0';
		strbuf_adds(&one, text);
		strbuf_addf(&printed, "%s", text);
		for (size_t i = 0; i < len; i++)
			strbuf_add(&many, "x", 1);
		SUITE_STR(one.data, text);
		SUITE_STR(printed.data, text);
		SUITE_STR(len ? many.data : "", text);
		SUITE_INT(one.len, len);
		strbuf_free(&one);
		strbuf_free(&many);
		strbuf_free(&printed);
	}
}

static void steals(void)
{
	struct strbuf s = { 0 };
	char *text;

	strbuf_adds(&s, "mine");
	text = strbuf_steal(&s);
	SUITE_STR(text, "mine");
	CU_ASSERT(!s.data && !s.len);
	free(text);
	text = strbuf_steal(&s);
	SUITE_STR(text, "");
	free(text);
}

static void remembers_a_failure(void)
{
	struct strbuf s = { 0 };

	strbuf_adds(&s, "kept");
	strbuf_add(&s, "x", SIZE_MAX / 2);
	CU_ASSERT(s.failed);
	strbuf_adds(&s, "more");
	strbuf_addf(&s, "%d", 5);
	SUITE_STR(s.data, "kept");
	CU_ASSERT(!strbuf_steal(&s));
	CU_ASSERT(!s.failed && !s.data);
}

VFK_SUITE(strbuf, { "collects bytes, strings and formatted text", grows },
	  { "ends in NUL at every length", ends_in_nul_at_every_length },
	  { "hands its text out and is empty then", steals },
	  { "remembers a failed allocation and does nothing more", remembers_a_failure })
