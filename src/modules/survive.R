# What a copy of the session needs.

# After a crash: package later's thread, which would wake R for what is planned, is gone (session/survive.c asks instead).

# Milliseconds until the next call, -1 for none.
later_due <- function() {
    if (session_state$threads_lost == 0L || !isNamespaceLoaded("later"))
        return(-1L)
    seconds <- getExportedValue("later", "next_op_secs")()
    if (is.finite(seconds)) as.integer(min(max(0, ceiling(seconds * 1000)), 86400000)) else -1L
}

later_run <- function() getExportedValue("later", "run_now")(0)

# In a copy that was forked deep in a recursion, which R goes on counting.
allow_depth <- function() {
    depth <- Cstack_info()[["eval_depth"]]
    if (depth > 100L)
        options(expressions = min(500000L, getOption("expressions") + depth))
}
