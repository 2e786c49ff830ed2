# How the session's own work in R is kept apart from the user's code (rapi/sandbox.h). `native` holds the C functions.

# Runs what C has to run, below a top-level context: there are no other handlers. What an error or an interrupt was, and where, is noted
# before anything is unwound; then the handlers that exit bring it back here. R skips those that call when the C stack is used up.
# Asked for its length, `work` does it.
guarded <- function(quiet) {
    self <- environment()
    .Internal(.addRestart(structure(list("abort", self), class = "restart")))
    .Internal(.addCondHands(c("error", "interrupt"), list(mark, mark), self, self, FALSE))
    if (quiet)
        .Internal(.addCondHands(c("error", "interrupt", "warning"), list(note, note, warned), self, NULL, TRUE))
    else
        .Internal(.addCondHands(c("error", "interrupt"), list(note, note), self, NULL, TRUE))
    length(work)
}

mark <- environment() # tells what a handler brings back from the values of a restart

note <- function(cnd) .Call(native$note, cnd, as.list(sys.calls()))

warned <- function(cnd) {
    .Call(native$warned, .subset2(cnd, "message"))
    tryInvokeRestart("muffleWarning")
}

# The user's sinks, and what is to be done on errors, are not for this work. Called only if there are any, and `leave` also if some were left
# behind; `state` NULL means that there were none.
enter <- function() {
    sinks <- .Internal(sink.number(TRUE))
    messages <- .Internal(sink.number(FALSE))
    if (sinks > 0L)
        sink(getConnection(1L)) # stdout() would be the user's sink
    if (messages != 2L)
        sink(stderr(), type = "message")
    on_error <- if (!is.null(getOption("error")) || !is.null(getOption("interrupt"))) options(error = NULL, interrupt = NULL)
    list(sinks, messages, on_error)
}

leave <- function(state, error_text) {
    if (is.null(state))
        state <- list(0L, 2L, NULL)
    for (i in seq_len(.Internal(sink.number(TRUE)) - state[[1L]]))
        sink()
    if (.Internal(sink.number(FALSE)) != state[[2L]])
        sink(getConnection(state[[2L]]), type = "message")
    if (!is.null(state[[3L]]))
        options(state[[3L]])
    else if (!is.null(getOption("error")) || !is.null(getOption("interrupt")))
        options(error = NULL, interrupt = NULL)
    if (!is.null(error_text))
        .Internal(seterrmessage(error_text))
}

# Class, message, call, and the calls on R's stack, as text. The methods of a condition are somebody's code and may fail.
describe <- function(noted) {
    cnd <- noted[[1L]]
    message <- tryCatch(conditionMessage(cnd), error = function(e) NULL)
    if (inherits(cnd, "interrupt") && is.null(message)) {
        message <- ""
    } else if (!is.character(message)) {
        message <- if (is.list(cnd)) .subset2(cnd, "message")
        message <- c(if (is.character(message)) message, "(conditionMessage() of this condition fails)")
    }
    call <- tryCatch(conditionCall(cnd), error = function(e) NULL)
    list(paste(class(cnd), collapse = "/"), paste(enc2utf8(message), collapse = "\n"), if (is.null(call)) "" else one_line(call),
         paste(call_lines(noted[[2L]]), collapse = "\n"))
}

one_line <- function(call) {
    line <- gsub("\n", " ", deparse(call, width.cutoff = 120L, nlines = 1L)[1L], fixed = TRUE)
    enc2utf8(if (nchar(line, "chars", allowNA = TRUE) %in% 0:120) line else paste0(substr(line, 1L, 117L), "..."))
}

# Without those below this work and those of the handlers.
call_lines <- function(calls, ends = 20L) {
    is_ours <- vapply(calls, function(call) identical(call[[1L]], guarded), NA)
    calls <- calls[seq_along(calls) > max(0L, which(is_ours))]
    calls <- calls[-length(calls)]
    if (length(calls) && identical(calls[[length(calls)]][[1L]], quote(.handleSimpleError)))
        calls <- calls[-length(calls)]
    n <- length(calls)
    lines <- function(i) paste0(i, ": ", vapply(calls[i], one_line, ""))
    if (n <= 2L * ends)
        lines(seq_len(n))
    else
        c(lines(seq_len(ends)), sprintf("... %d calls are left out ...", n - 2L * ends), lines((n - ends + 1L):n))
}
