/* What the backend does wrong, on purpose and when told: faults-table.h says which, and nothing else in the
 * code knows their names. */
#ifndef BACKEND_FAULTS_H
#define BACKEND_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT(code, name, unit, by_default, text) FAULT_##code,
enum fault {
#include "faults-table.h"
	FAULT_COUNT
};
#undef FAULT

/* Switches one more fault on: NAME or NAME=ARG. False, with a line on stderr: there is no such thing. */
bool fault_switch_on(const char *word);
/* The same for several words with blanks or commas between them. */
bool faults_switch_on(const char *words);
/* Looks whether the file has changed, and if so makes exactly what it says the faults. */
void faults_follow(const char *file);
/* Changes whenever the faults do: what was remembered for one set is nothing for the next. */
unsigned faults_generation(void);
/* Whether any is on. */
bool faults_any(void);
void faults_list(void);

bool fault_is_on(enum fault fault);
/* Its argument, in the unit of the table. */
uint64_t fault_argument(enum fault fault);
/* Whether it is on and this is a time when it strikes, where its unit is EVERY. Each call is a time. */
bool fault_strikes(enum fault fault);
/* Whether it is on and strikes this name, where its unit is NAMES. */
bool fault_strikes_name(enum fault fault, const char *name);
/* Its argument as an errno if it is on, else 0. */
int fault_error(enum fault fault);

#endif
