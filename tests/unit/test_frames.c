/* The C frames: taken, named, described with and without a buffer. */
#include "unit.h"

#include "base/clock.h"
#include "rapi/frames.h"

#include <fcntl.h>

static size_t taken;
static void *pcs[R_FRAMES_MAX];

__attribute__((noinline)) static void a_static_function(size_t max)
{
	taken = r_frames_take(pcs, max);
}

static int compare(const void *a, const void *b)
{
	a_static_function(R_FRAMES_MAX);
	return 0;
}

TEST(our_functions_are_named_also_static_ones)
{
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	r_frames_init();
	a_static_function(R_FRAMES_MAX);
	CHECK(taken >= 3);
	r_frames_put(&b, pcs, taken);
	CHECK(strncmp(b.data, "#0  test_frames  a_static_function+0x", 37) == 0);
	CHECK_HAS(b.data, "our_functions_are_named_also_static_ones+0x");
	CHECK_HAS(b.data, "libc.so.6  __libc_start_main");
	buf_release(&b);
}

TEST(functions_of_libraries_are_named)
{
	int two[] = {1, 2};
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	r_frames_init();
	qsort(two, 2, sizeof *two, compare);
	r_frames_put(&b, pcs, taken);
	CHECK_HAS(b.data, "libc.so.6  qsort");
	buf_release(&b);
}

TEST(no_more_than_there_is_room_for)
{
	a_static_function(1);
	CHECK_INT(taken, 1);
	a_static_function(0);
	CHECK_INT(taken, 0);
	a_static_function((size_t)1 << 40);
	CHECK(taken > 1 && taken <= R_FRAMES_MAX);
}

TEST(a_line_is_cut_at_its_room)
{
	char line[64];
	r_frames_init();
	a_static_function(R_FRAMES_MAX);
	size_t n = r_frames_line(line, sizeof line, 12345678901234567u, pcs[0]);
	CHECK_INT(strlen(line), n);
	CHECK(n < sizeof line);
}

TEST(addresses_that_are_nowhere)
{
	char line[128];
	r_frames_init();
	r_frames_line(line, sizeof line, 0, (void *)16);
	CHECK_STR(line, "#0  ?  0x10");
	r_frames_line(line, sizeof line, 1, NULL);
	CHECK_STR(line, "#1  ?  0x0");
}

TEST(to_a_descriptor)
{
	char path[PATH_MAX], text[4096] = "";
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	int fd = open(unit_path(path, "frames"), O_RDWR | O_CREAT, 0600);
	r_frames_init();
	a_static_function(3);
	r_frames_write(fd, pcs, taken);
	r_frames_put(&b, pcs, taken);
	CHECK(pread(fd, text, sizeof text - 1, 0) > 0);
	CHECK_STR(text, b.data);
	buf_release(&b);
	close(fd);
}

TEST(taking_costs_less_than_a_millisecond)
{
	r_frames_init();
	int64_t begin = clock_ns();
	for (int i = 0; i < 1000; i++)
		a_static_function(R_FRAMES_MAX);
	CHECK(clock_ns() - begin < 1000 * (int64_t)1000000);
}

UNIT_MAIN
