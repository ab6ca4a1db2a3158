/* SPDX-License-Identifier: Apache-2.0 */
/* A whole engine as a process: vfkeeperd and vfkeeper-engine are this with other options.
 * Layer: engine. */
#ifndef VFK_ENGINE_DAEMON_H
#define VFK_ENGINE_DAEMON_H

#include <stdbool.h>

struct web_ops;

struct daemon_opts {
	const char *name;	   /* of the program, for logs */
	bool on_demand;		   /* ends itself when idle; without verbs */
	int start_fd;		   /* inherited flock on PATH_START; -1 */
	int ready_fd;		   /* 'R' or an error line goes here; -1 */
	int log_level;		   /* enum log_level, or -1: as configured */
	const struct web_ops *web; /* serves HTTP where that is configured; NULL: never */
};

/* Runs until it is told to end; returns the exit code: 0, 1 failed, 5 another engine is
 * there. */
int daemon_main(const struct daemon_opts *opts);

#endif
