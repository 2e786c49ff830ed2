/* fuzz_options.c: any bytes as a cell with `#|` lines (session/options.h). */
#include "fuzz.h"

#include "session/options.h"

#include <math.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

static bool sensible(double v)
{
	return v == 0 || (isfinite(v) && v > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cell_options o;
	struct buf problems = BUF_INIT(BUF_MAX_SMALL), again = BUF_INIT(BUF_MAX_SMALL);
	struct cell_options second;
	cell_options_read(&o, (const char *)data, n, &problems);
	FUZZ_CHECK(sensible(o.fig_width) && sensible(o.fig_height) && sensible(o.fig_dpi) && sensible(o.timeout));
	FUZZ_CHECK(memchr(o.fig_format, '\0', sizeof o.fig_format));
	FUZZ_CHECK(o.any || !(o.fig_width || o.fig_height || o.fig_dpi || o.timeout || o.fig_format[0] ||
			      o.no_warning || o.no_message || o.go_on));
	FUZZ_CHECK(!problems.len || problems.data[problems.len - 1] == '\n');
	cell_options_read(&second, (const char *)data, n, &again);
	FUZZ_CHECK(problems.len == again.len && o.any == second.any);
	buf_release(&problems);
	buf_release(&again);
	return 0;
}
