/* args.h: reading a command line by a table.
 *
 * `--name value` and `--name=value` are the same, and so are `-` and `_` inside a name (ark writes --connection_file).
 * A value that begins with `--` must be given with `=`. `--` ends the options. Names are not abbreviated.
 */
#ifndef CARRACK_ARGS_H
#define CARRACK_ARGS_H

#include "base/err.h"

struct arg {
	const char *name;  /* with its dashes: "--log" */
	const char *value; /* what the value is, for messages: "FILE"; NULL: the option takes none */
	int id;
};

struct arg_reader {
	int argc, at;
	char **argv;
	const struct arg *table;
	size_t n;
};

enum arg_got {
	ARG_OPTION, /* *id and *value (NULL if it takes none) */
	ARG_WORD,   /* *value: a word that is not an option */
	ARG_REST,   /* after `--`: argv from r->at on is not ours to read */
	ARG_END,
	ARG_ERROR, /* *e says what was expected */
};

enum arg_got arg_next(struct arg_reader *r, int *id, const char **value, struct err *e) MUST_CHECK;

#endif
