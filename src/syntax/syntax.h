/* syntax.h: what R code says about a place in it, without R.
 *
 * Code at a cursor is usually not finished: brackets and strings are open, an operator waits for its right-hand side. It is
 * therefore read twice: the tokens before the cursor say what is open (lex.h), then a copy in which the cursor's place is
 * held by a name and all that is open is closed goes to tree-sitter. The answer is flat, so that who completes or inspects
 * needs no tree. The language of the answers is R's: a "member" is what stands after `$`.
 *
 *     struct syn_context *c = syn_context_new(code, n, cursor, &e);
 *     if (c && c->want == SYN_MEMBER) … c->object …
 *     syn_context_free(c);
 *
 * All slices point into the context or (`typed`) into the code, which must stay as long as the context does. Offsets are bytes. Code may
 * be anything; it should be UTF-8.
 */
#ifndef CARRACK_SYNTAX_SYNTAX_H
#define CARRACK_SYNTAX_SYNTAX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum syn_want {
	SYN_NOTHING,  /* a number, a comment, the name of a parameter, where an operator is due */
	SYN_NAME,     /* of a variable; perhaps of an argument */
	SYN_MEMBER,   /* object$… */
	SYN_SLOT,     /* object@… */
	SYN_EXPORT,   /* package::… */
	SYN_INTERNAL, /* package:::… */
	SYN_STRING
};

/* How an object is reached by names alone: df$a[["b"]]@c, pkg::x. The first step is NAME, EXPORT or INTERNAL. */
enum syn_step_kind {
	SYN_STEP_NAME,
	SYN_STEP_EXPORT,
	SYN_STEP_INTERNAL,
	SYN_STEP_MEMBER,
	SYN_STEP_SLOT,
	SYN_STEP_INDEX, /* [["name"]] */
	SYN_STEP_NUMBER /* [[1]] */
};

struct syn_step {
	enum syn_step_kind kind;
	struct slice name, package;
	long number;
};

#define SYN_PATH_MAX 12
struct syn_path {
	int n; /* 0: it is not reached so */
	struct syn_step step[SYN_PATH_MAX];
};

enum syn_frame_kind { SYN_CALL, SYN_SUBSET, SYN_SUBSET2 };

/* A call, x[…] or x[[…]] that the cursor is in the arguments of. */
struct syn_frame {
	enum syn_frame_kind kind;
	struct syn_path function; /* or the object that is indexed */
	struct syn_path first;    /* the object that the first argument, or what is piped in, comes down to */
	struct slice argument;    /* the name of the argument, empty if it has none */
	int position;             /* of the argument, from 0; what is piped in is not counted */
	int unnamed;              /* how many arguments before it have no name */
	bool piped;
	bool direct;        /* the argument's value is what is completed, not part of an expression */
	bool behind_braces; /* a { … } lies between */
};

/* An object whose columns may be meant: the head of a pipe, the data argument of a call around, the first
 * layer's data of a plot; the table of table[…]. */
struct syn_data {
	struct syn_path path;
	bool subset;
};

#define SYN_FRAMES_MAX 6
#define SYN_DATA_MAX 6
#define SYN_GIVEN_MAX 64

struct syn_context {
	enum syn_want want;
	struct slice typed;   /* what stands between the beginning of the name, or the string's quote, and the cursor */
	size_t from, to;      /* what is replaced; includes the backticks of a name, not the quotes of a string */
	char quote;           /* of the string or backticked name that the cursor is in, or '\0' */
	bool raw;             /* a raw string */
	bool closed;          /* its end is there */
	struct slice package; /* SYN_EXPORT, SYN_INTERNAL */
	struct syn_path object; /* SYN_MEMBER, SYN_SLOT */

	int n_frames; /* from the inside out */
	struct syn_frame frame[SYN_FRAMES_MAX];
	bool name_of_argument; /* frame[0]: what is typed may become `name = ` */
	bool has_equals;       /* … and the `=` is there */
	int n_given;           /* the names of frame[0]'s other arguments */
	struct slice given[SYN_GIVEN_MAX];

	int n_data;
	struct syn_data data[SYN_DATA_MAX];

	struct syn_impl *impl;
};

/* `cursor` is at most n. NULL and *e if there is no memory. */
struct syn_context *syn_context_new(const char *code, size_t n, size_t cursor, struct err *e) MUST_CHECK;
void syn_context_free(struct syn_context *c);

/* The end of the name, special operator or backticked name that the cursor is in, at the beginning or at the end of; the cursor, if
 * it is at none. A context for there is about the whole of it. */
size_t syn_word_end(const char *code, size_t n, size_t cursor);

/* Appends the blanks that the next line of unfinished code is to begin with: two (or a tab) more than the line where the bracket that is open, or
 * the statement that waits for its next part, begins. Nothing inside a string, where they would become part of it. */
void syn_indent(const char *code, size_t n, struct buf *out);

enum syn_local { SYN_LOCAL_VARIABLE, SYN_LOCAL_FUNCTION, SYN_LOCAL_PARAMETER };

/* The names that the code before the cursor defines in the scopes around it, the latest first; a name may come more than once. */
void syn_each_local(const struct syn_context *c, void (*fn)(void *to, struct slice name, enum syn_local kind),
		    void *to);

/* The parameters of a function that the code itself defines by this name. False if it defines none. */
bool syn_each_parameter(const struct syn_context *c, struct slice name, void (*fn)(void *to, struct slice parameter),
			void *to);

#endif
