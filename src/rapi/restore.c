#include "rapi/restore.h"

#include "rapi/value.h"

static const char *const in_base[] = {".Traceback", "last.warning", ".Last.value"};
enum { SEED = ARRAY_LEN(in_base) };

static SEXP seed_symbol(void)
{
	return Rf_install(".Random.seed");
}

void r_save(struct r_saved *s)
{
	for (int i = 0; i < (int)ARRAY_LEN(in_base); i++)
		SET_VECTOR_ELT(s->places, s->first + i, Rf_findVarInFrame(R_BaseEnv, Rf_install(in_base[i])));
	s->seed = R_existsVarInFrame(R_GlobalEnv, seed_symbol());
	s->seed_is_ours = !s->seed || !R_BindingIsActive(seed_symbol(), R_GlobalEnv);
	if (s->seed && s->seed_is_ours)
		SET_VECTOR_ELT(s->places, s->first + SEED, Rf_findVarInFrame(R_GlobalEnv, seed_symbol()));
	snprintf(s->error, sizeof s->error, "%s", R_curErrorBuf());
}

void r_saved_release(struct r_saved *s)
{
	for (int i = 0; i < R_SAVED_PLACES; i++)
		SET_VECTOR_ELT(s->places, s->first + i, R_NilValue);
}

bool r_saved_error_changed(const struct r_saved *s)
{
	return strncmp(s->error, R_curErrorBuf(), sizeof s->error - 1) != 0;
}

static void restore_seed(const struct r_saved *s)
{
	SEXP symbol = seed_symbol();
	if (!s->seed_is_ours || (R_existsVarInFrame(R_GlobalEnv, symbol) && R_BindingIsActive(symbol, R_GlobalEnv)))
		return;
	if (!s->seed) {
		if (R_existsVarInFrame(R_GlobalEnv, symbol))
			R_removeVarFromFrame(symbol, R_GlobalEnv);
		return;
	}
	SEXP before = VECTOR_ELT(s->places, s->first + SEED);
	if (!R_existsVarInFrame(R_GlobalEnv, symbol) || Rf_findVarInFrame(R_GlobalEnv, symbol) != before)
		Rf_defineVar(symbol, before, R_GlobalEnv);
}

void r_restore(const struct r_saved *s)
{
	for (int i = 0; i < (int)ARRAY_LEN(in_base); i++) {
		SEXP symbol = Rf_install(in_base[i]), before = VECTOR_ELT(s->places, s->first + i);
		if (before != Rf_findVarInFrame(R_BaseEnv, symbol))
			r_set_in_base(symbol, before);
	}
	restore_seed(s);
}
