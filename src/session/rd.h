/* rd.h: help pages. A page is what R has installed for it: a parsed Rd file, a list of lists and strings with attributes `Rd_tag`
 * (tools::parse_Rd; "Parsing Rd files" by Duncan Murdoch), in which user macros are expanded, #ifdef is decided and the
 * sections are in order. tools makes HTML and text of it in R, in ten to fifty milliseconds each; here it is well under one.
 *
 * One walk (rd.c) knows what Rd's tags mean; what becomes of them is a writer's business: HTML (rd_html.c), text (rd_text.c, rd_fill.c),
 * which reads as tools::Rd2txt's, and Markdown (rd_markdown.c). A page that has something that is not known here is given back, for tools.
 */
#ifndef CARRACK_SESSION_RD_H
#define CARRACK_SESSION_RD_H

#include "base/buf.h"
#include "rapi/rapi.h"

struct rd_page {
	SEXP rd;
	const char *package;
	bool
	    brief; /* what a reader wants beside code: description, usage, arguments, details, value; nothing that would be run */
	int width; /* of text, in columns */
};

/* Each appends a form of the page, or returns false: the page, or the buffer, is not up to it. They do not hold anything that a jump would
 * lose but what is in `out`. */
bool rd_write_html(const struct rd_page *p, struct buf *out);
bool rd_write_text(const struct rd_page *p, struct buf *out);
bool rd_write_markdown(const struct rd_page *p, struct buf *out);

/* For R code: c(text, html, markdown) of a page, "" for the forms that are not asked for ("t", "h", "m" in `forms`), or NULL. */
SEXP ss_rd_page(SEXP rd, SEXP package, SEXP brief, SEXP width, SEXP forms);

#endif
