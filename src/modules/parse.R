# Asked only after R's parser has refused the code: its own words for the reason, with the line, the column and the place.
parse_problem <- function(code) {
    e <- tryCatch({
        parse(text = code, keep.source = FALSE)
        NULL
    }, error = identity)
    if (is.null(e)) "the parser refused this code" else one_string(conditionMessage(e))
}
