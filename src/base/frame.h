/* SPDX-License-Identifier: Apache-2.0 */
/* The client protocol: what vfkeeper and an engine say to each other on cni.sock, and the
 * layout of a spool entry.  Layer: base (the client links nothing else).
 *
 * SOCK_SEQPACKET, one request per connection, one frame per packet, host byte order, each
 * beginning with struct frame_hdr.  Descriptors travel by SCM_RIGHTS with the frame that
 * names them; a truncated control message is an error, never "no descriptor".
 *
 *   client                                engine
 *     REQUEST {stdin, env[, netns]}  ──▶
 *                                    ◀──  RUN {inflight[, stdin, env]}   0 or more times
 *     RAN {stdout}                   ──▶
 *                                    ◀──  CANCEL                         ends a RUN early
 *                                    ◀──  ANSWER                         last, then close
 *                                    ◀──  VERSION                        instead: not spoken
 *
 * A client reconnects (same nonce) on end of file, reset, refused and EAGAIN, and then
 * sends REQUEST again; where a plugin had ended meanwhile, RAN follows at once (R9). */
#ifndef VFK_BASE_FRAME_H
#define VFK_BASE_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

#define FRAME_MAGIC 0x314b4656u /* "VFK1" */
#define FRAME_VERSION 1		/* an engine serves this one and the one before (R16) */
#define FRAME_VERSION_MIN 1
#define FRAME_MAX (128 * 1024)
#define FRAME_MAX_FDS 3

#define STDIN_MAX (16u * 1024 * 1024) /* larger input is refused by the client, code 5 */
#define ENV_MAX (1024u * 1024)
#define ANSWER_MAX (120 * 1024)

enum frame_type {
	FRAME_REQUEST = 1,
	FRAME_RUN = 2,
	FRAME_RAN = 3,
	FRAME_CANCEL = 4,
	FRAME_ANSWER = 5,
	FRAME_VERSION_IS = 6
};

/* IMPORT is no verb of CNI: vfctl asks with it that an engine take over what another plugin
 * attached.  'stdin' is that plugin's file. */
enum cni_verb {
	CNI_ADD = 1,
	CNI_DEL,
	CNI_CHECK,
	CNI_GC,
	CNI_STATUS,
	CNI_VERSION,
	CNI_IMPORT
};

enum cni_dialect { DIALECT_VFKEEPER = 1, DIALECT_IB_SRIOV, DIALECT_SRIOV };

struct frame_hdr {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint32_t len;	/* bytes of the whole frame, this header included */
	uint32_t n_fds; /* descriptors that come with it */
};

struct frame_nonce {
	uint64_t hi, lo; /* random, the same for every connection of one client */
};

/* Descriptors: [0] memfd with stdin, [1] memfd with the environment ("K=V\0K=V\0", only
 * CNI_*, K8S_*, PATH and the proxy variables, duplicates as received), [2] the network
 * namespace, present if and only if netns_errno is 0. */
struct frame_request {
	struct frame_hdr hdr;
	struct frame_nonce nonce;
	uint64_t start_ns;	  /* clock_start_ns() of the client (R12) */
	int64_t deadline_boot_ns; /* when the client gives up by itself */
	uint32_t stdin_len, env_len;
	/* 0: opened and passed; -1: CNI_NETNS unset or empty; otherwise errno of open(2). */
	int32_t netns_errno;
	uint8_t verb;	 /* enum cni_verb */
	uint8_t dialect; /* enum cni_dialect */
	uint8_t attempt; /* 0 on the first connection, counts up, stays at 255 */
	uint8_t has_run; /* 1: a RAN frame for 'run_id' follows at once */
	uint64_t run_id;
};

/* Asks the client to run the plugin 'type' from its CNI_PATH.  Descriptors: [0]
 * 'inflight' with the lease's byte locked; the plugin inherits it and the client keeps it
 * until its last frame.  With RUN_STORED also [1] stdin and [2] environment: those of the
 * ADD; they replace the client's own (each stored variable wins over the client's). */
struct frame_run {
	struct frame_hdr hdr;
	uint64_t run_id;      /* the lease's id */
	uint32_t deadline_ms; /* from the arrival of this frame */
	uint8_t verb;	      /* value for CNI_COMMAND */
	uint8_t flags;	      /* RUN_* */
	uint8_t pad[2];
	char type[256]; /* name of the plugin, never with a '/' */
};
#define RUN_STORED 1

enum run_outcome {
	RUN_EXITED = 1,	 /* 'status' = exit code */
	RUN_SIGNALLED,	 /* 'status' = signal */
	RUN_NOT_FOUND,	 /* no such plugin in CNI_PATH: nothing was run */
	RUN_NOT_STARTED, /* 'status' = errno: nothing was run */
	RUN_TIMED_OUT,	 /* ended with its group at the deadline */
	RUN_CANCELLED	 /* ended with its group on CANCEL */
};

/* Descriptors: [0] memfd with what the plugin wrote to stdout (at most RUN_OUT_MAX). */
struct frame_ran {
	struct frame_hdr hdr;
	uint64_t run_id;
	uint32_t out_len;
	int32_t status;
	uint8_t outcome; /* enum run_outcome */
	uint8_t pad[7];
};
#define RUN_OUT_MAX (1024u * 1024)

/* Text for the caller's stdout follows the struct: at most ANSWER_MAX bytes. */
struct frame_answer {
	struct frame_hdr hdr;
	int32_t exit_code;
	uint32_t text_len;
};

struct frame_version_is {
	struct frame_hdr hdr;
	uint16_t min, max; /* what the engine speaks */
	uint32_t pad;
};

/* Sends one frame; fills magic, len and n_fds (version and type are the caller's).  The
 * descriptors stay the caller's.  0; or VFK_E_SYS with err->sys (EAGAIN, EPIPE, ...). */
int frame_send(int sock, struct frame_hdr *frame, size_t len_bytes, const int *fds,
	       unsigned n_fds, struct vfk_err *err) VFK_MUST_CHECK;

/* Receives one frame into 'buf'; received descriptors (close-on-exec) go to 'fds', their
 * number to '*n_fds', the caller owns them.  Returns the length, 0 at end of file, or
 * VFK_E_SYS (err->sys, EAGAIN if there is none yet) or VFK_E_DECODE (not a frame, truncated, wrong
 * magic, len or n_fds; everything received is closed). */
ssize_t frame_recv(int sock, void *buf, size_t cap_bytes, int fds[FRAME_MAX_FDS],
		   unsigned *n_fds, struct vfk_err *err) VFK_MUST_CHECK;

/* A spool entry: a DEL that no engine could take (R5).  The file name is
 * "<16 hex digits of spool_key>.del"; written beside as ".tmp", fsynced, renamed, directory
 * fsynced.  After the struct: env_len bytes of environment, stdin_len bytes of stdin. */
#define SPOOL_MAGIC 0x31534656u /* "VFS1" */
struct spool_hdr {
	uint32_t magic;
	uint16_t version; /* 1 */
	uint16_t dialect;
	uint64_t start_ns;
	uint32_t env_len, stdin_len;
	char boot_id[40];
	uint32_t crc; /* CRC-32 (as zlib's) of the whole entry with this field 0 */
	uint32_t pad;
};

uint32_t frame_crc32(uint32_t crc, const void *buf, size_t len_bytes); /* as zlib's crc32 */
/* FNV-1a over the strings with their NULs: names a spool entry. */
uint64_t spool_key(const char *container, const char *ifname, const void *stdin_bytes,
		   size_t stdin_len);

#endif
