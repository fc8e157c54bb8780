#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "counters.h"

enum unit { NOTHING, SECONDS, MILLISECONDS, BYTES, EVERY, NAMES, TIMES, ERRNO };

static const char *const unit_names[] = {
	[NOTHING] = "", [SECONDS] = "SECONDS", [MILLISECONDS] = "MILLISECONDS", [BYTES] = "BYTES",
	[EVERY] = "EVERY", [NAMES] = "NAMES", [TIMES] = "TIMES", [ERRNO] = "ERRNO",
};

#define FAULT(code, name, unit, by_default, text) { name, unit, by_default, text },
static const struct {
	const char *name;
	enum unit unit;
	uint64_t by_default;
	const char *text;
} table[FAULT_COUNT] = {
#include "faults-table.h"
};
#undef FAULT

static struct {
	bool on;
	uint64_t argument, times;
} state[FAULT_COUNT];
static unsigned generation;

/* The errors that a share can meet, by name. */
static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EACCES", EACCES }, { "EAGAIN", EAGAIN }, { "EBADF", EBADF }, { "EBUSY", EBUSY },
	{ "EDQUOT", EDQUOT }, { "EEXIST", EEXIST }, { "EINTR", EINTR }, { "EINVAL", EINVAL },
	{ "EIO", EIO }, { "ENOENT", ENOENT }, { "ENOSPC", ENOSPC }, { "ENOSYS", ENOSYS },
	{ "EOPNOTSUPP", EOPNOTSUPP }, { "EPERM", EPERM }, { "EROFS", EROFS }, { "ESTALE", ESTALE },
};
#define ERRORS (sizeof errors / sizeof *errors)

static const char *error_name(uint64_t number)
{
	for (size_t i = 0; i < ERRORS; i++)
		if ((uint64_t)errors[i].number == number)
			return errors[i].name;
	return "?";
}

static bool parse_argument(enum unit unit, const char *text, uint64_t *value)
{
	if (unit == ERRNO) {
		for (size_t i = 0; i < ERRORS; i++)
			if (strcmp(errors[i].name, text) == 0) {
				*value = (uint64_t)errors[i].number;
				return true;
			}
		return false;
	}
	char *end;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && unit != NOTHING &&
	       !((unit == EVERY || unit == NAMES) && *value == 0);
}

bool fault_switch_on(const char *word)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	for (int i = 0; i < FAULT_COUNT; i++) {
		if (strncmp(table[i].name, word, length) != 0 || table[i].name[length] != '\0')
			continue;
		uint64_t argument = table[i].by_default;
		if (equals && !parse_argument(table[i].unit, equals + 1, &argument))
			break;
		state[i].on = true;
		state[i].argument = argument;
		state[i].times = 0;
		generation++;
		return true;
	}
	fprintf(stderr, "there is no fault \"%s\"; --list-faults names them\n", word);
	return false;
}

bool faults_switch_on(const char *words)
{
	char *copy = strdup(words), *rest = copy;
	bool known = true;
	for (char *word; copy && (word = strsep(&rest, " ,\t\n"));)
		if (*word && !fault_switch_on(word))
			known = false;
	free(copy);
	return known;
}

void faults_follow(const char *file)
{
	static struct timespec seen_change;
	static ino_t seen_inode;
	struct stat now = { 0 };
	if (stat(file, &now) < 0 && seen_inode == 0)
		return; /* there never was one */
	if (now.st_ino == seen_inode && now.st_ctim.tv_sec == seen_change.tv_sec &&
	    now.st_ctim.tv_nsec == seen_change.tv_nsec)
		return;
	seen_inode = now.st_ino;
	seen_change = now.st_ctim;
	memset(state, 0, sizeof state);
	generation++;
	char words[4096] = "";
	FILE *open = fopen(file, "re");
	if (!open)
		return;
	size_t length = fread(words, 1, sizeof words - 1, open);
	words[length] = '\0';
	fclose(open);
	faults_switch_on(words);
}

unsigned faults_generation(void)
{
	return generation;
}

void faults_list(void)
{
	for (int i = 0; i < FAULT_COUNT; i++) {
		char by_default[24];
		snprintf(by_default, sizeof by_default, "%llu", (unsigned long long)table[i].by_default);
		const char *value = table[i].unit == ERRNO ? error_name(table[i].by_default) : by_default;
		printf("%s\t%s\t%s\t%s\n", table[i].name, unit_names[table[i].unit],
		       table[i].unit == NOTHING ? "" : value, table[i].text);
	}
}

bool fault_is_on(enum fault fault)
{
	if (state[fault].on)
		count_fault();
	return state[fault].on;
}

uint64_t fault_argument(enum fault fault)
{
	return state[fault].argument;
}

bool fault_strikes(enum fault fault)
{
	if (!state[fault].on || ++state[fault].times % state[fault].argument != 0)
		return false;
	count_fault();
	return true;
}

bool fault_strikes_name(enum fault fault, const char *name)
{
	if (!state[fault].on)
		return false;
	uint64_t hash = 14695981039346656037u;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211u;
	if ((hash >> 16) % state[fault].argument != 0)
		return false;
	count_fault();
	return true;
}

bool faults_any(void)
{
	for (int i = 0; i < FAULT_COUNT; i++)
		if (state[i].on)
			return true;
	return false;
}

int fault_error(enum fault fault)
{
	return fault_is_on(fault) ? (int)fault_argument(fault) : 0;
}
