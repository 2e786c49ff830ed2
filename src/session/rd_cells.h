/* rd_cells.h: a table as text: its cells are gathered, then laid out in columns as wide as they have to be. For rd_text.c only. */
#ifndef CARRACK_SESSION_RD_CELLS_H
#define CARRACK_SESSION_RD_CELLS_H

#include "session/rd_fill.h"

#define RD_CELLS 4096

struct rd_cell {
	size_t at, len; /* in the text of the cells */
	char align;     /* l, c or r */
	bool last;      /* of its row */
};

/* Static, like struct rd_fill. */
struct rd_cells {
	struct buf text;
	size_t n;
	struct rd_cell cell[RD_CELLS];
};

void rd_cells_begin(struct rd_cells *t);
bool rd_cells_add(struct rd_cells *t, struct slice s, char align); /* false: there are too many */
void rd_cells_end_row(struct rd_cells *t);
void rd_cells_put(struct rd_cells *t, struct rd_fill *f);

#endif
