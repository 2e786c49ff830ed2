# What R asks a front end that has opened the comm positron.ui, and waits for; and what it tells it on the same contract. The functions
# of package rstudioapi stand on these (rstudioapi.R). Described in docs/comms.md.

ui_ask <- function(method, ...) .Call(native$comm_ask, "positron.ui", method, list(...))

# The same for what need not be answered. An error if nobody hears it.
ui_tell <- function(method, ...) {
    if (!.Call(native$comm_event, "positron.ui", method, list(...)))
        stop(sprintf("%s: no front end has opened positron.ui", method), call. = FALSE)
    invisible()
}

# Lines and columns count from 0 in what is asked, from 1 in R. A range is list(line, column, line, column).
ui_range <- function(range)
    list(start = list(line = range[[1L]], character = range[[2L]]), end = list(line = range[[3L]], character = range[[4L]]))

# NULL if no document was ever active. `contents` is text, `selections` a list.
ui_document <- function() {
    context <- ui_ask("last_active_editor_context")
    if (is.null(context))
        return(NULL)
    context$contents <- as.character(unlist(context$contents))
    context
}
