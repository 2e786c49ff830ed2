/* What code says about a place in it. The cursor is written as ‸. */
#include "unit.h"

#include "base/buf.h"
#include "syntax/syntax.h"

#define CURSOR "\u2038"

static char code[4096];
static size_t code_len;

/* The context at the cursor's sign in `text`. */
static struct syn_context *at(const char *text)
{
	const char *mark = strstr(text, CURSOR);
	size_t cursor = mark ? (size_t)(mark - text) : strlen(text);
	struct err e = {0};
	snprintf(code, sizeof code, "%.*s%s", (int)cursor, text, mark ? mark + strlen(CURSOR) : "");
	code_len = strlen(code);
	struct syn_context *c = syn_context_new(code, code_len, cursor, &e);
	if (!c) {
		fprintf(stderr, "%s\n", e.msg);
		abort();
	}
	return c;
}

static const char *show(struct slice s)
{
	static char ring[8][256];
	static int next;
	char *to = ring[next++ % 8];
	snprintf(to, 256, "%.*s", (int)s.len, s.data ? s.data : "");
	return to;
}

static const char *show_path(const struct syn_path *p)
{
	static const char *const before[] = {"", "::", ":::", "$", "@", "[[", "[[#"};
	static char ring[8][1024];
	static int next;
	char *to = ring[next++ % 8];
	size_t len = 0;
	*to = '\0';
	for (int i = 0; i < p->n; i++)
		len += (size_t)snprintf(to + len, 1024 - len, "%s%s%s", show(p->step[i].package),
					before[p->step[i].kind], show(p->step[i].name));
	return to;
}

static struct buf seen;

static void note_local(void *to, struct slice name, enum syn_local kind)
{
	static const char *const kinds[] = {"", "()", "?"};
	buf_printf(to, "%s%s ", show(name), kinds[kind]);
}

static const char *locals(const char *text)
{
	struct syn_context *c = at(text);
	buf_init(&seen, BUF_MAX_SMALL);
	syn_each_local(c, note_local, &seen);
	syn_context_free(c);
	return seen.data ? seen.data : "";
}

static void note_parameter(void *to, struct slice name)
{
	buf_printf(to, "%s ", show(name));
}

#define WANT(text, want_, typed_)                   \
	do {                                        \
		struct syn_context *c_ = at(text);  \
		CHECK_INT(c_->want, want_);         \
		CHECK_STR(show(c_->typed), typed_); \
		syn_context_free(c_);               \
	} while (0)

TEST(what_is_wanted)
{
	WANT("", SYN_NAME, "");
	WANT("mea‸", SYN_NAME, "mea");
	WANT("me‸an(1)", SYN_NAME, "me");
	WANT("‸mean(1)", SYN_NAME, "");
	WANT("x <- 1\n  y‸\nz", SYN_NAME, "y");
	WANT("1 + ", SYN_NAME, "");
	WANT("if (a) ‸", SYN_NAME, "");
	WANT("function(x) ‸", SYN_NAME, "");
	WANT("\\(x) ‸", SYN_NAME, "");
	WANT("for (i in ‸", SYN_NAME, "");
	WANT("{", SYN_NAME, "");
	WANT("f(x) ‸", SYN_NOTHING, "");
	WANT("f(x)‸", SYN_NOTHING, "");
	WANT("x ‸", SYN_NOTHING, "");
	WANT("12‸", SYN_NOTHING, "");
	WANT("1e-5‸", SYN_NOTHING, "");
	WANT("0xFFL‸", SYN_NOTHING, "");
	WANT("# mea‸", SYN_NOTHING, "");
	WANT("x # mea‸\ny", SYN_NOTHING, "");
	WANT("'a'‸", SYN_NOTHING, "");
	WANT("function(xa‸", SYN_NOTHING, "xa");
	WANT("function(x, y = xa‸", SYN_NAME, "xa");
	WANT("größ‸", SYN_NAME, "größ");
	WANT("!x‸", SYN_NAME, "x");
	WANT("?me‸", SYN_NAME, "me");
	WANT("x %in% a‸", SYN_NAME, "a");
	WANT("`my v‸", SYN_NAME, "my v");
	WANT("`my v‸` + 1", SYN_NAME, "my v");
	WANT("fo‸", SYN_NAME, "fo");
	WANT("if‸", SYN_NAME, "if");
}

