/* rd.c: the walk over a help page (rd.h): what Rd's tags mean. The rules are those that tools::Rd2HTML and Rd2txt follow. */
#include "session/rd_writer.h"

#include "rapi/value.h"
#include "session/rd_read.h"
#include "session/rd_usage.h"

struct walk {
	struct rd_writer *w;
	const struct rd_page *page;
	int depth, level;
	bool code;    /* usage, examples: text is code, too */
	bool unknown; /* something is not known: all that follows is void */
	struct rd_rewrite rewrite;
};

struct tag {
	const char *name;
	void (*write)(struct walk *k, SEXP x, int arg);
	int arg;
};

static void content(struct walk *k, SEXP x);
static void content_from(struct walk *k, SEXP x, R_xlen_t i);
static void write_section(struct walk *k, SEXP x, const char *title);

/* ---- text ---- */

/* A quoted brace is escaped in the source, as its parser counts it. */
static void put_code(struct walk *k, const char *s, size_t n)
{
	const char *at, *end = s + n;
	while ((at = memmem(s, (size_t)(end - s), "\"\\{\"", 4))) {
		k->w->verbatim(k->w, s, (size_t)(at - s) + 1);
		s = at + 2;
	}
	k->w->verbatim(k->w, s, (size_t)(end - s));
}

static void code(struct walk *k, SEXP x, int arg)
{
	for (R_xlen_t i = 0; TYPEOF(x) == STRSXP && i < XLENGTH(x); i++) {
		const char *s = r_text(x, i);
		struct slice t = rd_without_tabs(x, s, strlen(s));
		if (rd_rewriting(&k->rewrite))
			t = rd_rewrite(&k->rewrite, t);
		put_code(k, t.data, t.len);
	}
}

static void text(struct walk *k, SEXP x, int arg)
{
	if (k->code) {
		code(k, x, arg);
		return;
	}
	for (R_xlen_t i = 0; TYPEOF(x) == STRSXP && i < XLENGTH(x); i++) {
		const char *s = r_text(x, i);
		struct slice t = rd_without_tabs(x, s, strlen(s));
		k->w->text(k->w, t.data, t.len);
	}
}

static void nothing(struct walk *k, SEXP x, int arg)
{
}

static void inside(struct walk *k, SEXP x, int arg)
{
	content(k, x);
}

static void dots(struct walk *k, SEXP x, int arg)
{
	k->w->verbatim(k->w, "...", 3);
}

static void name_of_r(struct walk *k, SEXP x, int arg)
{
	k->w->text(k->w, "R", 1);
}

static void line_break(struct walk *k, SEXP x, int arg)
{
	k->w->line_break(k->w);
}

static void put_raw(void *to, const char *s, size_t n)
{
	struct rd_writer *w = to;
	w->raw(w, s, n);
}

static void raw(struct walk *k, SEXP x, int arg)
{
	for (R_xlen_t i = 0; i < rd_length(x); i++)
		rd_each_string(rd_child(x, i), put_raw, k->w);
}

static void styled(struct walk *k, SEXP x, int style)
{
	bool was = k->code;
	if (rd_length(x) == 0)
		return;
	k->code = was || style == RD_COMMAND;
	k->w->style(k->w, (enum rd_style)style, true);
	content(k, x);
	k->w->style(k->w, (enum rd_style)style, false);
	k->code = was;
}

static void encoded(struct walk *k, SEXP x, int arg)
{
	content(k, rd_child(x, 0));
}

/* ---- links ---- */

static void url(struct walk *k, SEXP x, int kind)
{
	struct slice s = rd_address(x);
	if (!s.len)
		return;
	k->w->link(k->w, (enum rd_link)kind, s.data, s.len, true);
	k->w->verbatim(k->w, s.data, s.len);
	k->w->link(k->w, (enum rd_link)kind, NULL, 0, false);
}

static void href(struct walk *k, SEXP x, int arg)
{
	struct slice s = rd_address(rd_child(x, 0));
	if (s.len)
		k->w->link(k->w, RD_HREF, s.data, s.len, true);
	content(k, rd_child(x, 1));
	if (s.len)
		k->w->link(k->w, RD_HREF, NULL, 0, false);
}

/* ---- formulas and pictures ---- */

static SEXP formula(struct walk *k, SEXP x)
{
	return rd_child(x, k->w->tex ? 0 : rd_length(x) - 1);
}

static void eqn(struct walk *k, SEXP x, int arg)
{
	styled(k, formula(k, x), RD_MATH);
}

static void deqn(struct walk *k, SEXP x, int arg)
{
	SEXP f = formula(k, x);
	if (rd_length(f) == 0)
		return;
	k->w->block(k->w, RD_DEQN, true);
	content(k, f);
	k->w->block(k->w, RD_DEQN, false);
}

