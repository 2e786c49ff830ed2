/* display.c: visible values, and what R code publishes.
 *
 * A value is printed as R prints it; in a notebook, where it adds something, one richer form goes with it. The printing is the user's
 * code and may fail visibly; making the rich form may not: then there is none, and the log says why.
 */
#include "session/display.h"

#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/value.h"
#include "session/look.h"
#include "session/print.h"

/* The members of `data` and of `metadata`, without braces, of the value that is being shown. */
static struct buf forms, metadata;

static void forget(void)
{
	if (!forms.max) {
		buf_init(&forms, BUF_MAX_MESSAGE);
		buf_init(&metadata, BUF_MAX_MESSAGE);
	}
	buf_trim(&forms, (size_t)1 << 16);
	buf_trim(&metadata, (size_t)1 << 16);
}

/* ---- which forms are wanted ---- */

static bool is_wanted(const char *mime)
{
	SEXP types = r_option("jupyter.display_mimetypes");
	if (TYPEOF(types) != STRSXP)
		return !strcmp(mime, "text/html");
	for (R_xlen_t i = 0; i < XLENGTH(types); i++)
		if (!strcmp(CHAR(STRING_ELT(types, i)), mime))
			return true;
	return false;
}

static bool rich_is_off(void)
{
	SEXP option = r_option("jupyter.rich_display");
	return Rf_isLogical(option) && Rf_xlength(option) == 1 && LOGICAL_ELT(option, 0) == FALSE;
}

/* ---- tables ---- */

static const struct {
	const char *mime;
	void (*write)(const struct table *t, struct buf *out);
	void (*title)(const char *title, struct buf *out);
} languages[] = {{"text/html", table_html, table_html_title},
		 {"text/markdown", table_markdown, table_markdown_title},
		 {"text/latex", table_latex, table_latex_title}};

struct tables {
	SEXP value;
	struct buf *text; /* one for each language */
	bool any;
};

static bool write_table(struct tables *w, SEXP x)
{
	struct table t;
	if (!table_from(x, &t))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		if (is_wanted(languages[i].mime))
			languages[i].write(&t, &w->text[i]);
	return true;
}

static void write_name(struct tables *w, SEXP names, R_xlen_t i)
{
	const char *name = TYPEOF(names) == STRSXP ? table_string(names, i) : "";
	char *title = R_alloc(strlen(name) + 32, 1);
	if (*name)
		snprintf(title, strlen(name) + 32, "$%s", name);
	else
		snprintf(title, 32, "[[%lld]]", (long long)i + 1);
	for (size_t k = 0; k < ARRAY_LEN(languages); k++)
		if (is_wanted(languages[k].mime))
			languages[k].title(title, &w->text[k]);
}

#define MAX_LIST 20

/* A list that has only tables in it, and not too many. */
static bool write_list(struct tables *w, SEXP x)
{
	SEXP names = PROTECT(Rf_getAttrib(x, R_NamesSymbol));
	bool all = TYPEOF(x) == VECSXP && !OBJECT(x) && XLENGTH(x) > 0 && XLENGTH(x) <= MAX_LIST;
	for (R_xlen_t i = 0; all && i < XLENGTH(x); i++) {
		write_name(w, names, i);
		all = write_table(w, VECTOR_ELT(x, i));
	}
	UNPROTECT(1);
	return all;
}

static void write_tables(void *data)
{
	struct tables *w = data;
	w->any = write_table(w, w->value) || write_list(w, w->value);
}

/* What the value looks like from outside: is it worth a try? */
static bool may_be_table(SEXP x)
{
	if (TYPEOF(x) == VECSXP)
		return true;
	return (Rf_isVectorAtomic(x) && Rf_getAttrib(x, R_DimSymbol) != R_NilValue);
}

static void add_tables(SEXP value)
{
	static struct buf text[ARRAY_LEN(languages)];
	struct tables w = {.value = value, .text = text};
	const void *vmax = vmaxget();
	if (!may_be_table(value))
		return;
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		buf_trim(&text[i], 0);
		buf_init(&text[i], BUF_MAX_MESSAGE);
	}
	if (!r_try_exec(write_tables, &w))
		ss_log("warn", "a table cannot be shown as such: %s", R_curErrorBuf());
	else if (w.any)
		for (size_t i = 0; i < ARRAY_LEN(languages); i++)
			if (text[i].len && !text[i].failed) {
				jx_key(&forms, languages[i].mime);
				jx_string(&forms, text[i].data, text[i].len);
			}
	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		buf_release(&text[i]);
	vmaxset(vmax);
}