TEST(broken_code_is_read_too)
{
	WANT("f(a, b))\ng(x‸", SYN_NAME, "x");
	WANT("x <- )\nmea‸", SYN_NAME, "mea");
	WANT("f(]]\ndf$a‸", SYN_MEMBER, "a");
	WANT("}}}\ny‸", SYN_NAME, "y");
	WANT("x <<<- 5 5 5\nlibrary(‸", SYN_NAME, "");
	WANT("\xff\xfe x‸", SYN_NAME, "x");
}

TEST(strings)
{
	struct syn_context *c = at("library(\"dpl‸");
	CHECK_INT(c->want, SYN_STRING);
	CHECK_STR(show(c->typed), "dpl");
	CHECK_INT(c->from, 9);
	CHECK_INT(c->to, 12);
	CHECK_INT(c->quote, '"');
	CHECK(!c->closed);
	CHECK_STR(show_path(&c->frame[0].function), "library");
	CHECK(c->frame[0].direct);
	syn_context_free(c);

	c = at("f(1, file = 'a/b‸c')");
	CHECK_INT(c->want, SYN_STRING);
	CHECK(c->closed);
	CHECK_STR(show(c->typed), "a/b");
	CHECK_STR(show(c->frame[0].argument), "file");
	CHECK_INT(c->frame[0].position, 1);
	syn_context_free(c);

	c = at("r\"--(C:/a‸");
	CHECK_INT(c->want, SYN_STRING);
	CHECK(c->raw && !c->closed);
	CHECK_STR(show(c->typed), "C:/a");
	syn_context_free(c);

	WANT("'it\\'s‸", SYN_STRING, "it\\'s");
	WANT("\"‸", SYN_STRING, "");
	WANT("x <- \"a‸\ny <- \"b\"", SYN_STRING, "a");
}

TEST(members)
{
	struct syn_context *c = at("df$a‸b");
	CHECK_INT(c->want, SYN_MEMBER);
	CHECK_STR(show_path(&c->object), "df");
	CHECK_INT(c->from, 3);
	syn_context_free(c);

	c = at("print(a$b[[\"c d\"]]@e$`f g`[[2]]$‸");
	CHECK_INT(c->want, SYN_MEMBER);
	CHECK_STR(show_path(&c->object), "a$b[[c d@e$f g[[#2");
	CHECK_INT(c->object.step[5].number, 2);
	CHECK_STR(show_path(&c->frame[0].function), "print");
	syn_context_free(c);

	c = at("x <- pkg::obj@sl‸\ny <- 2");
	CHECK_INT(c->want, SYN_SLOT);
	CHECK_STR(show_path(&c->object), "pkg::obj");
	syn_context_free(c);

	c = at("f(1)$a‸");
	CHECK_INT(c->want, SYN_MEMBER);
	CHECK_INT(c->object.n, 0);
	syn_context_free(c);

	c = at("df$`my c‸`");
	CHECK_INT(c->want, SYN_MEMBER);
	CHECK_STR(show(c->typed), "my c");
	CHECK_INT(c->from, 3);
	CHECK_INT(c->to, 9);
	syn_context_free(c);

	c = at("df$\nprint(1)");
	syn_context_free(c);
}

TEST(packages)
{
	struct syn_context *c = at("stats::rno‸");
	CHECK_INT(c->want, SYN_EXPORT);
	CHECK_STR(show(c->package), "stats");
	CHECK_STR(show(c->typed), "rno");
	CHECK_INT(c->from, 7);
	syn_context_free(c);
	c = at("f(stats:::‸");
	CHECK_INT(c->want, SYN_INTERNAL);
	CHECK_STR(show(c->package), "stats");
	CHECK_STR(show_path(&c->frame[0].function), "f");
	syn_context_free(c);
	WANT("a:b‸", SYN_NAME, "b");
}

