#include "rapi/keep.h"

static SEXP places;

void r_keep_init(void)
{
	places = Rf_allocVector(VECSXP, R_KEEP_PLACES);
	R_PreserveObject(places);
}

void r_keep(enum r_place place, SEXP object)
{
	SET_VECTOR_ELT(places, place, object);
}

SEXP r_kept(enum r_place place)
{
	return VECTOR_ELT(places, place);
}
