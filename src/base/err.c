#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>

static void finish(struct err *e, int n)
{
	if (n >= (int)sizeof e->msg)
		e->msg[utf8_cut(e->msg, sizeof e->msg - 1)] = '\0';
}

bool err_set(struct err *e, const char *fmt, ...)
{
	if (!e)
		return false;
	va_list ap;
	va_start(ap, fmt);
	e->code = 0;
	finish(e, vsnprintf(e->msg, sizeof e->msg, fmt, ap));
	va_end(ap);
	return false;
}

bool err_errno(struct err *e, const char *fmt, ...)
{
	int code = errno;
	if (!e)
		return false;
	char what[768];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	e->code = code;
	finish(e, snprintf(e->msg, sizeof e->msg, "%s: %s", what, strerror(code)));
	return false;
}

bool err_context(struct err *e, const char *fmt, ...)
{
	if (!e)
		return false;
	char context[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(context, sizeof context, fmt, ap);
	va_end(ap);
	char old[sizeof e->msg];
	memcpy(old, e->msg, sizeof old);
	finish(e, snprintf(e->msg, sizeof e->msg, "%s: %s", context, old));
	return false;
}
