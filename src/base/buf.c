#include "base/buf.h"

#include "base/memory.h"

void buf_init(struct buf *b, size_t max)
{
	*b = BUF_INIT(max);
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

void buf_trim(struct buf *b, size_t keep)
{
	if (b->cap > keep)
		buf_release(b);
	else
		buf_clear(b);
}

static bool grow(struct buf *b, size_t cap)
{
	char *p = mem_realloc(b->data, cap);
	if (!p)
		return false;
	b->data = p;
	b->cap = cap;
	return true;
}

char *buf_room(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->max || b->len > b->max - n) {
		b->failed = true;
		return NULL;
	}
	size_t need = b->len + n + 1;
	if (need > b->cap) {
		size_t cap = b->cap ? b->cap + b->cap / 2 + 1 : 64;
		b->failed = !grow(b, cap < need ? need : cap);
		if (b->failed)
			return NULL;
	}
	return b->data + b->len;
}

bool buf_want(struct buf *b, size_t n)
{
	if (b->failed || n > b->max || b->len > b->max - n)
		return false;
	bool room = buf_room(b, n) != NULL;
	b->failed = false;
	return room;
}

void buf_reserve(struct buf *b, size_t n)
{
	if (!b->failed && n <= b->max && b->len <= b->max - n && b->len + n + 1 > b->cap)
		grow(b, b->len + n + 1);
}

void buf_added(struct buf *b, size_t n)
{
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_put(struct buf *b, const void *bytes, size_t n)
{
	char *to = buf_room(b, n);
	if (!to)
		return;
	if (n)
		memcpy(to, bytes, n);
	buf_added(b, n);
}

void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	char *to = n < 0 ? NULL : buf_room(b, (size_t)n);
	if (to) {
		vsnprintf(to, (size_t)n + 1, fmt, again);
		buf_added(b, (size_t)n);
	} else {
		b->failed = true;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		buf_clear(b);
		return;
	}
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

char *buf_detach(struct buf *b, size_t *len)
{
	if (!b->data)
		buf_put(b, "", 0);
	char *p = b->failed ? NULL : b->data;
	if (b->failed)
		free(b->data);
	if (len)
		*len = p ? b->len : 0;
	*b = BUF_INIT(b->max);
	return p;
}
