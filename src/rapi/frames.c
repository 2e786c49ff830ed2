#include "rapi/frames.h"

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The program's own symbol table, which the dynamic loader does not know. */
static struct {
	uintptr_t base;
	const ElfW(Sym) * symbols;
	size_t n;
	const char *names;
	size_t names_len;
} own;

static const void *inside(const char *file, size_t size, const ElfW(Shdr) * s)
{
	return s->sh_offset <= size && s->sh_size <= size - s->sh_offset ? file + s->sh_offset : NULL;
}

static void find_symbols(const char *file, size_t size)
{
	const ElfW(Ehdr) *head = (const void *)file;
	if (size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_shoff > size ||
	    head->e_shnum > (size - head->e_shoff) / sizeof(ElfW(Shdr)))
		return;
	const ElfW(Shdr) *sections = (const void *)(file + head->e_shoff);
	for (size_t i = 0; i < head->e_shnum; i++) {
		const ElfW(Shdr) *s = &sections[i];
		if (s->sh_type != SHT_SYMTAB || s->sh_link >= head->e_shnum)
			continue;
		const char *names = inside(file, size, &sections[s->sh_link]);
		const void *symbols = inside(file, size, s);
		size_t len = sections[s->sh_link].sh_size;
		if (!names || !symbols || !len || names[len - 1])
			continue;
		own.names = names;
		own.names_len = len;
		own.symbols = symbols;
		own.n = s->sh_size / sizeof *own.symbols;
	}
}

void r_frames_init(void)
{
	void *first[2];
	Dl_info info;
	struct stat st;
	backtrace(first, 2); /* the first call loads libgcc's unwinder, with malloc */
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && dladdr((void *)(uintptr_t)r_frames_init, &info)) {
		size_t size = (size_t)st.st_size;
		char *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED) {
			const ElfW(Ehdr) *head = (const void *)file;
			own.base = size > sizeof *head && head->e_type == ET_DYN ? (uintptr_t)info.dli_fbase : 0;
			find_symbols(file, size);
		}
	}
	close(fd);
}

__attribute__((noinline)) size_t r_frames_take(void **pcs, size_t max)
{
	void *all[R_FRAMES_MAX + 4], *caller = __builtin_return_address(0);
	int n = backtrace(all, ARRAY_LEN(all)), first = 0;
	/* Not this function, nor what a sanitizer has put between. */
	while (first < n && all[first] != caller)
		first++;
	size_t found = (size_t)(n - first);
	found = found < max ? found : max;
	found = found < R_FRAMES_MAX ? found : R_FRAMES_MAX;
	memcpy(pcs, all + first, found * sizeof *pcs);
	return found;
}

static const char *own_symbol(uintptr_t at, uintptr_t *start)
{
	for (size_t i = 0; i < own.n; i++) {
		const ElfW(Sym) *s = &own.symbols[i];
		uintptr_t from = own.base + s->st_value;
		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || at < from || at >= from + s->st_size ||
		    s->st_name >= own.names_len)
			continue;
		*start = from;
		return own.names + s->st_name;
	}
	return NULL;
}

/* Text is put together by hand: snprintf is not for signal handlers. */
struct text {
	char *to;
	size_t len, room;
};

static void add(struct text *t, const char *s)
{
	while (*s && t->len + 1 < t->room)
		t->to[t->len++] = *s++;
}

static void add_number(struct text *t, uintptr_t n, unsigned base)
{
	char digits[24], *p = digits + sizeof digits;
	*--p = '\0';
	do
		*--p = "0123456789abcdef"[n % base];
	while (n /= base);
	add(t, p);
}

static void add_offset(struct text *t, uintptr_t n)
{
	add(t, "+0x");
	add_number(t, n, 16);
}

size_t r_frames_line(char *to, size_t room, size_t number, void *pc)
{
	struct text t = {to, 0, room};
	/* A return address is the place after the call; after a call that never returns another function may begin. */
	uintptr_t at = (uintptr_t)pc - 1, start = 0;
	Dl_info info = {0};
	const char *symbol = own_symbol(at, &start);
	bool known = dladdr((void *)at, &info) && info.dli_fname;
	add(&t, "#");
	add_number(&t, number, 10);
	add(&t, number < 10 ? "  " : " ");
	if (known) {
		const char *slash = strrchr(info.dli_fname, '/');
		add(&t, slash ? slash + 1 : info.dli_fname);
	} else {
		add(&t, "?");
	}
	add(&t, "  ");
	if (!symbol && known && info.dli_sname) {
		symbol = info.dli_sname;
		start = (uintptr_t)info.dli_saddr;
	}
	add(&t, symbol ? symbol : known ? "" : "0x");
	if (symbol)
		add_offset(&t, (uintptr_t)pc - start);
	else if (known)
		add_offset(&t, (uintptr_t)pc - (uintptr_t)info.dli_fbase);
	else
		add_number(&t, (uintptr_t)pc, 16);
	to[t.len] = '\0';
	return t.len;
}

void r_frames_put(struct buf *out, void *const *pcs, size_t n)
{
	char line[512];
	for (size_t i = 0; i < n; i++) {
		buf_put(out, line, r_frames_line(line, sizeof line, i, pcs[i]));
		buf_putc(out, '\n');
	}
}

void r_frames_write(int fd, void *const *pcs, size_t n)
{
	char line[512];
	for (size_t i = 0; i < n; i++) {
		size_t len = r_frames_line(line, sizeof line - 1, i, pcs[i]);
		line[len++] = '\n';
		if (write(fd, line, len) < 0)
			return;
	}
}
