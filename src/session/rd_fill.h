/* rd_fill.h: text in lines, as tools::Rd2txt lays a page out: words are filled into paragraphs that are indented, or lines are kept as they are.
 * For rd_text.c only. */
#ifndef CARRACK_SESSION_RD_FILL_H
#define CARRACK_SESSION_RD_FILL_H

#include "base/buf.h"
#include "base/slice.h"

#define RD_FILL_DEPTH 16

/* What has been put and is not yet laid out, and how it will be. */
struct rd_fill_state {
	struct buf pending;
	int indent;
	bool keep_lines;  /* not filled */
	bool keep_indent; /* the first line begins where its text says: a label stands there */
	bool drop_blanks; /* nothing but blanks has come since the last block */
	int blank_lines;  /* that end the output */
};

struct rd_fill {
	struct buf *out;
	int width;
	int depth; /* of captures */
	struct rd_fill_state state[RD_FILL_DEPTH];
};

/* The buffers of a struct rd_fill are kept from page to page, as R may jump while one is written: it is static. */
void rd_fill_begin(struct rd_fill *f, struct buf *out, int width);
struct rd_fill_state *rd_fill_now(struct rd_fill *f);

void rd_fill_words(struct rd_fill *f, const char *s, size_t n); /* turns to filling */
void rd_fill_lines(struct rd_fill *f, const char *s, size_t n); /* turns to keeping lines */
void rd_fill_put(struct rd_fill *f, const char *s, size_t n);   /* as it is now */
void rd_fill_flush(struct rd_fill *f);
void rd_fill_blank(struct rd_fill *f, int n); /* ends the block; n empty lines come next */

/* What is put between these two is not laid out: it comes back as text, valid until the next capture. False: too deep. */
bool rd_fill_capture(struct rd_fill *f);
struct slice rd_fill_captured(struct rd_fill *f);

/* One paragraph: words of s, the first line indented by `first`, the others by `rest`. */
void rd_fill_paragraph(struct buf *out, struct slice s, int width, int first, int rest);

void rd_fill_pad(struct buf *out, int n);

/* The few words of TeX that stand in formulas which the author has not written as text: s[0..left) is behind a backslash. Puts what stands for
 * it, and returns how many bytes were read. Names of letters are written out, which is to drop the backslash: nothing is read of them. */
size_t rd_formula(struct rd_fill *f, const char *s, size_t left);

#endif
