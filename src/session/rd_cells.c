#include "session/rd_cells.h"

#include "session/rd_writer.h"

#define MAX_COLUMNS 64

void rd_cells_begin(struct rd_cells *t)
{
	t->n = 0;
	t->text.max = BUF_MAX_SMALL;
	buf_clear(&t->text);
	buf_put(&t->text, "", 0);
}

bool rd_cells_add(struct rd_cells *t, struct slice s, char align)
{
	size_t at = t->text.len;
	while (s.len > 0 && strchr(" \n\t", s.data[s.len - 1]))
		s.len--;
	while (s.len > 0 && strchr(" \n\t", *s.data)) {
		s.data++;
		s.len--;
	}
	if (t->n == RD_CELLS || t->text.failed)
		return false;
	/* Lines of a cell begin at its left. */
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] != ' ' || t->text.len == at || t->text.data[t->text.len - 1] != '\n')
			buf_putc(&t->text, s.data[i]);
	t->cell[t->n++] = (struct rd_cell){.at = at, .len = t->text.len - at, .align = align};
	return !t->text.failed;
}

void rd_cells_end_row(struct rd_cells *t)
{
	if (t->n > 0)
		t->cell[t->n - 1].last = true;
}

static struct slice line_of(const struct rd_cells *t, const struct rd_cell *c, size_t line)
{
	const char *s = t->text.data + c->at, *end = s + c->len, *stop;
	for (; line > 0 && s < end; line--) {
		stop = memchr(s, '\n', (size_t)(end - s));
		s = stop ? stop + 1 : end;
	}
	stop = memchr(s, '\n', (size_t)(end - s));
	return (struct slice){s, (size_t)((stop ? stop : end) - s)};
}

static size_t count_lines(const struct rd_cells *t, const struct rd_cell *c)
{
	size_t n = 1;
	for (size_t i = 0; i < c->len; i++)
		n += t->text.data[c->at + i] == '\n';
	return n;
}

static size_t widest_line(const struct rd_cells *t, const struct rd_cell *c)
{
	size_t most = 0;
	for (size_t i = 0; i < count_lines(t, c); i++) {
		struct slice s = line_of(t, c, i);
		size_t columns = rd_columns(s.data, s.len);
		most = columns > most ? columns : most;
	}
	return most;
}

static void put_blanks(struct rd_fill *f, size_t n)
{
	while (n-- > 0)
		rd_fill_put(f, " ", 1);
}

static void put_cell(struct rd_fill *f, struct slice s, size_t width, char align)
{
	size_t columns = rd_columns(s.data, s.len), room = width > columns ? width - columns : 0;
	size_t left = align == 'r' ? room : align == 'c' ? room / 2 : 0;
	put_blanks(f, 1 + left);
	rd_fill_put(f, s.data, s.len);
	put_blanks(f, room - left + 1);
}

static void put_row(const struct rd_cells *t, struct rd_fill *f, const struct rd_cell *row, const size_t *width)
{
	size_t n = 1, lines = 1;
	while (!row[n - 1].last)
		n++;
	for (size_t i = 0; i < n; i++) {
		size_t more = count_lines(t, &row[i]);
		lines = more > lines ? more : lines;
	}
	for (size_t line = 0; line < lines; line++) {
		rd_fill_lines(f, "", 0);
		rd_fill_now(f)->drop_blanks = false;
		for (size_t i = 0; i < n; i++)
			put_cell(f, line_of(t, &row[i], line), i < MAX_COLUMNS ? width[i] : 0, row[i].align);
		rd_fill_put(f, "\n", 1);
	}
}

void rd_cells_put(struct rd_cells *t, struct rd_fill *f)
{
	size_t width[MAX_COLUMNS] = {0};
	rd_cells_end_row(t);
	for (size_t i = 0, column = 0; i < t->n; i++) {
		size_t most = widest_line(t, &t->cell[i]);
		if (column < MAX_COLUMNS && most > width[column])
			width[column] = most;
		column = t->cell[i].last ? 0 : column + 1;
	}
	rd_fill_blank(f, 1);
	rd_fill_now(f)->indent++;
	for (size_t i = 0; i < t->n; i++)
		if (i == 0 || t->cell[i - 1].last)
			put_row(t, f, &t->cell[i], width);
	rd_fill_blank(f, 1);
	rd_fill_now(f)->indent--;
	rd_fill_words(f, "", 0);
}
