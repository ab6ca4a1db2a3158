/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a unit test binary: VFK_SUITE makes its main().
 *
 *	static void counts(void)
 *	{
 *		CU_ASSERT_EQUAL(count("ab"), 2);
 *	}
 *
 *	VFK_SUITE(counter, { "counts what it is given", counts }, ...)
 *
 * Each case prints one line "PASS: counter: counts what it is given", or FAIL with the
 * failed assertions above it (a case that asserts nothing fails), or SKIP with the reason.
 * Exit status: 0, 1 if a case failed, 77 if all were skipped.  An argument runs
 * only the cases whose sentence contains it. */
#ifndef VFK_TESTS_SUITE_H
#define VFK_TESTS_SUITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>

struct suite_case {
	const char *sentence;
	void (*fn)(void);
};

static struct {
	const char *name;
	unsigned n_passed, n_failed, n_skipped;
	char skip[256];
} suite_now;

#define VFK_SUITE(name, ...)                                                             \
	int main(int argc, char **argv)                                                  \
	{                                                                                \
		static const struct suite_case cases[] = { __VA_ARGS__ };                \
		return suite_main(#name, cases, sizeof(cases) / sizeof(cases[0]), argc,  \
				  argv);                                                 \
	}

/* Ends a case as skipped: 'return SUITE_SKIP("needs root");' */
#define SUITE_SKIP(...)                                                                  \
	((void)snprintf(suite_now.skip, sizeof(suite_now.skip), __VA_ARGS__))

/* Compares two strings and prints both if they differ. */
#define SUITE_STR(actual, expected)                                                      \
	suite_str((actual), (expected), #actual, __FILE__, __LINE__)
/* Likewise for integers. */
#define SUITE_INT(actual, expected)                                                      \
	suite_int((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)

static inline void suite_str(const char *actual, const char *expected, const char *what,
			     const char *file, unsigned line)
{
	char text[1400];
	int same = actual && expected ? !strcmp(actual, expected) : actual == expected;

	snprintf(text, sizeof(text), "%s is \"%.600s\", expected \"%.600s\"", what,
		 actual ? actual : "(null)", expected ? expected : "(null)");
	CU_assertImplementation(same ? CU_TRUE : CU_FALSE, line, text, file, "", CU_FALSE);
}

static inline void suite_int(long long actual, long long expected, const char *what,
			     const char *file, unsigned line)
{
	char text[400];

	snprintf(text, sizeof(text), "%s is %lld, expected %lld", what, actual, expected);
	CU_assertImplementation(actual == expected ? CU_TRUE : CU_FALSE, line, text, file,
				"", CU_FALSE);
}

static inline void suite_case_done(const CU_pTest test, const CU_pSuite suite,
				   const CU_pFailureRecord failures)
{
	static unsigned n_asserts_before;
	unsigned n_asserts = CU_get_number_of_asserts();
	const char *verdict = "PASS", *reason = "";

	(void)suite;
	for (const CU_FailureRecord *f = failures; f; f = f->pNext)
		printf("%s:%u: %s\n", f->strFileName ? f->strFileName : "?",
		       f->uiLineNumber, f->strCondition ? f->strCondition : "?");
	if (failures) {
		verdict = "FAIL";
		suite_now.n_failed++;
	} else if (suite_now.skip[0]) {
		verdict = "SKIP";
		reason = suite_now.skip;
		suite_now.n_skipped++;
	} else if (n_asserts == n_asserts_before) {
		printf("it has asserted nothing\n");
		verdict = "FAIL";
		suite_now.n_failed++;
	} else {
		suite_now.n_passed++;
	}
	n_asserts_before = n_asserts;
	printf("%s: %s: %s%s%s\n", verdict, suite_now.name, test->pName,
	       *reason ? ": " : "", reason);
	/* A case that forks must not print this a second time. */
	fflush(stdout);
	suite_now.skip[0] = '\0';
}

static inline int suite_main(const char *name, const struct suite_case *cases,
			     size_t n_cases, int argc, char **argv)
{
	CU_pSuite suite;

	suite_now.name = name;
	if (CU_initialize_registry() != CUE_SUCCESS ||
	    !(suite = CU_add_suite(name, NULL, NULL))) {
		printf("FAIL: %s: %s\n", name, CU_get_error_msg());
		return 1;
	}
	for (size_t i = 0; i < n_cases; i++) {
		if (argc > 1 && !strstr(cases[i].sentence, argv[1]))
			continue;
		if (!CU_add_test(suite, cases[i].sentence, cases[i].fn)) {
			printf("FAIL: %s: %s\n", name, CU_get_error_msg());
			return 1;
		}
	}
	CU_set_test_complete_handler(suite_case_done);
	fflush(stdout);
	CU_run_all_tests();
	CU_cleanup_registry();
	if (suite_now.n_passed + suite_now.n_failed + suite_now.n_skipped == 0) {
		printf("FAIL: %s: no case was run\n", name);
		return 1;
	}
	if (suite_now.n_failed)
		return 1;
	return suite_now.n_passed ? 0 : 77;
}

#endif