/* The second part is text for those who cannot see it, or attributes for HTML, with that text among them. */
static void figure(struct walk *k, SEXP x, int arg)
{
	static struct buf file_kept, alt_kept;
	struct slice file = rd_plain(rd_child(x, 0), &file_kept), more = rd_plain(rd_child(x, 1), &alt_kept);
	char quote = '"';
	if (more.len > 9 && memcmp(more.data, "options: ", 9) == 0) {
		char *alt = strstr(alt_kept.data, "alt=");
		if (alt)
			quote = alt[4];
		char *end = alt && (quote == '"' || quote == '\'') ? strchr(alt + 5, quote) : NULL;
		if (end)
			*end = '\0';
		more.data = end ? alt + 5 : "";
	}
	if (file.len)
		k->w->figure(k->w, file.data, more.data);
}

/* ---- conditions ---- */

static bool holds(struct walk *k, SEXP condition)
{
	static struct buf kept;
	struct slice s = rd_plain(condition, &kept);
	char *rest = s.len ? kept.data : NULL;
	for (char *word; rest && (word = strsep(&rest, ", \n"));)
		if (rd_is(word, "TRUE") || rd_is(word, k->w->format))
			return true;
	return false;
}

static void conditional(struct walk *k, SEXP x, int has_else)
{
	if (holds(k, rd_child(x, 0)))
		content(k, rd_child(x, 1));
	else if (has_else)
		content(k, rd_child(x, 2));
}

static void r_code(struct walk *k, SEXP x, int arg)
{
	k->unknown |= !k->page->brief;
}

/* ---- lists ---- */

static void put_item(struct walk *k, SEXP x, enum rd_block list)
{
	struct rd_writer *w = k->w;
	if (rd_length(x) != 2) {
		k->unknown = true;
		return;
	}
	w->item(w, list, RD_LABEL);
	content(k, rd_child(x, 0));
	w->item(w, list, RD_BODY);
	content(k, rd_child(x, 1));
	w->item(w, list, RD_ITEM_END);
}

static bool is_invisible(SEXP x, const char *tag)
{
	return rd_is(tag, "COMMENT") || rd_is(tag, "USERMACRO") || (rd_is(tag, "TEXT") && rd_is_blank(r_text(x, 0)));
}

static void node(struct walk *k, SEXP x, const char *tag);

static void labelled(struct walk *k, SEXP x, int list)
{
	struct rd_writer *w = k->w;
	bool open = false;
	for (R_xlen_t i = 0; i < rd_length(x); i++) {
		SEXP e = rd_child(x, i);
		const char *tag = rd_tag(e);
		bool item = rd_is(tag, "\\item");
		if (item != open && !is_invisible(e, tag)) {
			w->block(w, (enum rd_block)list, item);
			open = item;
		}
		if (item)
			put_item(k, e, (enum rd_block)list);
		else if (!open)
			node(k, e, tag);
	}
	if (open)
		w->block(w, (enum rd_block)list, false);
}

static void listed(struct walk *k, SEXP x, int list)
{
	struct rd_writer *w = k->w;
	bool open = false, any = false;
	w->block(w, (enum rd_block)list, true);
	for (R_xlen_t i = 0; i < rd_length(x); i++) {
		SEXP e = rd_child(x, i);
		const char *tag = rd_tag(e);
		if (rd_is(tag, "\\item")) {
			if (open)
				w->item(w, (enum rd_block)list, RD_ITEM_END);
			w->item(w, (enum rd_block)list, RD_ITEM);
			open = any = true;
		} else if (any || !is_invisible(e, tag)) {
			node(k, e, tag);
			any = true;
		}
	}
	if (open)
		w->item(w, (enum rd_block)list, RD_ITEM_END);
	w->block(w, (enum rd_block)list, false);
}

static void preformatted(struct walk *k, SEXP x, int arg)
{
	bool was = k->code;
	k->code = true;
	k->w->block(k->w, RD_PREFORMATTED, true);
	content(k, x);
	k->w->block(k->w, RD_PREFORMATTED, false);
	k->code = was;
}

static void dont_run(struct walk *k, SEXP x, int arg)
{
	static const char begin[] = "## Not run: ", end[] = "\n## End(Not run)";
	k->w->verbatim(k->w, begin, sizeof begin - 1);
	content(k, x);
	if (rd_length(x) > 1)
		k->w->verbatim(k->w, end, sizeof end - 1);
}

/* ---- tables ---- */

