#include "session/rd_fill.h"

struct word {
	const char *tex, *text;
};

/* The word that s begins with, NULL if it is none of these. */
static const struct word *find_word(const struct word *words, size_t n, const char *s, size_t left)
{
	for (size_t i = 0; i < n; i++)
		if (left >= strlen(words[i].tex) && strncmp(s, words[i].tex, strlen(words[i].tex)) == 0)
			return &words[i];
	return NULL;
}

size_t rd_formula(struct rd_fill *f, const char *s, size_t left)
{
	static const struct word signs[] = {{"dots", "..."},
					    {"ldots", "..."},
					    {"le", "<="},
					    {"ge", ">="},
					    {"infty", "Inf"}},
				 marked[] = {{"bold{", ""}, {"strong{", ""}, {"emph{", ""},
					     {"var{", ""},  {"code{", "'"},  {"samp{", "'"}};
	static const char *const names[] = {"Alpha",   "Beta",    "Gamma", "Delta",   "Epsilon", "Zeta",    "Eta",
					    "Theta",   "Iota",    "Kappa", "Lambda",  "Mu",      "Nu",      "Xi",
					    "Omicron", "Pi",      "Rho",   "Sigma",   "Tau",     "Upsilon", "Phi",
					    "Chi",     "Psi",     "Omega", "alpha",   "beta",    "gamma",   "delta",
					    "epsilon", "zeta",    "eta",   "theta",   "iota",    "kappa",   "lambda",
					    "mu",      "nu",      "xi",    "omicron", "pi",      "rho",     "sigma",
					    "tau",     "upsilon", "phi",   "chi",     "psi",     "omega",   "sum",
					    "prod",    "sqrt"};
	const struct word *word;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (left >= strlen(names[i]) && strncmp(s, names[i], strlen(names[i])) == 0)
			return 0;
	if ((word = find_word(signs, ARRAY_LEN(signs), s, left))) {
		rd_fill_put(f, word->text, strlen(word->text));
		return strlen(word->tex);
	}
	word = find_word(marked, ARRAY_LEN(marked), s, left);
	const char *from = word ? s + strlen(word->tex) : s,
		   *close = word ? memchr(from, '}', left - strlen(word->tex)) : NULL;
	if (!close) {
		rd_fill_put(f, "\\", strlen("\\"));
		return 0;
	}
	rd_fill_put(f, word->text, strlen(word->text));
	rd_fill_put(f, from, (size_t)(close - from));
	rd_fill_put(f, word->text, strlen(word->text));
	return (size_t)(close - s) + 1;
}
