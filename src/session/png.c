#include "session/png.h"

#include "base/base.h"

#include <zlib.h>

#define LEVEL 3         /* of zlib's 1 to 9: what is above costs more time than it saves */
#define MAX_COLOURS 256 /* of a palette */
#define SLOTS 4096      /* of the hash table of colours, a power of 2 */

struct palette {
	uint32_t colour[MAX_COLOURS];
	unsigned n;
	struct {
		uint32_t colour;
		unsigned index; /* + 1; 0: free */
	} slots[SLOTS];
};

static void put32(unsigned char *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void put_chunk(struct buf *out, const char *type, const unsigned char *data, size_t n)
{
	unsigned char number[4];
	uLong crc = crc32(crc32(0, Z_NULL, 0), (const unsigned char *)type, 4);
	if (n)
		crc = crc32(crc, data, (uInt)n);
	put32(number, (uint32_t)n);
	buf_put(out, number, 4);
	buf_put(out, type, 4);
	buf_put(out, data, n);
	put32(number, (uint32_t)crc);
	buf_put(out, number, 4);
}

static uint32_t colour_at(const unsigned char *dot)
{
	uint32_t c;
	memcpy(&c, dot, sizeof c);
	return c;
}

/* The index of a colour in the palette, which gets it if there is room; MAX_COLOURS if there is none. */
static unsigned index_of(struct palette *p, uint32_t c)
{
	unsigned at = (c * 2654435761u) >> 20 & (SLOTS - 1);
	while (p->slots[at].index && p->slots[at].colour != c)
		at = (at + 1) & (SLOTS - 1);
	if (p->slots[at].index)
		return p->slots[at].index - 1;
	if (p->n == MAX_COLOURS)
		return MAX_COLOURS;
	p->slots[at].colour = p->colour[p->n] = c;
	p->slots[at].index = ++p->n;
	return p->n - 1;
}

/* The lines with the byte of their filter (none), an index a dot. False if there are too many colours. */
static bool with_palette(struct palette *p, unsigned char *to, const unsigned char *dots, uint32_t width,
			 uint32_t height)
{
	uint32_t last = 0;
	unsigned index = MAX_COLOURS;
	for (uint32_t y = 0; y < height; y++) {
		*to++ = 0;
		for (uint32_t x = 0; x < width; x++, dots += 4) {
			uint32_t c = colour_at(dots);
			if (c != last || index == MAX_COLOURS) {
				last = c;
				index = index_of(p, c);
				if (index == MAX_COLOURS)
					return false;
			}
			*to++ = (unsigned char)index;
		}
	}
	return true;
}

/* The lines as differences to the line above (filter 2), `n` bytes a dot. */
static void with_differences(unsigned char *to, const unsigned char *dots, uint32_t width, uint32_t height, size_t n)
{
	const unsigned char *above = NULL;
	for (uint32_t y = 0; y < height; y++, above = dots, dots += (size_t)width * 4) {
		*to++ = 2;
		for (uint32_t x = 0; x < width; x++)
			for (size_t i = 0; i < n; i++)
				*to++ = (unsigned char)(dots[x * 4u + i] - (above ? above[x * 4u + i] : 0));
	}
}

static bool is_opaque(const unsigned char *dots, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (dots[i * 4 + 3] != 255)
			return false;
	return true;
}

static void put_head(struct buf *out, uint32_t width, uint32_t height, unsigned char colour_type, double dpi)
{
	unsigned char head[13] = {0}, phys[9] = {0};
	put32(head, width);
	put32(head + 4, height);
	head[8] = 8;
	head[9] = colour_type;
	buf_put(out, "\x89PNG\r\n\x1a\n", 8);
	put_chunk(out, "IHDR", head, sizeof head);
	put32(phys, (uint32_t)(dpi / 0.0254 + 0.5));
	put32(phys + 4, (uint32_t)(dpi / 0.0254 + 0.5));
	phys[8] = 1; /* the unit is the metre */
	put_chunk(out, "pHYs", phys, sizeof phys);
}

static void put_palette(struct buf *out, const struct palette *p)
{
	unsigned char rgb[3 * MAX_COLOURS] = {0}, alpha[MAX_COLOURS] = {0};
	bool clear = false;
	for (unsigned i = 0; i < p->n; i++) {
		unsigned char dot[4];
		memcpy(dot, &p->colour[i], 4);
		memcpy(rgb + 3 * (size_t)i, dot, 3);
		alpha[i] = dot[3];
		clear = clear || dot[3] != 255;
	}
	put_chunk(out, "PLTE", rgb, 3 * (size_t)p->n);
	if (clear)
		put_chunk(out, "tRNS", alpha, p->n);
}

bool png_write(struct buf *out, const unsigned char *dots, uint32_t width, uint32_t height, double dpi)
{
	size_t n = (size_t)width * height, before = out->len;
	struct palette *p = calloc(1, sizeof *p);
	unsigned char *lines = malloc(n * 4 + height), *packed = NULL;
	bool ok = false;
	if (!p || !lines)
		goto done;
	size_t each = 1;
	bool few = with_palette(p, lines, dots, width, height);
	if (!few) {
		each = is_opaque(dots, n) ? 3 : 4;
		with_differences(lines, dots, width, height, each);
	}
	uLongf len = compressBound((uLong)(n * each + height));
	packed = malloc(len);
	if (!packed || compress2(packed, &len, lines, (uLong)(n * each + height), LEVEL) != Z_OK)
		goto done;
	put_head(out, width, height, few ? 3 : each == 3 ? 2 : 6, dpi);
	if (few)
		put_palette(out, p);
	put_chunk(out, "IDAT", packed, len);
	put_chunk(out, "IEND", NULL, 0);
	ok = !out->failed;
done:
	if (!ok)
		out->len = before;
	free(p);
	free(lines);
	free(packed);
	return ok;
}
