/* lex.h: R's tokens, as far as is needed to know what is open at a place. Nothing here fails: any bytes are some tokens.
 *
 * A parser cannot say much about code that stops in the middle of a string; this can.
 */
#ifndef CARRACK_SYNTAX_LEX_H
#define CARRACK_SYNTAX_LEX_H

#include "base/buf.h"

enum lex_kind {
	LEX_END,
	LEX_NAME, /* also reserved words */
	LEX_NUMBER,
	LEX_STRING,
	LEX_BACKTICK,
	LEX_COMMENT,
	LEX_NEWLINE,
	LEX_OPEN,  /* ( [ [[ { */
	LEX_CLOSE, /* ) ] } */
	LEX_OPERATOR
};

struct lex_token {
	enum lex_kind kind;
	size_t from, to; /* bytes; of a comment without its line's end */
	bool open;       /* a string or backtick that has no end; then `to` is the end of the text */
	int dashes;      /* of a raw string r"---(…)---", -1: it is none */
	char bracket;    /* of a raw string: the closing one */
};

/* The token that begins at or after `at`; blanks are skipped. */
struct lex_token lex_token(const char *s, size_t n, size_t at);

/* True if the name s[from..to) is reserved and no value (`if`, `in`, `function`, …; not `TRUE`). */
bool lex_is_keyword(const char *s, size_t from, size_t to);

bool lex_name_byte(char c);

/* What is open at the end of a text. */
#define LEX_MAX_DEPTH 512

struct lex_open {
	char close[3];   /* what closes it */
	bool needs_body; /* the parentheses of if, for, while, function: something must follow them */
	size_t at;
	size_t statement; /* where the statement, or the argument, that is read last inside it begins */
};

struct lex_state {
	struct lex_open stack[LEX_MAX_DEPTH];
	size_t depth;           /* brackets deeper than LEX_MAX_DEPTH are not looked at */
	bool mismatch;          /* some bracket closed what was not open */
	bool body_due;          /* `word` is the closing bracket of if (…), for (…) or the like */
	size_t statement;       /* the one of lex_open, outside of all brackets */
	bool statement_is_due;  /* the next token begins one */
	struct lex_token last;  /* the last token, or the one that the text ends in */
	struct lex_token solid; /* the last token that is neither comment nor (where it means nothing) a line's end */
	struct lex_token word;  /* the last token that is neither comment nor line's end */
};

/* Reads all of s[0..n). *state needs no initialization. */
void lex_scan(struct lex_state *state, const char *s, size_t n);

/* True if what is read last (an operator, `else`, `if (x)`) waits for something. */
bool lex_waits(const struct lex_state *state, const char *s);

/* Appends what closes all that is open. */
void lex_put_closers(const struct lex_state *state, struct buf *out);

#endif
