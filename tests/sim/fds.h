/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of the simulated world: numbers that mean something here and nothing to the
 * real kernel.  The engine closes and duplicates them like any other; the simulator is
 * linked so that close(2) and fcntl(2) come here (sim.am). */
#ifndef VFK_TESTS_SIM_FDS_H
#define VFK_TESTS_SIM_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fd_kind {
	FD_NONE,
	FD_BYTES, /* a memfd */
	FD_NETNS, /* 'number' is its place in the kernel's table; pins it */
	FD_BYTE,  /* 'inflight' with byte 'number' locked: held while any copy is open */
	FD_FILE	  /* journal file 'number' */
};

/* Who has a descriptor open: what dies with a process dies by its owner. */
#define OWNER_ENGINE 1
#define OWNER_WORKER(i) (100u + (unsigned)(i))
#define OWNER_CALLER(i) (1000u + (unsigned)(i))

void fds_reset(void);
int fd_bytes(unsigned owner, const void *bytes, size_t len);
int fd_netns(unsigned owner, unsigned ns);
int fd_byte(unsigned owner, uint64_t byte); /* -1: it is held */
int fd_file(unsigned owner, unsigned file);
int fd_pass(int fd, unsigned owner); /* a copy in another process; -1 for -1 */
void fd_shut(int fd);
void fds_shut_all(unsigned owner); /* the process is gone */
unsigned fds_open(unsigned owner); /* how many it has */

enum fd_kind fd_kind_of(int fd);
uint64_t fd_number(int fd);
const char *fd_text(int fd, size_t *len); /* a NUL follows */
bool fd_append(int fd, const void *bytes, size_t len);
bool fd_byte_held(uint64_t byte);

#endif
