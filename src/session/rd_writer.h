/* rd_writer.h: what a writer of help pages is told (rd.h). For rd*.c only.
 *
 * Calls nest as the page does. Text comes as it stands in the source: line breaks are blanks, and an empty line ends a paragraph.
 */
#ifndef CARRACK_SESSION_RD_WRITER_H
#define CARRACK_SESSION_RD_WRITER_H

#include "session/rd.h"

enum rd_style {
	RD_PLAIN,
	RD_ACRONYM,
	RD_BOLD,
	RD_CITE,
	RD_CODE,
	RD_COMMAND,
	RD_DFN,
	RD_DQUOTE,
	RD_EMPH,
	RD_ENV,
	RD_FILE,
	RD_KBD,
	RD_MATH, /* within: TeX or text, as the writer wants it */
	RD_OPTION,
	RD_PKG,
	RD_SAMP,
	RD_SQUOTE,
	RD_STRONG,
	RD_VAR,
	RD_VERB,
	RD_STYLES
};

enum rd_block {
	RD_ITEMIZE,
	RD_ENUMERATE,
	RD_DESCRIBE,
	RD_ARGUMENTS, /* of \arguments and \value: items among other things; opened before the first of them, closed after the last */
	RD_PREFORMATTED,
	RD_DEQN,
	RD_BLOCKS
};

enum rd_item {
	RD_ITEM,
	RD_LABEL,
	RD_BODY,
	RD_ITEM_END
}; /* lists with labels: RD_LABEL, RD_BODY, RD_ITEM_END; others: RD_ITEM, RD_ITEM_END */

enum rd_table { RD_TABLE, RD_ROW, RD_CELL, RD_CELL_END, RD_ROW_END, RD_TABLE_END };

enum rd_section { RD_TITLE, RD_CONTENT, RD_SECTION_END };

enum rd_link { RD_URL, RD_EMAIL, RD_HREF };

struct rd_writer {
	struct buf *out;
	const char *format; /* what \if asks for */
	bool tex;           /* formulas in TeX; otherwise the text that the author gives for it */
	void (*begin)(struct rd_writer *w, const char *name, const char *package);
	void (*title)(struct rd_writer *w, bool open); /* of the page */
	void (*text)(struct rd_writer *w, const char *s, size_t n);
	void (*verbatim)(struct rd_writer *w, const char *s, size_t n); /* blanks count */
	void (*raw)(struct rd_writer *w, const char *s, size_t n);      /* written in the writer's own format */
	void (*style)(struct rd_writer *w, enum rd_style style, bool open);
	void (*link)(struct rd_writer *w, enum rd_link kind, const char *url, size_t n, bool open);
	void (*line_break)(struct rd_writer *w);
	/* `level`: 0 for the page's own sections. `code`: usage and examples. Between RD_TITLE and RD_CONTENT comes the title. */
	void (*section)(struct rd_writer *w, enum rd_section part, int level, bool code);
	void (*block)(struct rd_writer *w, enum rd_block block, bool open);
	void (*item)(struct rd_writer *w, enum rd_block list, enum rd_item part);
	void (*table)(struct rd_writer *w, enum rd_table part, char align); /* align: l, c or r, of RD_CELL */
	void (*figure)(struct rd_writer *w, const char *file, const char *alt);
	void (*end)(struct rd_writer *w);
};

/* Walks over a page. False if there is something that is not known. */
bool rd_walk(const struct rd_page *p, struct rd_writer *w);

/* How many columns text takes on a screen. */
size_t rd_columns(const char *s, size_t n);

#endif
