#include "base/utf8.h"
#include "history_fixture.h"

#include <sys/stat.h>

static struct history *three_sessions(void)
{
	struct history *h = begin();
	add(h, 1, "x <- 1");
	add(h, 2, "x");
	output(h, 2, "[1] 1");
	add(h, 3, "plot(x)");
	h = again(h);
	add(h, 1, "x");
	add(h, 2, "y[1]");
	h = again(h);
	add(h, 1, "x");
	add(h, 2, "print(\"é\\n\")");
	output(h, 2, "[1] \"é\"");
	add(h, 3, "x[2]");
	add(h, 4, "q");
	return h;
}

TEST(nothing_is_made_before_something_is_stored)
{
	struct history *h = begin();
	CHECK_INT(history_timeout(h), -1);
	history_flush(h);
	history_close(h);
	CHECK_INT(access(file, F_OK), -1);
}

TEST(a_null_history_keeps_nothing)
{
	add(NULL, 1, "x");
	output(NULL, 1, "x");
	history_flush(NULL);
	CHECK_INT(history_timeout(NULL), -1);
	CHECK_STR(ask(NULL, "{'hist_access_type':'tail','n':3}"), "[]");
	history_close(NULL);
}

TEST(tail)
{
	struct history *h = three_sessions();
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':3,'output':false,'raw':true}"),
		  "[[3,2,\"print(\\\"é\\\\n\\\")\"],[3,3,\"x[2]\"],[3,4,\"q\"]]");
	CHECK_STR(
	    ask(h, "{'hist_access_type':'tail','n':6}"),
	    "[[2,1,\"x\"],[2,2,\"y[1]\"],[3,1,\"x\"],[3,2,\"print(\\\"é\\\\n\\\")\"],[3,3,\"x[2]\"],[3,4,\"q\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':0}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':-1}"), "[]");
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'tail','n':1000000}"), ",\""), 9);
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'tail','n':null}"), ",\""), 9);
	for (long i = 5; i < 30; i++)
		add(h, i, "more");
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'tail'}"), ",\""), HISTORY_TAIL_DEFAULT);
	history_close(h);
}

TEST(output_goes_with_input)
{
	struct history *h = three_sessions();
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':3,'output':true}"),
		  "[[3,2,[\"print(\\\"é\\\\n\\\")\",\"[1] \\\"é\\\"\"]],[3,3,[\"x[2]\",null]],[3,4,[\"q\",null]]]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':1,'start':2,'stop':3,'output':true}"),
		  "[[1,2,[\"x\",\"[1] 1\"]]]");
	output(h, 4, "one");
	history_flush(h);
	output(h, 4, "two");
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':1,'output':true}"), "[[3,4,[\"q\",\"two\"]]]");
	output(h, 99, "without a line");
	h = again(h);
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':1,'output':true}"), "[[3,4,[\"q\",\"two\"]]]");
	history_close(h);
}

TEST(range_of_this_session)
{
	struct history *h = three_sessions();
	const char *all = "[[3,1,\"x\"],[3,2,\"print(\\\"é\\\\n\\\")\"],[3,3,\"x[2]\"],[3,4,\"q\"]]";
	CHECK_STR(ask(h, "{'hist_access_type':'range'}"), all);
	CHECK_STR(ask(h, "{}"), all);
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':0,'start':0}"), all);
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':3,'start':1,'stop':0}"), all);
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':1,'stop':100}"), all);
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':1,'stop':null}"), all);
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':3,'stop':4}"), "[[3,3,\"x[2]\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':3,'stop':3}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':4,'stop':2}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':5}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':-2}"), "[[3,3,\"x[2]\"],[3,4,\"q\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':-2,'stop':-1}"), "[[3,3,\"x[2]\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':1,'stop':-5}"), "[]");
	history_close(h);
}

TEST(range_of_other_sessions)
{
	struct history *h = three_sessions();
	const char *two = "[[2,1,\"x\"],[2,2,\"y[1]\"]]";
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':2}"), two);
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':-1}"), two);
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':-1,'start':-1}"), "[[2,2,\"y[1]\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':-2,'start':1,'stop':2}"), "[[1,1,\"x <- 1\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':-3}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':-4}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':4}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':-9223372036854775808}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':9223372036854775807}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':-9223372036854775808,'stop':-9223372036854775808}"),
		  "[]");
	h = again(h); /* this session has no line yet */
	CHECK_STR(ask(h, "{'hist_access_type':'range'}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'range','session':-2}"), two);
	history_close(h);
}

