/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on demand: started by a client or a tool where no service runs.  It has no
 * verbs; see vfkeeper-engine(8). */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/daemon.h"

static const char usage[] =
	"usage: vfkeeper-engine [--start-fd N] [--ready-fd N] [--help] [--version]\n"
	"Started by vfkeeper(8) and the tools; ends itself when there is nothing to do.\n";

static int number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *text && !*end && n >= 0 && n < 1024 ? (int)n : -1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "start-fd", required_argument, NULL, 's' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	struct daemon_opts opts = { .name = "vfkeeper-engine",
				    .on_demand = true,
				    .start_fd = -1,
				    .ready_fd = -1,
				    .log_level = -1 };
	int c;

	while ((c = getopt_long(argc, argv, "hV", options, NULL)) >= 0) {
		switch (c) {
		case 's':
			opts.start_fd = number(optarg);
			break;
		case 'r':
			opts.ready_fd = number(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("vfkeeper-engine " PACKAGE_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vfkeeper-engine: takes no verb: %s\n%s", argv[optind],
			usage);
		return 2;
	}
	return daemon_main(&opts);
}
