#include "kernel/history.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "kernel/history_disk.h"

#include <unistd.h>

#define CLOSE_BUSY_MS 500
#define RETRY_FIRST_MS 1000

/* This session's lines, also when they have been stored: so queries and a new file have them. `seen` is search's. */
static const char memory_schema[] =
    "PRAGMA trusted_schema = OFF;"
    "CREATE TABLE lines (line INTEGER PRIMARY KEY, source TEXT NOT NULL, stored INTEGER NOT NULL);"
    "CREATE TABLE outputs (line INTEGER PRIMARY KEY, text TEXT NOT NULL, stored INTEGER NOT NULL);"
    "CREATE TABLE seen (source TEXT PRIMARY KEY) WITHOUT ROWID;";

struct history {
	struct history_disk disk;
	unsigned generation;         /* of the file that was looked at for our number */
	long long session;           /* our number in it, 0 until the first line is stored */
	char started[CLOCK_ISO_LEN]; /* with which our number is ours and no namesake's in another file */
	size_t lines, bytes;         /* held in memory */
	bool pending;                /* something is not stored */
	bool overflowed;
	int64_t due; /* when it is to be written */
	int retry_ms;
	int64_t deadline; /* of the query that runs, 0 for none */
};

/* SQLite's progress callback: non-zero stops the query. */
static int over_deadline(void *data)
{
	const struct history *h = data;
	return h->deadline && clock_ms() > h->deadline;
}

