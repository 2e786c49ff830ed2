/* json.h: R's values as JSON and back.
 *
 * The conventions are those of jsonlite with auto_unbox, which R users know: a list with names is an object, any other list an
 * array; a vector of one element is a scalar unless it is I(…); NA, NaN and infinite numbers are null; raw vectors are base64. An empty
 * list is `[]`, unless it has names. Text of class "json" goes in as the JSON that it is. Factors, dates, matrices and data
 * frames are made plain before, by R code (modules/comm.R); their attributes mean nothing here.
 *
 * The other way round an object becomes a list with names, an array of scalars of one kind a vector, any other array a list.
 */
#ifndef CARRACK_RAPI_JSON_H
#define CARRACK_RAPI_JSON_H

#include "rapi/rapi.h"

#include "base/json.h"

/* Appends x as JSON. May jump: for what JSON cannot hold (functions, environments, …) and for lists nested too deep. */
void r_json_write(struct buf *b, SEXP x);

/* As R value, unprotected. NULL is R's NULL. May jump. */
SEXP r_json_read(const json_t *v);

#endif
