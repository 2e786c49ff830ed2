/* jtext.h: JSON that is checked, and read, where it lies.
 *
 * What the session publishes goes to clients as it came. A tree of it would be thrown away again, and costs several times its size
 * while it is made: so the kernel process only checks the text, and looks up what it must know. What is accepted is what
 * json_object_from accepts (fuzz/fuzz_json.c compares the two), but for a NUL behind a number, which jansson passes over. Nothing here needs memory but jt_string.
 */
#ifndef CARRACK_JTEXT_H
#define CARRACK_JTEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define JT_DEPTH 2048 /* values in values, as in jansson */

/* True if the bytes are one JSON object in UTF-8. `what` names it in the error, which tells a place and none of the text. */
bool jt_object(struct slice text, const char *what, struct err *e) MUST_CHECK;

/* The members of an object that jt_object has accepted, one a call: *at is 0 at first. The key is what stands between its quotes, the
 * value is JSON: its first byte says of what kind. False: there are no more. */
bool jt_next(struct slice object, size_t *at, struct slice *key, struct slice *value);

/* The value of a key that is written without escapes; the last one, if there are several. Empty if there is none or `object` is none. */
struct slice jt_find(struct slice object, const char *key);

/* Appends the text of a string: whole characters, `max` bytes at most. False if the value is no string. */
bool jt_string(struct slice value, struct buf *to, size_t max);

#endif
