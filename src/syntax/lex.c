#include "syntax/lex.h"

bool lex_name_byte(char c)
{
	return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c & 0x80);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

bool lex_is_keyword(const char *s, size_t from, size_t to)
{
	static const char *const words[] = {"if", "else", "repeat", "while", "function", "for", "in"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (to - from == strlen(words[i]) && memcmp(s + from, words[i], to - from) == 0)
			return true;
	return false;
}

/* From a quote at t->to; to behind the closing one. */
static void quoted(const char *s, size_t n, struct lex_token *t)
{
	char quote = s[t->to++];
	while (t->to < n) {
		char c = s[t->to++];
		if (c == '\\' && t->to < n)
			t->to++;
		else if (c == quote)
			return;
	}
	t->open = true;
}

/* A raw string r"(…)", R'--{…}--': false if it is none. The letter is at t->from. */
static bool raw(const char *s, size_t n, struct lex_token *t)
{
	static const char brackets[] = "()[]{}";
	size_t at = t->from + 1;
	if (at >= n || (s[at] != '"' && s[at] != '\''))
		return false;
	char quote = s[at++];
	int dashes = 0;
	for (; at < n && s[at] == '-'; at++)
		dashes++;
	const char *open = at < n && s[at] ? strchr(brackets, s[at]) : NULL;
	if (!open || (open - brackets) % 2)
		return false;
	t->kind = LEX_STRING;
	t->dashes = dashes;
	t->bracket = open[1];
	for (at++; at < n; at++) {
		size_t k = at + 1;
		if (s[at] != t->bracket)
			continue;
		while (k < n && s[k] == '-' && k - at - 1 < (size_t)dashes)
			k++;
		if (k - at - 1 == (size_t)dashes && k < n && s[k] == quote) {
			t->to = k + 1;
			return true;
		}
	}
	t->to = n;
	t->open = true;
	return true;
}

static size_t number_end(const char *s, size_t n, size_t at)
{
	bool hex = s[at] == '0' && at + 1 < n && (s[at + 1] == 'x' || s[at + 1] == 'X');
	for (at++; at < n; at++) {
		bool sign = (s[at] == '+' || s[at] == '-') && strchr(hex ? "pP" : "eE", s[at - 1]);
		if (!lex_name_byte(s[at]) && !sign)
			break;
	}
	return at;
}

static size_t operator_end(const char *s, size_t n, size_t at)
{
	static const char *const long_ones[] = {"<<-", "->>", ":::", "<-", "->", "<=", ">=",
						"==",  "!=",  "&&",  "||", "|>", "::", ":="};
	if (s[at] == '%') {
		size_t end = at + 1;
		while (end < n && s[end] != '%' && s[end] != '\n')
			end++;
		return end < n && s[end] == '%' ? end + 1 : at + 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(long_ones); i++) {
		size_t len = strlen(long_ones[i]);
		if (n - at >= len && memcmp(s + at, long_ones[i], len) == 0)
			return at + len;
	}
	return at + 1;
}

struct lex_token lex_token(const char *s, size_t n, size_t at)
{
	while (at < n && strchr(" \t\r\f", s[at]) && s[at])
		at++;
	struct lex_token t = {.kind = LEX_END, .from = at, .to = at, .dashes = -1};
	if (at >= n)
		return t;
	char c = s[at];
	t.to = at + 1;
	if (c == '\n') {
		t.kind = LEX_NEWLINE;
	} else if (c == '#') {
		const char *end = memchr(s + at, '\n', n - at);
		t.kind = LEX_COMMENT;
		t.to = end ? (size_t)(end - s) : n;
	} else if (c == '"' || c == '\'' || c == '`') {
		t.kind = c == '`' ? LEX_BACKTICK : LEX_STRING;
		t.to = at;
		quoted(s, n, &t);
	} else if ((c == 'r' || c == 'R') && raw(s, n, &t)) {
		return t;
	} else if (digit(c) || (c == '.' && at + 1 < n && digit(s[at + 1]))) {
		t.kind = LEX_NUMBER;
		t.to = number_end(s, n, at);
	} else if (lex_name_byte(c)) {
		t.kind = LEX_NAME;
		while (t.to < n && lex_name_byte(s[t.to]))
			t.to++;
	} else if (c == '(' || c == '{' || c == '[') {
		t.kind = LEX_OPEN;
		t.to += c == '[' && at + 1 < n && s[at + 1] == '[';
	} else if (c == ')' || c == '}' || c == ']') {
		t.kind = LEX_CLOSE;
	} else {
		t.kind = LEX_OPERATOR;
		t.to = operator_end(s, n, at);
	}
	return t;
}

static void opened(struct lex_state *st, const char *s, struct lex_token t)
{
	if (st->depth == LEX_MAX_DEPTH)
		return;
	struct lex_open *o = &st->stack[st->depth++];
	const struct lex_token *before = &st->solid;
	bool two = t.to - t.from == 2;
	*o = (struct lex_open){.at = t.from};
	o->close[0] = s[t.from] == '(' ? ')' : s[t.from] == '{' ? '}' : ']';
	o->close[1] = two ? ']' : '\0';
	o->needs_body =
	    s[t.from] == '(' && ((before->kind == LEX_NAME && lex_is_keyword(s, before->from, before->to)) ||
				 (before->kind == LEX_OPERATOR && s[before->from] == '\\'));
}

/* A bracket that closes something further down closes all above it. `]]` comes as two tokens. */
static size_t closed(struct lex_state *st, const char *s, size_t n, struct lex_token t)
{
	size_t d = st->depth;
	while (d > 0 && st->stack[d - 1].close[0] != s[t.from])
		d--;
	if (d == 0) {
		st->mismatch = true;
		return t.to;
	}
	st->mismatch = st->mismatch || d != st->depth;
	bool two = st->stack[d - 1].close[1] != '\0';
	st->depth = d - 1;
	st->body_due = st->stack[d - 1].needs_body;
	if (!two)
		return t.to;
	if (t.to < n && s[t.to] == ']')
		return t.to + 1;
	st->mismatch = true;
	return t.to;
}

/* Line ends mean nothing inside parentheses. */
static bool lines_count(const struct lex_state *st)
{
	return st->depth == 0 || st->stack[st->depth - 1].close[0] == '}';
}

bool lex_waits(const struct lex_state *st, const char *s)
{
	const struct lex_token *t = &st->word;
	if (t->kind == LEX_NAME)
		return lex_is_keyword(s, t->from, t->to);
	return st->body_due || (t->kind == LEX_OPERATOR && s[t->from] != ',' && s[t->from] != ';');
}

/* A token that is neither comment nor line's end. */
static void begin(struct lex_state *st, const char *s, struct lex_token t)
{
	size_t *statement = st->depth ? &st->stack[st->depth - 1].statement : &st->statement;
	if (st->statement_is_due)
		*statement = t.from;
	st->statement_is_due = t.kind == LEX_OPEN || (t.kind == LEX_OPERATOR && (s[t.from] == ',' || s[t.from] == ';'));
	st->body_due = false;
}

void lex_scan(struct lex_state *st, const char *s, size_t n)
{
	st->depth = st->statement = 0;
	st->mismatch = st->body_due = false;
	st->statement_is_due = true;
	st->last = st->solid = st->word = (struct lex_token){.kind = LEX_NEWLINE, .dashes = -1};
	for (size_t at = 0;;) {
		struct lex_token t = lex_token(s, n, at);
		if (t.kind == LEX_END)
			return;
		at = t.to;
		if (t.kind == LEX_NEWLINE)
			st->statement_is_due = st->statement_is_due || (lines_count(st) && !lex_waits(st, s));
		else if (t.kind != LEX_COMMENT)
			begin(st, s, t);
		if (t.kind == LEX_OPEN)
			opened(st, s, t);
		else if (t.kind == LEX_CLOSE)
			at = closed(st, s, n, t);
		t.to = at;
		st->last = t;
		if (t.kind != LEX_COMMENT && t.kind != LEX_NEWLINE)
			st->word = t;
		if (t.kind != LEX_COMMENT && (t.kind != LEX_NEWLINE || lines_count(st)))
			st->solid = t;
	}
}

void lex_put_closers(const struct lex_state *st, struct buf *out)
{
	for (size_t d = st->depth; d-- > 0;) {
		buf_puts(out, st->stack[d].close);
		if (st->stack[d].needs_body)
			buf_puts(out, " X");
	}
}
