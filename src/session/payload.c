#include "session/payload.h"

#include "rapi/exec.h"
#include "rapi/json.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"

static bool running;
static struct buf items; /* JSON, with commas between */
static struct buf pages; /* the contents of display_data messages, each with its NUL */

void ss_payload_begin(void)
{
	running = !ss.silent;
	items.max = pages.max = BUF_MAX_MESSAGE;
	buf_clear(&items);
	buf_clear(&pages);
}

static void end(void)
{
	running = false;
	buf_release(&items);
	buf_release(&pages);
}

static SEXP member(SEXP list, const char *name)
{
	SEXP names = Rf_getAttrib(list, R_NamesSymbol);
	for (R_xlen_t i = 0; i < Rf_xlength(names); i++)
		if (strcmp(CHAR(STRING_ELT(names, i)), name) == 0)
			return VECTOR_ELT(list, i);
	return R_NilValue;
}

SEXP ss_payload_add(SEXP payload)
{
	static struct buf text; /* static: a jump leaves nothing behind */
	const void *vmax = vmaxget();
	bool page = strcmp(r_text(member(payload, "source"), 0), "page") == 0;
	vmaxset(vmax);
	if (!running || !ss.request || r_in_child() || r_sandboxed() || (page && ss.mode != SS_CONSOLE))
		return Rf_ScalarLogical(FALSE);
	text.max = BUF_MAX_MESSAGE;
	buf_clear(&text);
	if (page) {
		buf_puts(&text, "{\"data\":");
		r_json_write(&text, member(payload, "data"));
		buf_puts(&text, ",\"metadata\":{}}");
		buf_put(&pages, text.data, text.len + 1);
		buf_clear(&text);
	}
	if (items.len)
		buf_putc(&text, ',');
	r_json_write(&text, payload);
	buf_put(&items, text.data, text.len);
	buf_release(&text);
	return Rf_ScalarLogical(TRUE);
}

void ss_payload_put(struct buf *out)
{
	buf_putc(out, '[');
	if (!items.failed)
		buf_put(out, items.data, items.len);
	buf_putc(out, ']');
	end();
}

void ss_payload_give_up(void)
{
	running = false;
	for (size_t at = 0; at < pages.len; at += strlen(pages.data + at) + 1) {
		struct buf content = BUF_INIT(BUF_MAX_MESSAGE);
		buf_puts(&content, pages.data + at);
		ss_publish("display_data", &content);
	}
	end();
}