struct history *history_open(const char *path, struct err *e)
{
	struct history *h = calloc(1, sizeof *h);
	if (!h ||
	    sqlite3_open_v2(":memory:", &h->disk.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK ||
	    sqlite3_exec(h->disk.db, memory_schema, NULL, NULL, NULL) != SQLITE_OK) {
		err_set(e, "no memory for the history");
		goto fail;
	}
	if (!history_disk_path(&h->disk, path, e))
		goto fail;
	sqlite3_extended_result_codes(h->disk.db, 1);
	sqlite3_busy_timeout(h->disk.db, HISTORY_BUSY_MS);
	sqlite3_progress_handler(h->disk.db, 1000, over_deadline, h);
	h->retry_ms = RETRY_FIRST_MS;
	return h;
fail:
	if (h)
		sqlite3_close(h->disk.db);
	free(h);
	return NULL;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	int64_t end = clock_ms() + CLOSE_BUSY_MS;
	history_flush(h);
	while (h->pending && h->disk.busy && clock_ms() < end) {
		usleep(10000);
		history_flush(h);
	}
	sqlite3_close(h->disk.db);
	free(h);
}

static void set_due(struct history *h, int ms)
{
	h->due = clock_ms() + ms;
}

static void now_pending(struct history *h)
{
	if (!h->pending)
		set_due(h, HISTORY_DELAY_MS);
	h->pending = true;
}

int history_timeout(const struct history *h)
{
	if (!h || !h->pending)
		return -1;
	int64_t left = h->due - clock_ms();
	return left < 0 ? 0 : (int)left;
}

/* Binds what the statement has of :me :line :text, and runs it to its end. Returns bytes or lines that it reports. */
static long long run(struct history *h, const char *sql, long long line, const char *text, size_t n)
{
	sqlite3_stmt *s = NULL;
	long long value = 0;
	if (sqlite3_prepare_v2(h->disk.db, sql, -1, &s, NULL) == SQLITE_OK) {
		int at = sqlite3_bind_parameter_index(s, ":line");
		if (at)
			sqlite3_bind_int64(s, at, line);
		at = sqlite3_bind_parameter_index(s, ":text");
		if (at)
			sqlite3_bind_text64(s, at, text, n, SQLITE_STATIC, SQLITE_UTF8);
		while (sqlite3_step(s) == SQLITE_ROW)
			value += sqlite3_column_int64(s, 0);
	}
	sqlite3_finalize(s);
	return value;
}

/* Removes a line and its output from memory. */
static void forget(struct history *h, long long line)
{
	long long n =
	    run(h, "DELETE FROM lines WHERE line = :line RETURNING length(CAST(source AS BLOB))", line, NULL, 0);
	n += run(h, "DELETE FROM outputs WHERE line = :line RETURNING length(CAST(text AS BLOB))", line, NULL, 0);
	h->lines--;
	h->bytes -= (size_t)n;
}

/* Keeps the ceilings: the oldest lines go. Only when the disk has failed for long were they not stored. */
static void make_room(struct history *h, size_t n)
{
	while (h->lines && (h->lines >= HISTORY_MAX_LINES || h->bytes + n > HISTORY_MAX_BYTES)) {
		long long oldest = run(h, "SELECT min(line) FROM lines", 0, NULL, 0);
		if (!h->overflowed && run(h, "SELECT NOT stored FROM lines WHERE line = :line", oldest, NULL, 0)) {
			h->overflowed = true;
			log_warn("the history in memory is full and cannot be stored; the oldest lines are lost");
		}
		forget(h, oldest);
	}
}

void history_add(struct history *h, long line, const char *code, size_t n)
{
	if (!h || n == 0 || n > HISTORY_MAX_LINE)
		return;
	if (run(h, "SELECT 1 FROM lines WHERE line = :line", line, NULL, 0))
		forget(h, line);
	make_room(h, n);
	if (!run(h, "INSERT INTO lines VALUES (:line, :text, 0) RETURNING 1", line, code, n))
		return; /* no memory */
	h->lines++;
	h->bytes += n;
	now_pending(h);
}

void history_output(struct history *h, long line, const char *text, size_t n)
{
	if (!h || !run(h, "SELECT 1 FROM lines WHERE line = :line", line, NULL, 0))
		return;
	if (n > HISTORY_MAX_OUTPUT)
		n = utf8_cut(text, HISTORY_MAX_OUTPUT);
	h->bytes -= (size_t)run(h, "DELETE FROM outputs WHERE line = :line RETURNING length(CAST(text AS BLOB))", line,
				NULL, 0);
	if (!run(h, "INSERT INTO outputs VALUES (:line, :text, 0) RETURNING 1", line, text, n))
		return;
	h->bytes += n;
	now_pending(h);
}

/* Attaches the file. When it is not the one that has this session, nothing of the session is stored. */
static bool have_disk(struct history *h)
{
	if (!history_disk_attach(&h->disk))
		return false;
	if (h->disk.generation == h->generation)
		return true;
	char sql[160];
	long long known = 0;
	snprintf(sql, sizeof sql, "SELECT count(*) FROM disk.sessions WHERE session = %lld AND started = '%s'",
		 h->session, h->started);
	int rc = history_disk_number(&h->disk, sql, &known);
	if (rc != SQLITE_OK) {
		history_disk_failed(&h->disk, rc, "read");
		return false;
	}
	h->generation = h->disk.generation;
	if (known)
		return true;
	h->session = 0;
	run(h, "UPDATE lines SET stored = 0", 0, NULL, 0);
	run(h, "UPDATE outputs SET stored = 0", 0, NULL, 0);
	if (h->lines)
		now_pending(h);
	return true;
}

static int store(struct history *h, long long *session)
{
	char sql[1024];
	int rc = SQLITE_OK;
	*session = h->session;
	if (!*session) {
		clock_iso8601(h->started);
		snprintf(sql, sizeof sql, "INSERT INTO disk.sessions (started) VALUES ('%s')", h->started);
		rc = sqlite3_exec(h->disk.db, sql, NULL, NULL, NULL);
		*session = sqlite3_last_insert_rowid(h->disk.db);
	}
	snprintf(sql, sizeof sql,
		 "INSERT OR REPLACE INTO disk.lines SELECT %lld, line, source FROM main.lines WHERE NOT stored;"
		 "INSERT OR REPLACE INTO disk.outputs SELECT %lld, line, text FROM main.outputs WHERE NOT stored;"
		 "UPDATE main.lines SET stored = 1 WHERE NOT stored;"
		 "UPDATE main.outputs SET stored = 1 WHERE NOT stored;"
		 "COMMIT",
		 *session, *session);
	return rc == SQLITE_OK ? sqlite3_exec(h->disk.db, sql, NULL, NULL, NULL) : rc;
}

void history_flush(struct history *h)
{
	if (!h || !h->pending)
		return;
	long long session = 0;
	if (have_disk(h)) {
		int rc = sqlite3_exec(h->disk.db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			rc = store(h, &session);
		if (!sqlite3_get_autocommit(h->disk.db))
			sqlite3_exec(h->disk.db, "ROLLBACK", NULL, NULL, NULL);
		if (rc == SQLITE_OK) {
			h->session = session;
			h->pending = h->overflowed = h->disk.complained = false;
			h->retry_ms = RETRY_FIRST_MS;
			return;
		}
		history_disk_failed(&h->disk, rc, "write");
	}
	set_due(h, h->retry_ms);
	h->retry_ms = h->retry_ms < HISTORY_RETRY_MAX_MS / 2 ? h->retry_ms * 2 : HISTORY_RETRY_MAX_MS;
}

struct query {
	bool output, unique, tail;
	long long session; /* 0: all */
	long long from, to, n;
	const char *pattern; /* NULL: everything; else SQLite's GLOB */
};

/* JSON rows, newest first, and where each begins. */
struct rows {
	struct buf text, at;
	long long left; /* how many more are wanted */
};

/* The two sources of rows. Own lines are in memory, those that went over its ceiling on disk. */
static void own_sql(const struct history *h, const struct query *q, struct buf *sql)
{
	bool disk = h->disk.attached && h->session;
	buf_puts(sql, "SELECT :me, line, source");
	if (q->output)
		buf_puts(
		    sql,
		    disk ? ", coalesce((SELECT text FROM main.outputs AS o WHERE o.line = l.line), (SELECT text FROM "
			   "disk.outputs AS o WHERE o.session = :me AND o.line = l.line))"
			 : ", (SELECT text FROM main.outputs AS o WHERE o.line = l.line)");
	buf_puts(sql, " FROM (SELECT line, source FROM main.lines");
	if (disk)
		buf_puts(sql, " UNION ALL SELECT line, source FROM disk.lines WHERE session = :me AND line < (SELECT "
			      "min(line) FROM main.lines)");
	buf_puts(sql, ") AS l WHERE line >= :from AND line < :to");
	if (q->pattern)
		buf_puts(sql, " AND source GLOB :pattern");
	buf_puts(sql, " ORDER BY line DESC");
}

static void others_sql(const struct query *q, struct buf *sql)
{
	buf_puts(sql, "SELECT session, line, source");
	if (q->output)
		buf_puts(sql, ", (SELECT text FROM disk.outputs AS o WHERE o.session = l.session AND o.line = l.line)");
	buf_puts(sql, " FROM disk.lines AS l WHERE ");
	buf_puts(sql, q->session ? "session = :session" : "session IS NOT :me");
	buf_puts(sql, " AND line >= :from AND line < :to");
	if (q->pattern)
		buf_puts(sql, " AND source GLOB :pattern");
	buf_puts(sql, " ORDER BY session DESC, line DESC");
}

static void bind(sqlite3_stmt *s, const char *name, long long value)
{
	int at = sqlite3_bind_parameter_index(s, name);
	if (at)
		sqlite3_bind_int64(s, at, value);
}

/* True if this input has not been seen in this query. */
static bool first_seen(struct history *h, sqlite3_stmt *row)
{
	return run(h, "INSERT OR IGNORE INTO seen VALUES (:text) RETURNING 1", 0,
		   (const char *)sqlite3_column_text(row, 2), (size_t)sqlite3_column_bytes(row, 2));
}

static void put_text(struct buf *b, sqlite3_stmt *row, int column)
{
	const char *s = (const char *)sqlite3_column_text(row, column);
	if (s)
		jx_string(b, s, (size_t)sqlite3_column_bytes(row, column));
	else
		buf_puts(b, "null");
}

static void put_row(struct rows *r, sqlite3_stmt *row, bool output)
{
	size_t at = r->text.len;
	buf_printf(&r->text, "[%lld,%lld,", (long long)sqlite3_column_int64(row, 0),
		   (long long)sqlite3_column_int64(row, 1));
	if (output)
		buf_putc(&r->text, '[');
	put_text(&r->text, row, 2);
	if (output) {
		buf_putc(&r->text, ',');
		put_text(&r->text, row, 3);
		buf_putc(&r->text, ']');
	}
	buf_putc(&r->text, ']');
	buf_put(&r->at, &at, sizeof at);
	r->left--;
}

/* Runs one source until enough rows are there. Returns SQLite's code. */
static int collect(struct history *h, const struct query *q, const struct buf *sql, long long me, struct rows *r)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(h->disk.db, sql->data, -1, &s, NULL);
	if (rc == SQLITE_OK) {
		bind(s, ":me", me);
		bind(s, ":session", q->session);
		bind(s, ":from", q->from);
		bind(s, ":to", q->to);
		int at = sqlite3_bind_parameter_index(s, ":pattern");
		if (at)
			sqlite3_bind_text(s, at, q->pattern, -1, SQLITE_STATIC);
		while (r->left > 0 && r->text.len < HISTORY_MAX_REPLY && (rc = sqlite3_step(s)) == SQLITE_ROW)
			if (!q->unique || first_seen(h, s))
				put_row(r, s, q->output);
	}
	int end = sqlite3_finalize(s);
	return rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE ? end : rc;
}

/* The number of this session, which it has not got before its first line is stored: then what it would get now. */
static long long my_session(struct history *h)
{
	if (h->session)
		return h->session;
	return 1 + (h->disk.attached
			? run(h, "SELECT seq FROM disk.sqlite_sequence WHERE name = 'sessions'", 0, NULL, 0)
			: 0);
}

/* Turns negative line numbers into real ones, as Python does with a list whose first element is line 0. */
static void resolve_lines(struct history *h, struct query *q, bool own)
{
	long long end = 0;
	if (own)
		end = run(h, "SELECT max(line) FROM main.lines", 0, NULL, 0);
	else if (h->disk.attached)
		end = run(h, "SELECT max(line) FROM disk.lines WHERE session = :line", q->session, NULL, 0);
	end++;
	if (q->from < 0)
		q->from += end;
	if (q->to < 0)
		q->to += end;
	else if (!q->to)
		q->to = LLONG_MAX;
}

static void query_rows(struct history *h, struct query *q, struct rows *r)
{
	long long me = my_session(h);
	bool own = true, others = true;
	if (!q->tail && !q->pattern) { /* range */
		if (q->session <= 0)
			q->session = q->session > -me ? q->session + me : -1;
		own = q->session == me;
		others = !own;
		resolve_lines(h, q, own);
	}
	struct buf sql = BUF_INIT(BUF_MAX_SMALL);
	int rc = SQLITE_OK;
	sqlite3_exec(h->disk.db, "DELETE FROM seen", NULL, NULL, NULL);
	h->deadline = clock_ms() + HISTORY_QUERY_MS;
	if (own) {
		own_sql(h, q, &sql);
		rc = collect(h, q, &sql, me, r);
	}
	if (others && h->disk.attached && rc == SQLITE_OK) {
		buf_clear(&sql);
		others_sql(q, &sql);
		rc = collect(h, q, &sql, h->session, r);
	}
	h->deadline = 0;
	sqlite3_exec(h->disk.db, "DELETE FROM seen", NULL, NULL, NULL);
	buf_release(&sql);
	if (rc == SQLITE_INTERRUPT)
		log_info("a history query was cut short after %d ms", HISTORY_QUERY_MS);
	else if (rc != SQLITE_OK)
		history_disk_failed(&h->disk, rc, "read");
}

/* The spec has two wildcards. GLOB's third, [, is made to stand for itself. */
static bool glob_of(const json_t *request, struct buf *glob, struct err *e)
{
	const char *p = json_string_or(request, "pattern", "*");
	if (strlen(p) > HISTORY_MAX_PATTERN)
		return err_set(e, "a history pattern has at most %d bytes, this one has %zu", HISTORY_MAX_PATTERN,
			       strlen(p));
	for (; *p; p++)
		*p == '[' ? buf_puts(glob, "[[]") : buf_putc(glob, *p);
	return true;
}

static bool query_of(const json_t *request, struct query *q, struct buf *glob, struct err *e)
{
	const char *type = json_string_or(request, "hist_access_type", "range");
	*q = (struct query){.output = json_bool_or(request, "output", false),
			    .from = LLONG_MIN,
			    .to = LLONG_MAX,
			    .n = LLONG_MAX};
	if (strcmp(type, "range") == 0) {
		q->session = json_int_or(request, "session", 0);
		q->from = json_int_or(request, "start", 0);
		q->to = json_int_or(request, "stop", 0);
	} else if (strcmp(type, "tail") == 0) {
		q->tail = true;
		q->n = json_int_or(request, "n", HISTORY_TAIL_DEFAULT);
	} else if (strcmp(type, "search") == 0) {
		q->unique = json_bool_or(request, "unique", false);
		q->n = json_int_or(request, "n", LLONG_MAX);
		if (!glob_of(request, glob, e))
			return false;
		q->pattern = glob->data ? glob->data : "";
	} else {
		return err_set(e, "hist_access_type must be \"range\", \"tail\" or \"search\", not \"%.40s\"", type);
	}
	return true;
}

bool history_answer(struct history *h, const json_t *request, struct buf *out, struct err *e)
{
	struct query q;
	struct buf glob = BUF_INIT(4 * HISTORY_MAX_PATTERN);
	struct rows r = {BUF_INIT(HISTORY_MAX_REPLY + 8 * HISTORY_MAX_LINE), BUF_INIT(HISTORY_MAX_REPLY), 0};
	bool ok = query_of(request, &q, &glob, e);
	if (ok && h) {
		r.left = q.n;
		history_flush(h); /* so that the session has its number */
		have_disk(h);
		query_rows(h, &q, &r);
	}
	if (ok) {
		size_t n = r.at.len / sizeof(size_t), end = r.text.len, at;
		buf_putc(out, '[');
		while (n-- > 0) {
			memcpy(&at, r.at.data + n * sizeof at, sizeof at);
			buf_put(out, r.text.data + at, end - at);
			if (n)
				buf_putc(out, ',');
			end = at;
		}
		buf_putc(out, ']');
		if (out->failed || r.text.failed || r.at.failed)
			ok = err_set(e, "no room for the history's answer");
	}
	buf_release(&glob);
	buf_release(&r.text);
	buf_release(&r.at);
	return ok;
}
