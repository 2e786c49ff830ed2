/* commands.h: the commands of `carrack` beside `kernel` (kernel.h). Each takes the words after its own and returns the
 * exit status: 0 done, 1 it could not be done, 2 the command line was not understood. */
#ifndef CARRACK_COMMANDS_H
#define CARRACK_COMMANDS_H

#include "base/err.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

int cmd_install(int argc, char **argv);
int cmd_uninstall(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* `carrack help [COMMAND]`: on standard output. An unknown command is EXIT_USAGE. */
int cmd_help(const char *command);

/* `carrack COMMAND: message` and where to read more, on standard error. Returns EXIT_USAGE. */
int usage_error(const char *command, const struct err *e);

#endif