static void table(struct walk *k, SEXP x, int arg)
{
	static struct buf kept;
	char format[64] = "";
	struct rd_writer *w = k->w;
	struct slice s = rd_plain(rd_child(x, 0), &kept);
	SEXP cells = rd_child(x, 1);
	bool row = false, cell = false;
	size_t column = 0;
	if (s.len == 0 || s.len >= sizeof format || strspn(s.data, "lcr") != s.len) {
		k->unknown = true;
		return;
	}
	memcpy(format, s.data, s.len + 1);
	w->table(w, RD_TABLE, 'l');
	for (R_xlen_t i = 0; i < rd_length(cells); i++) {
		SEXP e = rd_child(cells, i);
		const char *tag = rd_tag(e);
		bool tab = rd_is(tag, "\\tab"), cr = rd_is(tag, "\\cr");
		if (!row && is_invisible(e, tag))
			continue; /* between the rows, and after the last */
		if (!row)
			w->table(w, RD_ROW, 'l');
		if (!cell)
			w->table(w, RD_CELL, format[column < strlen(format) ? column : 0]);
		row = cell = true;
		if (tab || cr) {
			w->table(w, RD_CELL_END, 'l');
			cell = false;
			column = tab ? column + 1 : 0;
			k->unknown |= column >= strlen(format);
		} else {
			node(k, e, tag);
		}
		if (cr) {
			w->table(w, RD_ROW_END, 'l');
			row = false;
		}
	}
	if (cell)
		w->table(w, RD_CELL_END, 'l');
	if (row)
		w->table(w, RD_ROW_END, 'l');
	w->table(w, RD_TABLE_END, 'l');
}

/* ---- sections ---- */

static void subsection(struct walk *k, SEXP x, int arg)
{
	write_section(k, x, NULL);
}

static void section_body(struct walk *k, SEXP x, const char *tag)
{
	bool was = k->code;
	k->code = rd_is(tag, "\\usage") || rd_is(tag, "\\examples");
	if (rd_is(tag, "\\arguments") || rd_is(tag, "\\value"))
		labelled(k, x, RD_ARGUMENTS);
	else /* without the line break behind the opening brace */
		content_from(k, x, rd_is(r_text(rd_child(x, 0), 0), "\n"));
	k->rewrite = (struct rd_rewrite){0};
	k->code = was;
}

static void write_section(struct walk *k, SEXP x, const char *title)
{
	struct rd_writer *w = k->w;
	const char *tag = rd_tag(x);
	bool is_code = rd_is(tag, "\\usage") || rd_is(tag, "\\examples");
	w->section(w, RD_TITLE, k->level, is_code);
	if (title)
		w->text(w, title, strlen(title));
	else
		content(k, rd_child(x, 0));
	w->section(w, RD_CONTENT, k->level, is_code);
	k->level++;
	section_body(k, title ? x : rd_child(x, 1), tag);
	k->level--;
	w->section(w, RD_SECTION_END, k->level, is_code);
}

/* ---- the tags ---- */

/* In the order of strcmp. */
static const struct tag tags[] = {
    {"COMMENT", nothing, 0},
    {"LIST", inside, 0},
    {"RCODE", code, 0},
    {"TEXT", text, 0},
    {"UNKNOWN", code, 0},
    {"USERMACRO", nothing, 0},
    {"VERB", code, 0},
    {"\\R", name_of_r, 0},
    {"\\Sexpr", r_code, 0},
    {"\\acronym", styled, RD_ACRONYM},
    {"\\bold", styled, RD_BOLD},
    {"\\cite", styled, RD_CITE},
    {"\\code", styled, RD_CODE},
    {"\\command", styled, RD_COMMAND},
    {"\\cr", line_break, 0},
    {"\\dQuote", styled, RD_DQUOTE},
    {"\\deqn", deqn, 0},
    {"\\describe", labelled, RD_DESCRIBE},
    {"\\dfn", styled, RD_DFN},
    {"\\dontrun", dont_run, 0},
    {"\\dontshow", nothing, 0},
    {"\\donttest", inside, 0},
    {"\\dots", dots, 0},
    {"\\email", url, RD_EMAIL},
    {"\\emph", styled, RD_EMPH},
    {"\\enc", encoded, 0},
    {"\\enumerate", listed, RD_ENUMERATE},
    {"\\env", styled, RD_ENV},
    {"\\eqn", eqn, 0},
    {"\\figure", figure, 0},
    {"\\file", styled, RD_FILE},
    {"\\href", href, 0},
    {"\\if", conditional, 0},
    {"\\ifelse", conditional, 1},
    {"\\itemize", listed, RD_ITEMIZE},
    {"\\kbd", styled, RD_KBD},
    {"\\ldots", dots, 0},
    {"\\link", inside, 0},
    {"\\linkS4class", inside, 0},
    {"\\newcommand", nothing, 0},
    {"\\option", styled, RD_OPTION},
    {"\\out", raw, 0},
    {"\\pkg", styled, RD_PKG},
    {"\\preformatted", preformatted, 0},
    {"\\renewcommand", nothing, 0},
    {"\\sQuote", styled, RD_SQUOTE},
    {"\\samp", styled, RD_SAMP},
    {"\\special", inside, 0},
    {"\\strong", styled, RD_STRONG},
    {"\\subsection", subsection, 0},
    {"\\tabular", table, 0},
    {"\\testonly", nothing, 0},
    {"\\url", url, RD_URL},
    {"\\var", styled, RD_VAR},
    {"\\verb", styled, RD_VERB},
};

