#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

#ifndef VFS_BACKEND_VERSION
#define VFS_BACKEND_VERSION "0.0.0"
#endif
static void __attribute__((noreturn)) mistake(const char *what, const char *word)
{
	fprintf(stderr, "%s: %s\n", what, word);
	exit(2);
}

static enum cache parse_cache(const char *word)
{
	static const char *const names[] = { "never", "metadata", "auto", "always" };
	for (int i = 0; i < 4; i++)
		if (strcmp(names[i], word) == 0)
			return (enum cache)i;
	mistake("--cache is never, metadata, auto or always, not", word);
}

static uint64_t parse_window(const char *word)
{
	char *end;
	unsigned long mib = strtoul(word, &end, 10);
	if (*end != '\0' || mib == 0 || mib % 2 != 0 || mib > 512)
		mistake("--window is an even number of MiB, at most 512, not", word);
	return (uint64_t)mib << 20;
}

struct options parse_options(int count, char **words)
{
	enum { SOCKET_PATH = 256, SHARED_DIR, CACHE, WRITEBACK, DIRECT, MAP, XATTR, KILL, LOCKS, TAG, WINDOW, PAST_END, FAULT_WORD, LIST, VERSION };
	static const struct option known[] = {
		{ "socket-path", required_argument, NULL, SOCKET_PATH },
		{ "shared-dir", required_argument, NULL, SHARED_DIR },
		{ "cache", required_argument, NULL, CACHE },
		{ "writeback", no_argument, NULL, WRITEBACK },
		{ "allow-direct-io", no_argument, NULL, DIRECT },
		{ "allow-mmap", no_argument, NULL, MAP },
		{ "xattr", no_argument, NULL, XATTR },
		{ "killpriv-v2", no_argument, NULL, KILL },
		{ "locks", no_argument, NULL, LOCKS },
		{ "tag", required_argument, NULL, TAG },
		{ "window", required_argument, NULL, WINDOW },
		{ "map-past-end", no_argument, NULL, PAST_END },
		{ "fault", required_argument, NULL, FAULT_WORD },
		{ "list-faults", no_argument, NULL, LIST },
		{ "version", no_argument, NULL, VERSION },
		{ 0 },
	};
	struct options options = { .cache = CACHE_AUTO };
	for (int each; (each = getopt_long(count, words, "", known, NULL)) != -1;) {
		switch (each) {
		case SOCKET_PATH: options.socket_path = optarg; break;
		case SHARED_DIR: options.shared_dir = optarg; break;
		case CACHE: options.cache = parse_cache(optarg); break;
		case WRITEBACK: options.writeback = true; break;
		case DIRECT: options.allow_direct_io = true; break;
		case MAP: options.allow_mmap = true; break;
		case XATTR: options.xattr = true; break;
		case KILL: options.kill_privileges = true; break;
		case LOCKS: options.locks = true; break;
		case TAG: options.tag = optarg; break;
		case WINDOW: options.window_size = parse_window(optarg); break;
		case PAST_END: options.map_past_end = true; break;
		case FAULT_WORD:
			if (!fault_switch_on(optarg))
				exit(2);
			break;
		case LIST: faults_list(); exit(0);
		case VERSION: puts("vfs-lab-backend " VFS_BACKEND_VERSION); exit(0);
		default: exit(2); /* getopt has said why */
		}
	}
	if (optind < count)
		mistake("there is a word too many", words[optind]);
	if (!options.socket_path || !options.shared_dir)
		mistake("both must be given", "--socket-path and --shared-dir");
	return options;
}