/* ---- forms that R code makes ---- */

struct bundle {
	SEXP list;
	struct buf *data, *metadata;
};

static void write_bundle(void *data)
{
	struct bundle *b = data;
	ss_bundle(b->data, VECTOR_ELT(b->list, 0));
	ss_bundle_object(b->metadata, VECTOR_ELT(b->list, 1));
}

/* Takes the braces off. */
static void members(struct buf *to, const struct buf *object)
{
	if (object->len > 2 && !object->failed)
		buf_put(to, object->data + 1, object->len - 2);
}

/* list(data, metadata) into `forms` and `metadata`. */
static bool add_bundle(SEXP list)
{
	static struct buf data, more;
	struct bundle b = {list, &data, &more};
	buf_init(&data, BUF_MAX_MESSAGE);
	buf_init(&more, BUF_MAX_MESSAGE);
	bool ok = r_try_exec(write_bundle, &b);
	if (ok) {
		members(&forms, &data);
		members(&metadata, &more);
	} else {
		ss_log("warn", "a rich form of a value cannot be sent: %s", R_curErrorBuf());
	}
	buf_release(&data);
	buf_release(&more);
	return ok;
}

/* Methods of packages and of the user (modules/display.R): they run as the user's code, so that they can be interrupted; their errors
 * are caught there. True if there was something. May jump. */
static bool add_by_methods(const char *function, SEXP value)
{
	SEXP list = PROTECT(r_call_module(function, 1, &value));
	bool ok = TYPEOF(list) == VECSXP && XLENGTH(list) == 2 && add_bundle(list) && forms.len;
	UNPROTECT(1);
	return ok;
}

/* ---- whether there can be any: most values have no such methods, and to look for them in R takes longer than to print them ---- */

static bool inherits_any(SEXP x, const char *const *classes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (Rf_inherits(x, classes[i]))
			return true;
	return false;
}

/* forms_without_print() of modules/display.R looks for these. */
static bool may_be_unprinted(SEXP x)
{
	static const char *const classes[] = {"help_files_with_topic", "vignette", "shiny.appobj", "shiny.tag",
					      "shiny.tag.list",        "html",     "htmlwidget"};
	return IS_S4_OBJECT(x) || inherits_any(x, classes, ARRAY_LEN(classes));
}

static bool is_loaded(const char *package)
{
	return R_existsVarInFrame(R_NamespaceRegistry, Rf_install(package));
}

/* repr is loaded, or will be because of what a package has to say about it. */
static bool may_have_repr(void)
{
	SEXP hooks = PROTECT(Rf_eval(Rf_install(".userHooksEnv"), R_BaseEnv));
	bool hooked = TYPEOF(hooks) != ENVSXP || R_existsVarInFrame(hooks, Rf_install("UserHook::repr::onLoad"));
	UNPROTECT(1);
	return hooked || is_loaded("repr");
}

/* A function `repr_html.class` or the like that the user can see. */
static bool has_method(SEXP generics, SEXP classes)
{
	char name[256];
	for (R_xlen_t i = 0; i < XLENGTH(classes); i++)
		for (R_xlen_t g = 0; g < XLENGTH(generics); g++) {
			int n = snprintf(name, sizeof name, "%s.%s", CHAR(STRING_ELT(generics, g)), r_text(classes, i));
			if (n >= (int)sizeof name || look_is_visible(Rf_install(name)))
				return true;
		}
	return false;
}

/* What forms_beside_text() looks for. */
static bool may_have_forms(SEXP x)
{
	static const char *const classes[] = {"knitr_kable", "WebServer",      "htmlwidget",
					      "shiny.tag",   "shiny.tag.list", "html"};
	if (IS_S4_OBJECT(x) || inherits_any(x, classes, ARRAY_LEN(classes)) || is_loaded("knitr") || may_have_repr())
		return true;
	SEXP generics = PROTECT(Rf_eval(Rf_install("mime_generics"), r_kept(R_KEEP_MODULES)));
	bool has = has_method(generics, Rf_getAttrib(x, R_ClassSymbol));
	UNPROTECT(1);
	return has;
}

/* ---- values ---- */

/* A method of repr_text() goes before what print() shows. */
static bool has_text(void)
{
	static const char key[] = "\"text/plain\":";
	return forms.len > sizeof key && memcmp(forms.data, key, sizeof key - 1) == 0;
}

