/* log.h: one log a process, one line an entry.
 *
 * Lines go to a file (mode 0600, appended) or to a descriptor that the process chose; never to a descriptor
 * that R's output is captured from. What a user typed, printed or named is logged at debug level only.
 */
#ifndef CARRACK_LOG_H
#define CARRACK_LOG_H

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Opens the log: `path` NULL means descriptor 2. `who` is the process's name in each line and is kept by
 * reference. The level is from CARRACK_LOG (error, warn, info, debug) if set, else `level`. */
bool log_open(const char *who, const char *path, enum log_level level, struct err *e) MUST_CHECK;
void log_close(void);
int log_fd(void); /* where the lines go */
bool log_enabled(enum log_level level);
void log_msg(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

#endif
