# What becomes an error of the cell. R does with errors and interrupts what it always does; these handlers only look on.
# They are the last on the handler stack, so that they see what no handler of the user has taken.

error_seen <- function(cnd) {
    # 0: R's default handling follows (stop(), or an error of R's own); 1: rlang::abort(), which prints the message itself
    # and then ends the evaluation; otherwise somebody only signals, and the evaluation may well go on.
    n <- sys.nframe()
    signaller <- if (n > 1L) sys.function(n - 1L)
    if (!identical(signaller, base::signalCondition))
        .Call(native$condition_seen, cnd, 0L)
    else if (inherits(cnd, "rlang_error") && by_abort(sys.calls()))
        .Call(native$condition_seen, cnd, 1L)
}

interrupt_seen <- function(cnd) .Call(native$condition_seen, cnd, 2L)

by_abort <- function(calls) {
    for (call in rev(calls))
        if (identical(call[[1L]], quote(signal_abort)))
            return(TRUE)
    FALSE
}

# R_ToplevelExec begins with an empty handler stack: the user's global handlers are put back, ours behind them. So
# globalCallingHandlers() works and shows the user's alone.
listen <- function() {
    user <- globalCallingHandlers()
    quiet <- cell$quiet
    .Internal(.addGlobHands(c(names(user), "error", "interrupt", quiet),
                            c(user, list(error_seen, interrupt_seen), list(warning = unseen, message = unseen)[quiet]),
                            .GlobalEnv, NULL, TRUE))
}

# `#| warning: false` and `#| message: false`
unseen <- function(cnd) tryInvokeRestart(if (inherits(cnd, "warning")) "muffleWarning" else "muffleMessage")

# ename, evalue and traceback of the error that ended an evaluation. `cnd` is NULL if it was not seen; `shown` is what R, or
# rlang, had to say about it.
report <- function(cnd, shown) {
    ename <- if (is.null(cnd)) "error" else class(cnd)[1L]
    evalue <- if (is.null(cnd)) sub("^Error: ", "", shown) else one_string(conditionMessage(cnd))
    if (!nzchar(shown))
        shown <- paste0("Error: ", evalue)
    trace <- if (inherits(cnd, "rlang_error")) rlang_trace(cnd, shown) else call_trace()
    list(ename, without_colours(sub("\n$", "", evalue)), c(split_lines(shown), trace))
}

# In a traceback clients expect colours, in `evalue` they do not.
without_colours <- function(x) if (grepl("\033[", x, fixed = TRUE)) gsub("\033\\[[0-9;]*m", "", x) else x

one_string <- function(x) paste(enc2utf8(as.character(x)), collapse = "\n")

split_lines <- function(x) unlist(strsplit(sub("\n$", "", one_string(x)), "\n", fixed = TRUE))

# The calls as traceback() shows them. Long ones are cut (somebody may have passed a data set with do.call()), and of very many
# the ones in the middle, which are usually the same again and again.
call_trace <- function(ends = 40L) {
    calls <- tryCatch(.traceback(max.lines = getOption("traceback.max.lines", getOption("deparse.max.lines", 10L))),
                      error = function(e) NULL)
    if (length(calls) < 2L)
        return(character())
    n <- length(calls)
    cut <- n > 2L * ends + 1L
    unlist(lapply(if (cut) c(1:ends, NA, (n - ends + 1L):n) else 1:n, function(i) {
        if (is.na(i))
            return(sprintf("... %d calls are left out ...", n - 2L * ends))
        lines <- calls[[i]]
        if (isTRUE(attr(lines, "truncated")))
            lines <- c(lines, " ...")
        last <- length(lines)
        lines[last] <- paste0(lines[last], location(attr(calls[[i]], "srcref")))
        label <- paste0(n - i + 1L, ": ")
        paste0(c(label, rep(strrep(" ", nchar(label)), last - 1L)), split_each(lines))
    }))
}

split_each <- function(lines) gsub("\n", "\\n", lines, fixed = TRUE)

location <- function(srcref) {
    if (is.null(srcref))
        return("")
    paste0(" at ", basename(attr(srcref, "srcfile")$filename), "#", srcref[1L])
}

rlang_trace <- function(cnd, shown) {
    trace <- cnd$trace
    while (inherits(cnd$parent, "condition")) {
        cnd <- cnd$parent
        if (!is.null(cnd$trace))
            trace <- cnd$trace
    }
    if (is.null(trace) || grepl("\nBacktrace:", shown, fixed = TRUE) || !"rlang" %in% loadedNamespaces())
        return(character())
    lines <- tryCatch(format(trace, simplify = "branch", dir = getwd()), error = function(e) NULL)
    if (length(lines)) c("Backtrace:", split_lines(lines)) else character()
}
