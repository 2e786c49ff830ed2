/* The publisher's order and its text, with a place of its own to send to in place of the sockets. */
#include "base/utf8.h"
#include "jupyter/publisher.h"
#include "unit.h"

static struct buf sent = BUF_INIT(BUF_MAX_MESSAGE); /* a line a message: topic, parent, content */
static struct publisher p;
static struct jp_sockets sockets;

bool jp_send(struct jp_sockets *s, enum jp_channel channel, struct jp_outgoing *o)
{
	CHECK_INT(channel, JP_IOPUB);
	CHECK_INT(o->n_ids, 1);
	struct slice content = jp_content(o);
	buf_printf(&sent, "%.*s %.*s %.*s\n", (int)o->ids[0].len, o->ids[0].data, (int)o->parent.len,
		   o->parent.data ? o->parent.data : "", (int)content.len, content.data);
	if (o->content)
		buf_release(o->content);
	return true;
}

static const char *said(void)
{
	static char *last;
	free(last);
	last = strdup(sent.data ? sent.data : "");
	buf_clear(&sent);
	return last;
}

static void text(enum pub_stream stream, const char *s)
{
	pub_text(&p, stream, s, strlen(s));
}

static void message(const struct pub_window *w, const char *type)
{
	struct buf content = BUF_INIT(100);
	buf_puts(&content, "{}");
	pub_message(&p, w, type, &content);
}

static void open_window(struct pub_window *w, const char *header, bool session)
{
	struct jp_message request = {.type = "x_request", .header_text = SLICE_STR(header)};
	CHECK(pub_open(&p, w, &request, session));
}

static void begin(void)
{
	pub_init(&p, &sockets);
}

#define OUT(parent, t) "stream.stdout " parent " {\"name\":\"stdout\",\"text\":\"" t "\"}\n"
#define ERR(parent, t) "stream.stderr " parent " {\"name\":\"stderr\",\"text\":\"" t "\"}\n"
#define BUSY(parent) "status " parent " {\"execution_state\":\"busy\"}\n"
#define IDLE(parent) "status " parent " {\"execution_state\":\"idle\"}\n"

TEST(a_window)
{
	struct pub_window w;
	begin();
	open_window(&w, "A", true);
	pub_cell_started(&p);
	text(PUB_STDOUT, "one ");
	text(PUB_STDOUT, "two");
	CHECK(pub_has_text(&p));
	message(NULL, "display_data");
	text(PUB_STDOUT, "three");
	pub_close(&p, &w);
	CHECK_STR(said(), BUSY("A") OUT("A", "one two") "display_data A {}\n" OUT("A", "three") IDLE("A"));
	text(PUB_STDOUT, "late"); /* belongs to the cell that started last */
	message(NULL, "display_data");
	CHECK_STR(said(), OUT("A", "late") "display_data A {}\n");
	text(PUB_STDOUT, "later");
	open_window(&w, "B", true);
	CHECK_STR(said(), OUT("A", "later") BUSY("B"));
	pub_close(&p, &w);
	text(PUB_STDOUT, "still A's: B was no cell");
	pub_flush(&p, false);
	CHECK_STR(said(), IDLE("B") OUT("A", "still A's: B was no cell"));
	pub_release(&p);
}

TEST(a_control_window_beside_the_cell)
{
	struct pub_window cell, control;
	begin();
	open_window(&cell, "A", true);
	text(PUB_STDOUT, "x");
	open_window(&control, "C", false);
	message(&control, "stream");
	pub_close(&p, &control);
	text(PUB_STDOUT, "y");
	pub_close(&p, &cell);
	CHECK_STR(said(), BUSY("A") BUSY("C") "stream C {}\n" IDLE("C") OUT("A", "xy") IDLE("A"));
	pub_release(&p);
}

TEST(streams_keep_their_order)
{
	begin();
	text(PUB_STDOUT, "a");
	text(PUB_STDERR, "b");
	text(PUB_STDERR, "c");
	text(PUB_STDOUT, "d");
	pub_flush(&p, false);
	pub_flush(&p, true);
	CHECK_STR(said(), OUT("", "a") ERR("", "bc") OUT("", "d"));
	pub_release(&p);
}