static void publish(const struct buf *text, bool result)
{
	struct buf content = BUF_INIT(BUF_MAX_MESSAGE);
	buf_putc(&content, '{');
	if (result)
		jx_key_int(&content, "execution_count", ss.count);
	jx_key(&content, "data");
	buf_putc(&content, '{');
	if (text) {
		jx_key(&content, "text/plain");
		jx_string(&content, text->data, text->len);
	}
	if (forms.len && text)
		buf_putc(&content, ',');
	buf_put(&content, forms.data, forms.len);
	buf_puts(&content, "},\"metadata\":{");
	buf_put(&content, metadata.data, metadata.len);
	buf_puts(&content, "}}");
	forget();
	ss_publish(result ? "execute_result" : "display_data", &content);
}

/* A table so large that R's print would leave rows out anyway is printed with fewer. */
static void print(SEXP value, bool rich)
{
	const void *vmax = vmaxget();
	bool done = ss_print_table(value, rich);
	vmaxset(vmax);
	if (done)
		return;
	if (rich && may_be_table(value) && r_call_module("print_cut", 1, &value) != R_NilValue)
		return;
	Rf_PrintValue(value);
}

/* The value's text, without the line's end, is in *text. May jump. */
static void print_into(struct buf *text, SEXP value, bool rich)
{
	buf_trim(text, (size_t)1 << 16);
	ss_console_capture();
	print(value, rich);
	ss_console_capture_end(text);
	if (text->len && text->data[text->len - 1] == '\n')
		text->data[--text->len] = '\0';
}

void ss_show(SEXP value, bool last)
{
	static struct buf text;
	bool rich = ss.mode == SS_NOTEBOOK && !rich_is_off();
	if (ss.silent)
		return;
	if (!last && ss.mode != SS_NOTEBOOK) {
		Rf_PrintValue(value);
		return;
	}
	if (!text.max)
		buf_init(&text, BUF_MAX_MESSAGE);
	forget();
	/* Widgets and pages: their print methods open a browser. */
	if (rich && OBJECT(value) && may_be_unprinted(value) && add_by_methods("forms_unprinted", value)) {
		publish(NULL, last);
		return;
	}
	print_into(&text, value, rich);
	if (!text.len)
		return;
	if (rich && !(OBJECT(value) && may_have_forms(value) && add_by_methods("forms", value)))
		add_tables(value);
	publish(has_text() ? NULL : &text, last);
	buf_trim(&text, (size_t)1 << 16);
}

void ss_inline_forms(struct buf *out, SEXP value)
{
	static struct buf bundle; /* static: a jump leaves nothing behind */
	if (ss.mode != SS_NOTEBOOK || rich_is_off())
		return;
	if (!bundle.max)
		buf_init(&bundle, BUF_MAX_MESSAGE);
	buf_clear(&bundle);
	SEXP list = PROTECT(r_call_module("inline_forms", 1, &value));
	if (TYPEOF(list) == VECSXP && XLENGTH(list))
		ss_bundle(&bundle, list);
	if (bundle.len > 2 && !bundle.failed) {
		buf_putc(out, ',');
		buf_put(out, bundle.data + 1, bundle.len - 2); /* without the braces */
	}
	buf_trim(&bundle, (size_t)1 << 16);
	UNPROTECT(1);
}

/* ---- what R code publishes: called from modules/display.R; they may jump ---- */

SEXP ss_display_publish(SEXP update, SEXP data, SEXP more, SEXP transient)
{
	static struct buf content;
	if (!content.max)
		buf_init(&content, BUF_MAX_MESSAGE);
	buf_clear(&content);
	buf_puts(&content, "{\"data\":");
	ss_bundle(&content, data);
	buf_puts(&content, ",\"metadata\":");
	ss_bundle_object(&content, more);
	buf_puts(&content, ",\"transient\":");
	ss_bundle_object(&content, transient);
	buf_putc(&content, '}');
	if (content.failed)
		Rf_error("this is larger than a message may be");
	ss_console_capture_flush();
	ss_publish(Rf_asLogical(update) == TRUE ? "update_display_data" : "display_data", &content);
	return R_NilValue;
}

SEXP ss_display_clear(SEXP wait)
{
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	bool later = Rf_asLogical(wait) == TRUE;
	ss_console_capture_flush();
	buf_putc(&content, '{');
	jx_key_bool(&content, "wait", later);
	buf_putc(&content, '}');
	ss_publish("clear_output", &content);
	return R_NilValue;
}

SEXP ss_display_log(SEXP text)
{
	const void *vmax = vmaxget();
	ss_log("warn", "%s", r_text(text, 0));
	vmaxset(vmax);
	return R_NilValue;
}
