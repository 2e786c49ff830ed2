/* rd_page.c: R code's way to the forms of a help page (modules/help.R). */
#include "session/rd.h"

#include "rapi/value.h"

SEXP ss_rd_page(SEXP rd, SEXP package, SEXP brief, SEXP width, SEXP forms)
{
	static const struct {
		char name;
		bool (*write)(const struct rd_page *p, struct buf *out);
	} writers[] = {{'t', rd_write_text}, {'h', rd_write_html}, {'m', rd_write_markdown}};
	static struct buf out = {.max = BUF_MAX_MESSAGE}; /* outlives a jump */
	struct rd_page page = {.rd = rd,
			       .package = r_text(package, 0),
			       .brief = Rf_asLogical(brief) == TRUE,
			       .width = Rf_asInteger(width)};
	const char *wanted = r_text(forms, 0);
	SEXP made = PROTECT(Rf_allocVector(STRSXP, ARRAY_LEN(writers)));
	bool done = true;
	for (size_t i = 0; i < ARRAY_LEN(writers) && done; i++) {
		const void *vmax = vmaxget();
		buf_trim(&out, 1 << 16);
		if (!strchr(wanted, writers[i].name))
			continue;
		done = writers[i].write(&page, &out);
		if (done)
			SET_STRING_ELT(made, (R_xlen_t)i, Rf_mkCharLenCE(out.data, (int)out.len, CE_UTF8));
		vmaxset(vmax);
	}
	UNPROTECT(1);
	return done ? made : R_NilValue;
}
