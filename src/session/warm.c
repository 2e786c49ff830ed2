#include "session/warm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define MAX_PAGES 16384 /* that are copied: 64 MB */
#define MAX_RUN 256     /* outside of the heap: a longer one is a large vector, which is rarely written again */
#define MAX_RUNS 4096
#define MAX_SEEN ((size_t)1 << 17)     /* that are looked at: 512 MB */
#define MAX_MAPPING ((size_t)16 << 20) /* bytes, outside of the heap: a longer one is vectors */
#define BLOCK 16                       /* pages that are copied at once */
#define BLOCKS_BETWEEN_LOOKS 16
#define ROUNDS \
	16 /* one block of so many is left alone in turn: if nobody has written to it by the next copy, it is forgotten */

struct run {
	uintptr_t at;
	size_t pages;
};

static struct {
	struct run runs[MAX_RUNS];
	size_t n, pages, seen;
	size_t page_size, round;
	bool off;
} warm;

static void add_run(uintptr_t at, size_t pages, bool heap)
{
	if (!pages || (!heap && pages > MAX_RUN) || warm.n == MAX_RUNS || warm.pages >= MAX_PAGES)
		return;
	if (pages > MAX_PAGES - warm.pages)
		pages = MAX_PAGES - warm.pages;
	warm.runs[warm.n++] = (struct run){at, pages};
	warm.pages += pages;
}

/* Present, and of this process alone. */
static bool is_own(uint64_t entry)
{
	return (entry >> 63 & 1) && (entry >> 56 & 1);
}

static void note_mapping(int pagemap, uintptr_t begin, uintptr_t end, bool heap)
{
	static uint64_t entries[1024];
	uintptr_t run = begin;
	size_t length = 0;
	if (!heap && end - begin > MAX_MAPPING)
		return;
	for (uintptr_t at = begin; at < end && warm.seen < MAX_SEEN;) {
		size_t n = (end - at) / warm.page_size;
		n = n < ARRAY_LEN(entries) ? n : ARRAY_LEN(entries);
		ssize_t got =
		    pread(pagemap, entries, n * sizeof *entries, (off_t)(at / warm.page_size * sizeof *entries));
		if (got != (ssize_t)(n * sizeof *entries))
			break;
		warm.seen += n;
		for (size_t i = 0; i < n; i++, at += warm.page_size) {
			if (is_own(entries[i])) {
				run = length++ ? run : at;
			} else {
				add_run(run, length, heap);
				length = 0;
			}
		}
	}
	add_run(run, length, heap);
}

void ss_warm_note(bool copied)
{
	char line[512];
	warm.n = warm.pages = warm.seen = 0;
	if (warm.off || !copied)
		return;
	warm.page_size = (size_t)sysconf(_SC_PAGESIZE);
	FILE *maps = fopen("/proc/self/maps", "re");
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	while (maps && pagemap >= 0 && fgets(line, sizeof line, maps)) {
		unsigned long begin, end;
		char rights[8];
		if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3 && !strcmp(rights, "rw-p"))
			note_mapping(pagemap, begin, end, strstr(line, "[heap]") != NULL);
	}
	if (maps)
		fclose(maps);
	if (pagemap >= 0)
		close(pagemap);
}

static bool somebody_waits(void)
{
	struct pollfd p = {.fd = ss.link.fd, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

/* Pages [at, at + n) of a block of BLOCK pages. */
static void copy_pages(uintptr_t at, size_t n)
{
	if (madvise((void *)at, n * warm.page_size, MADV_POPULATE_WRITE) != 0)
		warm.off = errno == EINVAL;
}

void ss_warm_now(void)
{
	size_t blocks = 0;
	warm.round++;
	for (size_t i = 0; i < warm.n; i++) {
		size_t at = warm.runs[i].at / warm.page_size, end = at + warm.runs[i].pages;
		for (size_t next; at < end && !warm.off; at = next) {
			next = (at / BLOCK + 1) * BLOCK;
			next = next < end ? next : end;
			if (++blocks % BLOCKS_BETWEEN_LOOKS == 0 && somebody_waits())
				return;
			if (at / BLOCK % ROUNDS != warm.round % ROUNDS)
				copy_pages(at * warm.page_size, next - at);
		}
	}
}
