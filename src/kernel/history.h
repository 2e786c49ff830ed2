/* history.h: what the user typed, over all sessions, for `history_request` (messaging spec 5.5, "History").
 *
 * One SQLite file holds the lines of every kernel of the user, several of which may run at once. Each kernel
 * process is one *session* there; its number is made with the first line that is stored, so a kernel in which
 * nothing was run leaves no trace.
 *
 * The poll loop never waits for the disk. history_add and history_output touch memory only; history_flush writes
 * what has gathered, in one transaction without a sync, waiting at most HISTORY_BUSY_MS for another kernel's. What
 * cannot be written stays in memory (newest HISTORY_MAX_LINES lines, HISTORY_MAX_BYTES) and is tried again,
 * less and less often. So a full or read-only disk costs the memory of other sessions and nothing else: it is logged
 * once, and queries answer what this session has.
 *
 * A file that is corrupted, or that is another program's, is renamed to `….aside-<time>` and a new one is begun, into which the
 * lines of this session are written again. The same happens when the file is deleted under a running kernel.
 * A file of a newer version of Carrack is left alone and not used.
 *
 * All functions take NULL for a history that keeps nothing.
 */
#ifndef CARRACK_HISTORY_H
#define CARRACK_HISTORY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#define HISTORY_BUSY_MS 40
#define HISTORY_DELAY_MS 250 /* from a line to its being written */
#define HISTORY_RETRY_MAX_MS (600 * 1000)
#define HISTORY_MAX_LINES 10000 /* in memory; the file has no ceiling */
#define HISTORY_MAX_BYTES ((size_t)8 << 20)
#define HISTORY_MAX_LINE ((size_t)256 << 10)  /* a longer input is not kept: half a cell is worse than none */
#define HISTORY_MAX_OUTPUT ((size_t)64 << 10) /* a longer output is cut at a character */
#define HISTORY_MAX_REPLY ((size_t)64 << 20)  /* older rows than fit are left out */
#define HISTORY_MAX_PATTERN 1024
#define HISTORY_QUERY_MS 200 /* a search that takes longer ends with what it has found, the newest */
#define HISTORY_TAIL_DEFAULT 10

struct history;

/* `path` NULL means $CARRACK_DATA_DIR, $XDG_DATA_HOME/carrack or ~/.local/share/carrack, and in it history.sqlite. Missing
 * directories are made (mode 0700), and the file (mode 0600), when something is first stored or asked; here nothing
 * is opened. NULL and *e only when there is no memory or no home directory. */
struct history *history_open(const char *path, struct err *e) MUST_CHECK;

/* Flushes, waiting longer than HISTORY_BUSY_MS if need be (half a second), and frees. */
void history_close(struct history *h);

/* The n bytes of `code` are what was run as execution count `line`. The same line again replaces it. */
void history_add(struct history *h, long line, const char *code, size_t n);

/* The result of that line as text/plain. The same line again replaces it; without a line it is ignored. */
void history_output(struct history *h, long line, const char *text, size_t n);

/* Milliseconds until history_flush should be called, -1 if there is nothing to write: the poll's timeout. */
int history_timeout(const struct history *h);

/* Writes what has gathered, now. */
void history_flush(struct history *h);

/* Appends the reply's `history` for the content of a history_request: `[[session, line, input], …]`, or with output
 * `[[session, line, [input, output or null]], …]`, oldest first. As in IPython:
 *
 * - `range`: lines start to stop (not included; 0 or absent: to the end) of `session`; 0 or absent is this session, a negative
 *   number counts back from it. A negative start or stop counts back from the session's end.
 * - `tail`: the last `n`. The lines of this session count as newer than those of a kernel that runs beside it.
 * - `search`: the last `n` (absent: all) that match `pattern`, in which `*` and `?` are wildcards and nothing else is
 *   (`[` stands for itself, as R code needs). With `unique`, of equal inputs the newest only.
 *
 * `raw` makes no difference: what R runs is what was typed. False and *e for an unknown hist_access_type, a pattern over the
 * ceiling, or no room in `out`; trouble with the file is not an error but a shorter answer. */
bool history_answer(struct history *h, const json_t *request, struct buf *out, struct err *e) MUST_CHECK;

#endif
