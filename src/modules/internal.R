# The tools of .carrack_internal().
#
#   c_backtrace()   the C frames of the session
#   tools()         an environment with functions for users, to be attached by whoever wants them by name
#
# With CARRACK_TEST=1 in the environment:
#
#   test_task(f, class, limit)    adds a task ("idle", "safe point") whose step is f(), TRUE for more; the task's number.
#                                 "now": runs it within the cell; NULL if it ended well, otherwise the report
#   test_help(rd, package, brief, width)
#                                 c(text, html, markdown) of a help page, NULL if it has what is not known (session/rd.h)
#   test_cost(n)                  nanoseconds of an empty task and its parts, the mean of n
#   test_ended()                  the tasks that have ended since it was asked last: number, how (enum r_end), report

internal_tools <- list(
    c_backtrace = function() .Call(native$internal_backtrace),
    tools = function() list2env(list(carrack.undo = undo), parent = emptyenv()))

if (identical(Sys.getenv("CARRACK_TEST"), "1")) {
    internal_tests <- new.env(parent = emptyenv())
    internal_tests$n <- 0L

    internal_step <- function(id) internal_tests[[as.character(id)]]()

    internal_tools$test_task <- function(f, class = "idle", limit = 0L) {
        id <- internal_tests$n <- internal_tests$n + 1L
        assign(as.character(id), f, internal_tests)
        if (class == "now")
            return(.Call(native$internal_task_now, id, limit))
        stopifnot(class %in% c("idle", "safe point"))
        stopifnot(.Call(native$internal_task, id, class == "safe point", limit))
        id
    }

    internal_tools$test_help <- function(rd, package = "", brief = FALSE, width = 80L)
        .Call(native$rd_page, rd, package, brief, as.integer(width), "thm")

    internal_tools$test_cost <- function(n) .Call(native$internal_cost, n)

    internal_tools$test_ended <- function() {
        ended <- .Call(native$internal_ended)
        data.frame(id = ended[[1L]], end = ended[[2L]], text = ended[[3L]])
    }
}
