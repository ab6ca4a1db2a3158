/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept, or not made at all, to be fast hides from a sanitizer who uses what he has let go
 * of. */
#ifndef VFK_TESTS_SIM_MEMO_H
#define VFK_TESTS_SIM_MEMO_H

#ifdef __SANITIZE_ADDRESS__
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

#endif
