/* base.h: what every file of the project includes first.
 *
 * It fixes the feature-test macros, brings in the few headers that are used everywhere and turns the
 * string functions that cannot be used safely into compile errors. It knows nothing of the layers above.
 */
#ifndef CARRACK_BASE_H
#define CARRACK_BASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CARRACK_VERSION
#define CARRACK_VERSION "0.0.0"
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK __attribute__((warn_unused_result))

/* Unbounded or locale-dependent writers: use buf.h or snprintf. strtok keeps hidden state; atoi hides errors. */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#define strcpy(a, b) strcpy_is_banned_use_buf
#define strcat(a, b) strcat_is_banned_use_buf
#define sprintf(...) sprintf_is_banned_use_snprintf
#define vsprintf(...) vsprintf_is_banned_use_vsnprintf
#define strtok(a, b) strtok_is_banned
#define atoi(a) atoi_is_banned_use_strtol

#endif