TEST(a_character_is_never_split)
{
	const char *s = "aé€😀z";
	for (size_t cut = 0; cut <= strlen(s); cut++) {
		begin();
		pub_text(&p, PUB_STDOUT, s, cut);
		pub_flush(&p, false); /* as the timer does */
		pub_text(&p, PUB_STDOUT, s + cut, strlen(s) - cut);
		pub_flush(&p, false);
		const char *all = said();
		CHECK(utf8_valid(all, strlen(all)));
		CHECK(!strstr(all, "\\\\x"));
		pub_release(&p);
	}
}

TEST(a_character_whose_end_comes_later)
{
	begin();
	text(PUB_STDOUT, "a\xe2");
	text(PUB_STDERR, "err\xf0\x9f"); /* each stream has a beginning of its own */
	text(PUB_STDOUT, "\x82\xac z");
	text(PUB_STDERR, "\x98\x80");
	pub_flush(&p, true);
	CHECK_STR(said(), OUT("", "a") ERR("", "err") OUT("", "€ z") ERR("", "😀"));
	pub_release(&p);
}

TEST(byte_by_byte_with_a_flush_after_each)
{
	const char *s = "é€😀\xff\xe2\x82z";
	begin();
	for (const char *at = s; *at; at++) {
		pub_text(&p, PUB_STDOUT, at, 1);
		pub_flush(&p, false);
	}
	pub_flush(&p, true);
	CHECK_STR(said(), OUT("", "é") OUT("", "€") OUT("", "😀") OUT("", "\\\\xff") OUT("", "\\\\xe2\\\\x82z"));
	pub_release(&p);
}

TEST(the_beginning_of_a_character_is_shown_at_the_end)
{
	struct pub_window w;
	begin();
	open_window(&w, "A", true);
	text(PUB_STDOUT, "a\xe2\x82");
	text(PUB_STDERR, "\xc3");
	pub_close(&p, &w);
	CHECK_STR(said(), BUSY("A") OUT("A", "a") ERR("A", "\\\\xc3") OUT("A", "\\\\xe2\\\\x82") IDLE("A"));
	text(PUB_STDOUT, "\xac"); /* and is not carried into what comes after */
	pub_flush(&p, true);
	CHECK_STR(said(), OUT("", "\\\\xac"));
	pub_release(&p);
}

TEST(a_flood_is_sent_in_pieces_and_whole)
{
	enum { N = 3 * (int)PUB_TEXT_MAX / 3 * 3 };
	static char flood[N];
	begin();
	for (int i = 0; i < N; i += 3)
		memcpy(flood + i, "€", 3);
	pub_text(&p, PUB_STDOUT, flood, 1);
	for (size_t at = 1; at < N; at += 10007)
		pub_text(&p, PUB_STDOUT, flood + at, N - at < 10007 ? N - at : 10007);
	pub_flush(&p, true);
	CHECK_INT(p.text_bytes, N);
	const char *all = said();
	size_t euros = 0, messages = 0;
	for (const char *at = all; *at; at++) {
		euros += strncmp(at, "€", 3) == 0;
		messages += *at == '\n';
	}
	CHECK_INT(euros, N / 3);
	CHECK(messages >= 3 && messages <= 6);
	CHECK(!strstr(all, "\\\\x"));
	pub_release(&p);
}

TEST(one_large_write_is_sent_in_pieces)
{
	enum { N = 1000001 };
	static char flood[N];
	begin();
	memset(flood, 'x', N);
	memcpy(flood + PUB_TEXT_MAX - 1, "é", 2); /* over the first seam */
	pub_text(&p, PUB_STDERR, flood, N);
	pub_flush(&p, true);
	CHECK_INT(p.text_bytes, N);
	CHECK(!strstr(said(), "\\\\x"));
	pub_release(&p);
}

UNIT_MAIN