TEST(frames)
{
	struct syn_context *c = at("outer(1, mean(x, na.rm = TRUE, tr‸");
	CHECK_INT(c->n_frames, 2);
	CHECK_STR(show_path(&c->frame[0].function), "mean");
	CHECK_STR(show_path(&c->frame[0].first), "x");
	CHECK_INT(c->frame[0].position, 2);
	CHECK_STR(show_path(&c->frame[1].function), "outer");
	CHECK(c->name_of_argument && !c->has_equals);
	CHECK_INT(c->n_given, 1);
	CHECK_STR(show(c->given[0]), "na.rm");
	syn_context_free(c);

	c = at("mean(‸, na.rm = TRUE)\ny = 3");
	CHECK(c->name_of_argument);
	CHECK_INT(c->n_given, 1);
	syn_context_free(c);

	c = at("mean(tri‸m = 3)");
	CHECK(c->name_of_argument && c->has_equals);
	syn_context_free(c);

	c = at("mean(trim = a‸)");
	CHECK(!c->name_of_argument);
	CHECK_STR(show(c->frame[0].argument), "trim");
	syn_context_free(c);

	c = at("mean(1 + a‸)");
	CHECK(!c->name_of_argument && !c->frame[0].direct);
	syn_context_free(c);

	c = at("lapply(x, function(i) { pas‸");
	CHECK(!c->name_of_argument);
	CHECK(c->frame[0].behind_braces);
	syn_context_free(c);

	c = at("g$new(a = 1, ‸)");
	CHECK_STR(show_path(&c->frame[0].function), "g$new");
	syn_context_free(c);

	c = at("mean(x ‸");
	CHECK_INT(c->want, SYN_NOTHING);
	CHECK_STR(show_path(&c->frame[0].function), "mean");
	syn_context_free(c);

	c = at("df[[\"a‸");
	CHECK_INT(c->want, SYN_STRING);
	CHECK_INT(c->frame[0].kind, SYN_SUBSET2);
	CHECK_STR(show_path(&c->frame[0].function), "df");
	syn_context_free(c);

	c = at("df[1, c(\"a\", \"b‸");
	CHECK_INT(c->frame[1].kind, SYN_SUBSET);
	CHECK_INT(c->frame[1].position, 1);
	syn_context_free(c);
}

static const char *data_at(const char *text, int i)
{
	struct syn_context *c = at(text);
	const char *path = i < c->n_data ? show_path(&c->data[i].path) : "";
	static char kept[1024]; /* the slices end with the context */
	snprintf(kept, sizeof kept, "%s", path);
	syn_context_free(c);
	return kept;
}

TEST(data)
{
	CHECK_STR(data_at("df |> filter(‸", 0), "df");
	CHECK_STR(data_at("y <- a$df %>% filter(x > 1) %>%\n  select(‸", 0), "a$df");
	CHECK_STR(data_at("filter(df, x) %>% select(‸", 0), "df");
	CHECK_STR(data_at("df[df$x > 1, ] |> head(‸", 0), "df");
	CHECK_STR(data_at("ggplot(df, aes(x‸", 0), "df");
	CHECK_STR(data_at("ggplot(aes(x‸), data = df)", 0), "df");
	CHECK_STR(data_at("ggplot(df) + geom_point() + geom_line(aes(‸", 0), "df");
	CHECK_STR(data_at("df |> ggplot() + geom_line(aes(‸", 0), "df");
	CHECK_STR(data_at("lm(y ~ ‸, data = df)", 0), "df");
	CHECK_STR(data_at("with(df, {\n  a +‸", 0), "df");
	CHECK_STR(data_at("dt[, .(m = mean(‸", 0), "dt");
	CHECK_STR(data_at("nrow(df) + ‸", 0), "");
	struct syn_context *c = at("dt[a‸");
	CHECK(c->n_data == 1 && c->data[0].subset);
	syn_context_free(c);
}

TEST(names_in_scope)
{
	CHECK_STR(locals("a <- 1\nb = 2; 3 -> d\n‸\ne <- 4"), "a b d ");
	CHECK_STR(locals("f <- function(p, q = 1, ...) {\n  u <- 1\n  for (i in 1:3) ‸"), "f() p? q? u i ");
	CHECK_STR(locals("f <- function(p) { u <- 1 }\nv <<- 2\n‸"), "f() v ");
	CHECK_STR(locals("assign(\"w\", 2)\n`a b` <- 1\n'c' <- 2\n‸"), "w a b c ");
	CHECK_STR(locals("sapply(x, \\(k) k‸"), "k? ");
	/* The parser puts in what is missing, without a name. */
	CHECK_STR(locals("f <- function(a, = 2, b) {\n  ‸\n}"), "f() a? b? ");
	CHECK_STR(locals("ab <- 1\nab‸"), "ab ");
	buf_release(&seen);
}

