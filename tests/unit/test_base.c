#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/utf8.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

TEST(a_buffer_grows_and_ends_with_nul)
{
	struct buf b = BUF_INIT(10000);
	char want[10001];
	for (int i = 0; i < 10000; i++) {
		want[i] = (char)('a' + i % 26);
		buf_putc(&b, want[i]);
		if (b.data[b.len] != '\0')
			CHECK_INT(b.data[b.len], 0);
	}
	CHECK(!b.failed);
	CHECK_MEM(b.data, b.len, want, 10000);
	buf_release(&b);
	CHECK(!b.data && b.len == 0 && b.max == 10000);
	buf_release(&b);
}

TEST(the_ceiling_is_exact_and_keeps_the_contents)
{
	for (size_t n = 0; n <= 40; n++) {
		struct buf b = BUF_INIT(20);
		buf_put(&b, "0123456789", 10);
		buf_put(&b, "0123456789012345678901234567890123456789", n);
		CHECK_INT(b.failed, n > 10);
		CHECK_INT(b.len, n > 10 ? 10 : 10 + n);
		CHECK_INT(b.data[b.len], 0);
		buf_put(&b, "", 0); /* further appends are ignored, or harmless */
		buf_puts(&b, "x");
		CHECK_INT(b.failed, n >= 10);
		CHECK(b.len <= 20);
		buf_release(&b);
	}
}

TEST(sizes_near_the_largest_do_not_wrap)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	buf_puts(&b, "abc");
	CHECK(!buf_room(&b, SIZE_MAX - 2)); /* 3 + n is over size_t */
	CHECK(b.failed);
	CHECK_STR(b.data, "abc");
	buf_release(&b);
	struct buf none = BUF_INIT(0);
	buf_put(&none, "", 0);
	CHECK(!none.failed);
	buf_putc(&none, 'x');
	CHECK(none.failed);
	buf_release(&none);
}

#ifndef __SANITIZE_ADDRESS__ /* which cannot live in so little memory */
TEST(no_memory_fails_the_buffer)
{
	struct buf b = BUF_INIT(BUF_MAX_MESSAGE);
	struct rlimit small = {(rlim_t)256 << 20, (rlim_t)256 << 20};
	setrlimit(RLIMIT_AS, &small);
	buf_puts(&b, "kept");
	CHECK(!buf_room(&b, BUF_MAX_MESSAGE - 4));
	CHECK(b.failed);
	CHECK_STR(b.data, "kept");
	buf_clear(&b);
	buf_puts(&b, "again");
	CHECK_STR(b.data, "again");
	buf_release(&b);
}
#endif

TEST(printf_into_a_buffer)
{
	struct buf b = BUF_INIT(12);
	buf_printf(&b, "%d-%s", 42, "abc");
	CHECK_STR(b.data, "42-abc");
	buf_printf(&b, "%s", "123456");
	CHECK(!b.failed);
	buf_printf(&b, "%s", "x");
	CHECK(b.failed);
	CHECK_STR(b.data, "42-abc123456");
	buf_release(&b);
}

TEST(consume_takes_from_the_front)
{
	for (size_t n = 0; n <= 12; n++) {
		struct buf b = BUF_INIT(100);
		buf_puts(&b, "0123456789");
		buf_consume(&b, n);
		CHECK_STR(b.data, &"0123456789"[n < 10 ? n : 10]);
		CHECK_INT(b.len, n < 10 ? 10 - n : 0);
		buf_release(&b);
	}
}

TEST(detach_hands_over_the_block)
{
	struct buf b = BUF_INIT(100);
	size_t n = 99;
	char *p = buf_detach(&b, &n);
	CHECK_STR(p, "");
	CHECK_INT(n, 0);
	free(p);
	buf_puts(&b, "abc");
	p = buf_detach(&b, &n);
	CHECK_STR(p, "abc");
	CHECK_INT(n, 3);
	CHECK(!b.data && b.len == 0 && !b.failed && b.max == 100);
	free(p);
	buf_room(&b, 101);
	CHECK(!buf_detach(&b, &n));
	CHECK_INT(n, 0);
	CHECK(!b.failed);
}

TEST(trim_gives_memory_back)
{
	struct buf b = BUF_INIT(1 << 20);
	buf_room(&b, 100000);
	buf_trim(&b, 1000000);
	CHECK(b.cap > 100000);
	buf_trim(&b, 1000);
	CHECK_INT(b.cap, 0);
	CHECK_INT(b.max, 1 << 20);
}

TEST(an_error_is_cut_at_a_character)
{
	struct err e;
	char long_text[4000];
	for (size_t shift = 0; shift < 4; shift++) {
		size_t n = shift;
		memset(long_text, 'x', shift);
		while (n + 3 < sizeof long_text) {
			memcpy(long_text + n, "€", 3);
			n += 3;
		}
		long_text[n] = '\0';
		CHECK(!err_set(&e, "%s", long_text));
		CHECK(utf8_valid(e.msg, strlen(e.msg)));
		CHECK(strlen(e.msg) >= sizeof e.msg - 4);
		CHECK(!err_context(&e, "%s", "context"));
		CHECK(utf8_valid(e.msg, strlen(e.msg)));
		CHECK(strncmp(e.msg, "context: ", 9) == 0);
	}
}

TEST(errors_chain)
{
	struct err e = {0};
	errno = ENOENT;
	CHECK(!err_errno(&e, "cannot open %s", "x"));
	CHECK_INT(e.code, ENOENT);
	CHECK_STR(e.msg, "cannot open x: No such file or directory");
	CHECK(!err_context(&e, "doing %d", 2));
	CHECK_STR(e.msg, "doing 2: cannot open x: No such file or directory");
	CHECK_INT(e.code, ENOENT);
	CHECK(!err_set(&e, "new"));
	CHECK_INT(e.code, 0);
	CHECK(!err_set(NULL, "x") && !err_errno(NULL, "x") && !err_context(NULL, "x"));
}

TEST(the_log_is_private_and_one_line_an_entry)
{
	char path[PATH_MAX], text[9000] = "";
	struct stat st;
	unsetenv("CARRACK_LOG");
	umask(0);
	CHECK(log_open("unit", unit_path(path, "log"), LOG_INFO, NULL));
	errno = 77;
	log_info("a\xe9"
		 "b %s",
		 "ü");
	CHECK_INT(errno, 77);
	log_debug("not this");
	char big[8000];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	log_error("%s", big);
	log_close();
	int fd = open(path, O_RDONLY);
	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK(read(fd, text, sizeof text - 1) > 0);
	CHECK_HAS(text, " info: a\\xe9b ü\n");
	CHECK(!strstr(text, "not this"));
	CHECK_HAS(text, " error: xxxx");
	CHECK(utf8_valid(text, strlen(text)));
	setenv("CARRACK_LOG", "DEBUG", 1);
	CHECK(log_open("unit", NULL, LOG_ERROR, NULL));
	CHECK(log_enabled(LOG_DEBUG));
	struct err e;
	CHECK(!log_open("unit", "/nonexistent/log", LOG_ERROR, &e));
	CHECK_HAS(e.msg, "/nonexistent/log");
}

TEST(clocks)
{
	char when[CLOCK_ISO_LEN];
	int64_t a = clock_ns(), m = clock_ms();
	usleep(2000);
	CHECK(clock_ns() - a >= 2000000);
	CHECK(clock_ms() >= m + 1);
	clock_iso8601(when);
	CHECK_INT(strlen(when), strlen("2026-11-21T18:42:07.123456Z"));
	CHECK(when[10] == 'T' && when[19] == '.' && when[26] == 'Z');
}

UNIT_MAIN
