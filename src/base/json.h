/* json.h: writing JSON into a buffer, and reading jansson's values with defaults.
 *
 * The writer (`jx_`) is for the hot paths: text of R goes from a pipe into a message without a tree in
 * between. Reading is jansson's business; the `json_…_or` helpers only take "absent or of another type"
 * together, which is how the messaging spec wants optional fields read.
 */
#ifndef CARRACK_JSON_H
#define CARRACK_JSON_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

/* Appends a JSON string, quotes included. Bytes that are not UTF-8 become `\\xHH` inside the string. */
void jx_string(struct buf *b, const char *s, size_t n);
void jx_cstring(struct buf *b, const char *s);

/* Appends `"key":` with a comma before it unless it is the first thing after `{` or the buffer's start. */
void jx_key(struct buf *b, const char *key);
void jx_key_string(struct buf *b, const char *key, const char *value);
void jx_key_int(struct buf *b, const char *key, long long value);
void jx_key_bool(struct buf *b, const char *key, bool value);
void jx_key_raw(struct buf *b, const char *key, const char *json, size_t n); /* json is taken as it is */

/* Appends the text of a jansson value (compact). NULL appends `null`. */
void jx_value(struct buf *b, const json_t *v);

const char *json_string_or(const json_t *object, const char *key, const char *otherwise);
bool json_bool_or(const json_t *object, const char *key, bool otherwise);
json_int_t json_int_or(const json_t *object, const char *key, json_int_t otherwise);

/* Parses n bytes that must be one JSON object. NULL and *e on anything else. The caller decrefs.
 * `what` names it in the error. NUL characters in strings are allowed (a cell may hold one). */
json_t *json_object_from(const char *s, size_t n, const char *what, struct err *e) MUST_CHECK;

#endif