static int compare_tag(const void *name, const void *tag)
{
	return strcmp(name, ((const struct tag *)tag)->name);
}

static void node(struct walk *k, SEXP x, const char *tag)
{
	const struct tag *t = bsearch(tag, tags, ARRAY_LEN(tags), sizeof *tags, compare_tag);
	if (!t || k->depth > RD_MAX_DEPTH)
		k->unknown = true;
	if (k->unknown)
		return;
	k->depth++;
	t->write(k, x, t->arg);
	k->depth--;
}

/* The head of a method: what it is a method of, and for what; the call that follows is written as it is called. */
static void method(struct walk *k, SEXP x, R_xlen_t at)
{
	static struct buf generic_kept, class_kept, calls;
	SEXP e = rd_child(x, at);
	struct slice generic = rd_plain(rd_child(e, 0), &generic_kept), class = rd_plain(rd_child(e, 1), &class_kept);
	calls.max = BUF_MAX_SMALL;
	buf_clear(&calls);
	buf_put(&calls, "", 0);
	for (R_xlen_t i = at + 1; i < rd_length(x); i++)
		if (rd_is(rd_tag(rd_child(x, i)), "RCODE")) {
			rd_add_plain(&calls, rd_child(x, i), 0);
			buf_putc(&calls, '\f'); /* pieces are told apart */
		}
	struct slice head = rd_method(&k->rewrite, rd_is(rd_tag(e), "\\S4method"), generic, class, SLICE_BUF(&calls));
	put_code(k, head.data, head.len);
}

static bool is_method(const char *tag)
{
	return rd_is(tag, "\\method") || rd_is(tag, "\\S3method") || rd_is(tag, "\\S4method");
}

static void content_from(struct walk *k, SEXP x, R_xlen_t i)
{
	for (; i < rd_length(x) && !k->unknown; i++) {
		const char *tag = rd_tag(rd_child(x, i));
		if (is_method(tag))
			method(k, x, i);
		else
			node(k, rd_child(x, i), tag);
		/* A line that is only a comment is not an empty line. */
		if (!k->code && rd_is(tag, "COMMENT") && rd_is_blank(r_text(rd_child(x, i + 1), 0))) {
			k->w->text(k->w, " ", 1);
			i++;
		}
	}
}

static void content(struct walk *k, SEXP x)
{
	if (TYPEOF(x) == STRSXP)
		node(k, x, rd_tag(x));
	else
		content_from(k, x, 0);
}

/* ---- the page ---- */

static const struct section {
	const char *tag, *title;
	bool brief;
} sections[] = {
    {"\\alias", NULL, false},
    {"\\arguments", "Arguments", true},
    {"\\author", "Author(s)", false},
    {"\\concept", NULL, false},
    {"\\description", "Description", true},
    {"\\details", "Details", true},
    {"\\docType", NULL, false},
    {"\\encoding", NULL, false},
    {"\\examples", "Examples", false},
    {"\\format", "Format", false},
    {"\\keyword", NULL, false},
    {"\\note", "Note", false},
    {"\\references", "References", false},
    {"\\seealso", "See Also", false},
    {"\\source", "Source", false},
    {"\\usage", "Usage", true},
    {"\\value", "Value", true},
};

static void top(struct walk *k, SEXP x)
{
	const char *tag = rd_tag(x);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (rd_is(tag, sections[i].tag)) {
			if (sections[i].title && (sections[i].brief || !k->page->brief))
				write_section(k, x, sections[i].title);
			return;
		}
	if (!rd_is(tag, "\\section"))
		k->unknown |= !is_invisible(x, tag) && !k->page->brief;
	else if (!k->page->brief)
		write_section(k, x, NULL);
}

bool rd_walk(const struct rd_page *p, struct rd_writer *w)
{
	static struct buf name;
	struct walk k = {.w = w, .page = p};
	if (!rd_is(rd_tag(rd_child(p->rd, 0)), "\\title") || !rd_is(rd_tag(rd_child(p->rd, 1)), "\\name"))
		return false;
	w->begin(w, rd_plain(rd_child(p->rd, 1), &name).data, p->package);
	w->title(w, true);
	content(&k, rd_child(p->rd, 0));
	w->title(w, false);
	for (R_xlen_t i = 2; i < rd_length(p->rd) && !k.unknown; i++)
		top(&k, rd_child(p->rd, i));
	w->end(w);
	return !k.unknown && !w->out->failed;
}