TEST(parameters)
{
	struct syn_context *c = at("f <- function(alpha, beta = 2, ...) alpha\nf(‸");
	struct buf out = BUF_INIT(BUF_MAX_SMALL);
	CHECK(syn_each_parameter(c, SLICE_STR("f"), note_parameter, &out));
	CHECK_STR(out.data, "alpha beta ... ");
	CHECK(!syn_each_parameter(c, SLICE_STR("g"), note_parameter, &out));
	buf_release(&out);
	syn_context_free(c);
}

TEST(words)
{
	CHECK_INT(syn_word_end("mean(x)", 7, 2), 4);
	CHECK_INT(syn_word_end("mean(x)", 7, 0), 4);
	CHECK_INT(syn_word_end("mean(x)", 7, 4), 4);
	CHECK_INT(syn_word_end("mean(x)", 7, 5), 6);
	CHECK_INT(syn_word_end("`a b`+1", 7, 2), 4);
	CHECK_INT(syn_word_end("1 + 2", 5, 3), 3);
}

static const char *indent(const char *text)
{
	buf_release(&seen);
	buf_init(&seen, BUF_MAX_SMALL);
	syn_indent(text, strlen(text), &seen);
	return seen.data ? seen.data : "";
}

TEST(indents)
{
	CHECK_STR(indent("f <- function(x) {"), "  ");
	CHECK_STR(indent("f <- function(x) {\n  x + 1"), "  ");
	CHECK_STR(indent("f <- function(x) {\n  if (x) {"), "    ");
	CHECK_STR(indent("f <- function(x) {\n    if (x) {"), "      ");
	CHECK_STR(indent("f <- function(x) {\n\tif (x) {"), "\t\t");
	CHECK_STR(indent("f(g({"), "  ");
	CHECK_STR(indent("f(a,"), "  ");
	CHECK_STR(indent("f(\n  a,"), "  ");
	CHECK_STR(indent("f(\n  a +"), "    ");
	CHECK_STR(indent("f(\n  a +\n    b,"), "  ");
	CHECK_STR(indent("x <-"), "  ");
	CHECK_STR(indent("x |>"), "  ");
	CHECK_STR(indent("x |>\n  f() |>"), "  ");
	CHECK_STR(indent("x %>%\n  f(\n    1\n  ) %>%  # remark"), "  ");
	CHECK_STR(indent("x |>\n  f("), "    ");
	CHECK_STR(indent("x |>\n# remark\n\n"), "  ");
	CHECK_STR(indent("{\n  x |>\n    f()\n  y"), "  ");
	CHECK_STR(indent("{\n  a; y +"), "    ");
	CHECK_STR(indent("if (x)"), "  ");
	CHECK_STR(indent("if (x) {\n  1\n} else"), "  ");
	CHECK_STR(indent("function(x)"), "  ");
	CHECK_STR(indent("\"ab"), "");
	CHECK_STR(indent("f(\"ab"), "");
	CHECK_STR(indent("`ab"), "");
	CHECK_STR(indent("r\"(ab"), "");
	CHECK_STR(indent("x"), "");
	CHECK_STR(indent(""), "");
	buf_release(&seen);
}

TEST(every_place_of_odd_code)
{
	static const char *const odd[] = {"f(a[[b]], `c d`$e, \"s\\\"\", r\"(x)\") |> g(\\(x) x + 1)",
					  "((((((",
					  "]])}\"",
					  "%%%%",
					  "if (a) { b } else function(x) -> y",
					  "x::y:::z@@$$",
					  "\xf0\x9f\x98\x80\xf0"};
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		for (size_t k = 0; k <= strlen(odd[i]); k++) {
			struct err e = {0};
			struct syn_context *c = syn_context_new(odd[i], strlen(odd[i]), k, &e);
			CHECK(c && c->from <= k && c->to >= k && c->to <= strlen(odd[i]));
			if (c)
				CHECK(!*locals("") || true);
			syn_context_free(c);
			struct buf blanks = BUF_INIT(BUF_MAX_SMALL);
			syn_indent(odd[i], k, &blanks);
			buf_release(&blanks);
		}
	buf_release(&seen);
}

TEST(deep_nesting)
{
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	for (int i = 0; i < 20000; i++)
		buf_puts(&b, "f(");
	struct err e = {0};
	struct syn_context *c = syn_context_new(b.data, b.len, b.len, &e);
	CHECK(c && c->n_frames == SYN_FRAMES_MAX);
	syn_context_free(c);
	buf_release(&b);
}

UNIT_MAIN
