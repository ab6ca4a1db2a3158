/* SPDX-License-Identifier: Apache-2.0 */
/* The root is read once per process, so every case looks at it in a child. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/paths.h"
#include "suite.h"

static char *shared; /* what the child has to say */

static void in_child(const char *root, void (*fn)(void))
{
	int status = -1;
	pid_t pid;

	if (!shared)
		shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared[0] = '\0';
	pid = fork();
	if (pid == 0) {
		if (root)
			setenv("VFKEEPER_ROOT", root, 1);
		else
			unsetenv("VFKEEPER_ROOT");
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	SUITE_INT(status, 0);
}

static void tell_all(void)
{
	struct vfk_err err = { .msg = "fine" };
	int rc;

	rc = paths_check(&err);
	for (int i = 0; i < PATH_COUNT; i++)
		snprintf(shared + strlen(shared), 4096 - strlen(shared), "%s\n",
			 vfk_path((enum vfk_path)i));
	snprintf(shared + strlen(shared), 4096 - strlen(shared), "%s", err.msg);
	if (rc != (strcmp(err.msg, "fine") ? -VFK_E_CONFIG : 0))
		snprintf(shared, 4096, "returned %d", rc);
}

#define ALL(root)                                                                        \
	root "/var/lib/vfkeeper\n" root "/var/lib/vfkeeper/journal\n" root               \
	     "/var/lib/vfkeeper/spool\n" root "/var/lib/vfkeeper/imported\n" root        \
	     "/run/vfkeeper\n" root "/run/vfkeeper/LOCK\n" root                          \
	     "/run/vfkeeper/cni.sock\n" root "/run/vfkeeper/control.sock\n" root         \
	     "/run/vfkeeper/http.sock\n" root "/run/vfkeeper/start\n" root               \
	     "/run/vfkeeper/inflight\n" root "/run/vfkeeper/durable\n" root              \
	     "/run/vfkeeper/recent-del\n" root "/etc/vfkeeper/vfkeeper.conf\n" root      \
	     "/run/systemd/journal/socket\nfine"
#define NONE "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"

static void names_all(void)
{
	in_child(NULL, tell_all);
	SUITE_STR(shared, ALL(""));
	in_child("", tell_all);
	SUITE_STR(shared, ALL(""));
	in_child("/", tell_all);
	SUITE_STR(shared, ALL(""));
}

static void moves_all(void)
{
	in_child("/some/root", tell_all);
	SUITE_STR(shared, ALL("/some/root"));
	in_child("/some/root//", tell_all);
	SUITE_STR(shared, ALL("/some/root"));
}

static void refuses_a_relative_root(void)
{
	in_child("some/root", tell_all);
	SUITE_STR(shared, NONE "VFKEEPER_ROOT is not an absolute path");
}

static void refuses_a_long_root(void)
{
	char root[200];

	memset(root, 'x', sizeof(root));
	root[0] = '/';
	root[81] = '\0';
	in_child(root, tell_all);
	CU_ASSERT(strstr(shared, "\nfine") != NULL);
	root[81] = 'x';
	root[82] = '\0';
	in_child(root, tell_all);
	SUITE_STR(shared, NONE "VFKEEPER_ROOT is longer than 81 bytes");
}

static void tell_make(void)
{
	struct vfk_err err = { .msg = "fine" };
	int rc;

	umask(0);
	rc = paths_make(&err);
	snprintf(shared, 4096, "%s", err.msg);
	if ((rc == 0) != !strcmp(err.msg, "fine"))
		snprintf(shared, 4096, "returned %d with \"%s\"", rc, err.msg);
}

static int mode_of(const char *root, const char *path)
{
	char full[300];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", root, path);
	return stat(full, &st) < 0 ? -1 : (int)(st.st_mode & 07777);
}

static void remove_tree(const char *root)
{
	char cmd[300];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", root);
	if (system(cmd) != 0)
		printf("cannot remove %s\n", root);
}

static void makes_directories(void)
{
	char root[] = "/tmp/vfk-paths-XXXXXX", path[300];

	CU_ASSERT_FATAL(mkdtemp(root) != NULL);
	in_child(root, tell_make);
	SUITE_STR(shared, "fine");
	SUITE_INT(mode_of(root, "/run"), 0755);
	SUITE_INT(mode_of(root, "/run/vfkeeper"), 0700);
	SUITE_INT(mode_of(root, "/var/lib"), 0755);
	SUITE_INT(mode_of(root, "/var/lib/vfkeeper"), 0700);
	SUITE_INT(mode_of(root, "/var/lib/vfkeeper/journal"), 0700);
	SUITE_INT(mode_of(root, "/var/lib/vfkeeper/spool"), 0700);
	snprintf(path, sizeof(path), "%s/run/vfkeeper", root);
	chmod(path, 0711);
	in_child(root, tell_make);
	SUITE_STR(shared, "fine");
	SUITE_INT(mode_of(root, "/run/vfkeeper"), 0711);
	remove_tree(root);
}

static void names_what_it_cannot_make(void)
{
	char root[] = "/tmp/vfk-paths-XXXXXX", path[300], expected[400];

	CU_ASSERT_FATAL(mkdtemp(root) != NULL);
	snprintf(path, sizeof(path), "%s/var", root);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	in_child(root, tell_make);
	snprintf(expected, sizeof(expected), "%s: ENOTDIR", path);
	SUITE_STR(shared, expected);
	/* What an engine needs to start was made all the same. */
	SUITE_INT(mode_of(root, "/run/vfkeeper"), 0700);
	remove_tree(root);
}

static void makes_nothing_under_a_bad_root(void)
{
	in_child("relative", tell_make);
	SUITE_STR(shared, "VFKEEPER_ROOT is not an absolute path");
}

VFK_SUITE(paths, { "names every path", names_all },
	  { "moves every path under VFKEEPER_ROOT", moves_all },
	  { "refuses a relative root", refuses_a_relative_root },
	  { "refuses a root under which a socket would not fit", refuses_a_long_root },
	  { "makes the directories and leaves existing ones alone", makes_directories },
	  { "names what it cannot make", names_what_it_cannot_make },
	  { "makes nothing under an unusable root", makes_nothing_under_a_bad_root })
