/* SPDX-License-Identifier: Apache-2.0 */
/* The engine as a resident service; see vfkeeperd(8). */
#include "config.h"

#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "engine/daemon.h"
#include "engine/web.h"

static const char usage[] =
	"usage: vfkeeperd [-d] [-l error|warn|notice|info|debug] [-h] [-v] [-V]\n"
	"  -d, --debug         log level debug\n"
	"  -l, --log-level L   instead of what vfkeeper.conf says\n"
	"  -h, --help          this text\n"
	"  -v, --version       the version\n"
	"  -V, --build         the version and how it was built\n";

int main(int argc, char **argv)
{
	static const struct option options[] = { { "debug", no_argument, NULL, 'd' },
						 { "log-level", required_argument, NULL, 'l' },
						 { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'v' },
						 { "build", no_argument, NULL, 'V' },
						 { NULL, 0, NULL, 0 } };
	struct daemon_opts opts = { .name = "vfkeeperd",
				    .start_fd = -1,
				    .ready_fd = -1,
				    .log_level = -1,
				    .web = &web_service };
	enum log_level level;
	int c;

	while ((c = getopt_long(argc, argv, "dl:hvV", options, NULL)) >= 0) {
		switch (c) {
		case 'd':
			opts.log_level = LOG_LV_DEBUG;
			break;
		case 'l':
			if (!log_level_parse(optarg, &level)) {
				fprintf(stderr, "vfkeeperd: unknown log level %s\n%s",
					optarg, usage);
				return 2;
			}
			opts.log_level = (int)level;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("vfkeeperd " PACKAGE_VERSION);
			return 0;
		case 'V':
			puts(VFK_BUILD_SUMMARY);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vfkeeperd: unknown argument %s\n%s", argv[optind], usage);
		return 2;
	}
	return daemon_main(&opts);
}
