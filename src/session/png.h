/* png.h: pixels as a PNG file (W3C, "Portable Network Graphics (PNG) Specification"), quickly: what a plot has is few colours and long runs.
 * Pictures of at most 256 colours have a palette. Knows nothing of R.
 */
#ifndef CARRACK_PNG_H
#define CARRACK_PNG_H

#include "base/buf.h"

#include <stdint.h>

/* Appends the file. `dots`: width * height bytes of red, green, blue and alpha (not multiplied), line by line from the top. `dpi`: dots an
 * inch. False without memory, or if *out is full. Does not jump. */
bool png_write(struct buf *out, const unsigned char *dots, uint32_t width, uint32_t height, double dpi);

#endif
