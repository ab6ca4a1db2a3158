/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of the CNI specification that are spoken. */
#include <string.h>

#include "cni/cni-internal.h"

#define SUPPORTED(X)                                                                     \
	X(CNI_0_1_0, "0.1.0")                                                            \
	X(CNI_0_2_0, "0.2.0")                                                            \
	X(CNI_0_3_0, "0.3.0")                                                            \
	X(CNI_0_3_1, "0.3.1")                                                            \
	X(CNI_0_4_0, "0.4.0")                                                            \
	X(CNI_1_0_0, "1.0.0")                                                            \
	X(CNI_1_1_0, "1.1.0")

const char *cni_spec_name(enum cni_spec spec)
{
	switch (spec) {
#define X(value, name)                                                                   \
	case value:                                                                      \
		return name;
		SUPPORTED(X)
#undef X
	}
	return "?";
}

enum cni_spec cni_spec_parse(const char *name)
{
#define X(value, text)                                                                   \
	if (!strcmp(name, text))                                                         \
		return value;
	SUPPORTED(X)
#undef X
	return (enum cni_spec)0;
}
