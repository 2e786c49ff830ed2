/* cells.c: which cell of the notebook runs, and which run of it is its last. What a cell has displayed is gone when it runs again. */
#include "session/display.h"

#include "rapi/value.h"

struct cell {
	uint64_t key;
	unsigned serial; /* of its last run */
};

static struct cell *cells;
static size_t n_cells, room;
static struct cell now;
static unsigned before; /* the serial of this cell's run before this one; 0: there was none */

static uint64_t hash(const char *s, size_t n) /* FNV-1a */
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	return h;
}

static struct cell *find(uint64_t key)
{
	for (size_t i = 0; i < n_cells; i++)
		if (cells[i].key == key)
			return &cells[i];
	return NULL;
}

/* Clients say in the metadata which cell it is; of those that do not, one with the same code is taken for the same. */
void ss_cell_begin(const struct link_frame *f, const json_t *content)
{
	struct err e = {0};
	json_t *metadata = link_frame_json(f, 2, &e), *code = json_object_get(content, "code");
	const char *id = json_string_or(metadata, "cellId", "");
	now.key = *id ? hash(id, strlen(id))
		      : hash(json_is_string(code) ? json_string_value(code) : "", json_string_length(code));
	now.serial++;
	json_decref(metadata);
	struct cell *cell = find(now.key);
	before = cell ? cell->serial : 0;
	if (!cell && n_cells == room) {
		struct cell *more = realloc(cells, (room + 256) * sizeof *cells);
		if (!more)
			return; /* then nothing of this cell is taken as still there */
		cells = more;
		room += 256;
	}
	*(cell ? cell : &cells[n_cells++]) = now;
}

SEXP ss_cell_now(void)
{
	char text[40];
	snprintf(text, sizeof text, "%016llx %u", (unsigned long long)now.key, now.serial);
	return r_string(text, strlen(text));
}

SEXP ss_cell_stands(SEXP run)
{
	const void *vmax = vmaxget();
	char *end;
	const char *text = r_text(run, 0);
	uint64_t key = strtoull(text, &end, 16);
	const struct cell *cell = find(key);
	unsigned long serial = strtoul(end, NULL, 10);
	/* Whoever runs a cell again may do it because something is missing, so only what has been shown since counts. */
	bool stands = cell && cell->serial == serial && serial > before;
	vmaxset(vmax);
	return Rf_ScalarLogical(stands);
}