TEST(search)
{
	struct history *h = three_sessions();
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'x'}"), "[[1,2,\"x\"],[2,1,\"x\"],[3,1,\"x\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'x','unique':true}"), "[[3,1,\"x\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'x*','n':2}"), "[[3,1,\"x\"],[3,3,\"x[2]\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'x*','unique':true}"),
		  "[[1,1,\"x <- 1\"],[3,1,\"x\"],[3,3,\"x[2]\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'x*','unique':true,'n':2}"),
		  "[[3,1,\"x\"],[3,3,\"x[2]\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'*[?]'}"), "[[2,2,\"y[1]\"],[3,3,\"x[2]\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'[xy]'}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'*\\\"?\\\\n*'}"),
		  "[[3,2,\"print(\\\"é\\\\n\\\")\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'X'}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':''}"), "[]");
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'*','n':0}"), "[]");
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'search'}"), ",\""), 9);
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'search','unique':true}"), ",\""), 7);
	CHECK_STR(ask(h, "{'hist_access_type':'search','pattern':'x','unique':true,'output':true}"),
		  "[[3,1,[\"x\",null]]]");
	history_close(h);
}

TEST(bad_requests_are_errors)
{
	struct history *h = three_sessions();
	CHECK_HAS(ask(h, "{'hist_access_type':'all'}"), "error: hist_access_type must be");
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	buf_puts(&b, "{'hist_access_type':'search','pattern':'");
	while (b.len < HISTORY_MAX_PATTERN + 60)
		buf_puts(&b, "**********");
	buf_puts(&b, "'}");
	CHECK_HAS(ask(h, b.data), "error: a history pattern has at most 1024 bytes");
	buf_release(&b);
	CHECK_STR(ask(h, "{'hist_access_type':7,'n':'x','session':[],'start':'1','output':1}"),
		  ask(h, "{'hist_access_type':'range'}"));
	history_close(h);
}

TEST(an_answer_needs_room)
{
	struct history *h = three_sessions();
	struct buf small = BUF_INIT(20);
	struct err e = {0};
	json_t *v = json_pack("{s:s,s:i}", "hist_access_type", "tail", "n", 10);
	CHECK(!history_answer(h, v, &small, &e));
	CHECK_HAS(e.msg, "no room");
	json_decref(v);
	buf_release(&small);
	history_close(h);
}

TEST(lines_are_kept_as_typed)
{
	struct history *h = begin();
	history_add(h, 1, "a\0b\n", 4);
	history_add(h, 2, "", 0); /* nothing was run */
	add(h, 3, "\t'\"\\\x01 é 𝔘\n\n");
	const char *want = "[[1,1,\"a\\u0000b\\n\"],[1,3,\"\\t'\\\"\\\\\\u0001 é 𝔘\\n\\n\"]]";
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), want);
	h = again(h);
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), want);
	history_close(h);
}

TEST(the_same_line_again_replaces_it)
{
	struct history *h = begin();
	add(h, 1, "one");
	output(h, 1, "1");
	history_flush(h);
	add(h, 1, "two");
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"two\"]]");
	h = again(h);
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"two\"]]");
	history_close(h);
}

TEST(ceilings)
{
	struct history *h = begin();
	size_t n = HISTORY_MAX_LINE + 1;
	char *big = malloc(n);
	memset(big, 'x', n);
	history_add(h, 1, big, n);
	history_add(h, 2, big, n - 1);
	memcpy(big + HISTORY_MAX_OUTPUT - 1, "é", 2);
	history_output(h, 2, big, n);
	struct buf out = BUF_INIT(BUF_MAX_MESSAGE);
	json_t *v = json_pack("{s:s,s:b}", "hist_access_type", "tail", "output", 1);
	CHECK(history_answer(h, v, &out, NULL));
	CHECK_INT(out.len, HISTORY_MAX_LINE + HISTORY_MAX_OUTPUT - 1 + strlen("[[1,2,[\"\",\"\"]]]"));
	CHECK(utf8_valid(out.data, out.len));
	json_decref(v);
	buf_release(&out);
	free(big);
	history_close(h);
}

TEST(memory_has_a_ceiling_and_the_rest_is_on_disk)
{
	struct history *h = begin();
	char code[64];
	for (long i = 1; i <= HISTORY_MAX_LINES + 50; i++) {
		snprintf(code, sizeof code, "line%ld", i);
		add(h, i, code);
		if (i % 1000 == 0)
			history_flush(h);
	}
	CHECK_STR(ask(h, "{'hist_access_type':'range','start':49,'stop':53}"),
		  "[[1,49,\"line49\"],[1,50,\"line50\"],[1,51,\"line51\"],[1,52,\"line52\"]]");
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'search'}"), "\"line"), HISTORY_MAX_LINES + 50);
	CHECK_STR(log_text(), "");
	history_close(h);
}

TEST(memory_alone_keeps_the_newest)
{
	struct history *h = begin();
	CHECK_INT(mkdir(unit_path((char[PATH_MAX]){0}, "data"), 0700), 0);
	CHECK_INT(mkdir(file, 0700), 0); /* a directory where the file should be: also for root unusable */
	size_t n = HISTORY_MAX_BYTES / 40;
	char *big = malloc(n);
	memset(big, 'x', n);
	for (long i = 1; i <= 100; i++)
		history_add(h, i, big, n);
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'search'}"), ",\"x"), 40);
	CHECK_INT(count_of(log_text(), "\n"), 2);
	CHECK_HAS(log_text(), "cannot open the history file");
	CHECK_HAS(log_text(), "the oldest lines are lost");
	free(big);
	history_close(h);
}

UNIT_MAIN
