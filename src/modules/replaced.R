# What is put where R's own things are, and why. Everything else that comes with the session is in its sealed environment.
#
# base::.carrack_internal   added. A name must be somewhere on the way from the global environment to base to be found by its name
#                           alone. An attached environment would be seen in search(), and would be in the way of packages that are
#                           attached later by position; so it stands in base, with a dot, where R itself keeps .Traceback,
#                           last.warning and .Last.value of its running. No function of base is replaced.

# httpuv's makeTcpServer,    replaced by an error, in a session that is a copy of one that died, if httpuv was loaded and there were threads.
#   makePipeServer          The package believes that its own thread still runs and would wait for it for ever, where no interrupt reaches.

refuse_servers <- function(namespace) {
    refuse <- function(...)
        stop("the session was taken up again from a copy after a crash, and httpuv's thread is gone: restart the kernel to serve anything",
             call. = FALSE)
    for (name in intersect(c("makeTcpServer", "makePipeServer"), names(namespace))) {
        unlockBinding(name, namespace)
        assign(name, refuse, envir = namespace)
        lockBinding(name, namespace)
    }
}

# Evaluates a call of one of the internal tools (internal.R), arguments as seen by the caller: .carrack_internal(c_backtrace()).
.carrack_internal <- function(call) eval(substitute(call), internal_tools, parent.frame())

# rstudioapi's isAvailable,  replaced when it is loaded. The package believes in RStudio if .Platform$GUI says so, and finds RStudio's
#   toolsEnv                functions in an environment on the search path. Where a client has opened positron.ui these two say yes, and
#                           where the functions are (rstudioapi.R); where none has, they are the package's own.

replace_rstudioapi <- function() {
    namespace <- asNamespace("rstudioapi")
    if (!all(c("isAvailable", "toolsEnv") %in% names(namespace)))
        return(invisible())
    available <- namespace$isAvailable
    tools <- namespace$toolsEnv
    ours <- list(
        isAvailable = function(version_needed = NULL, ...) {
            if (ui_is_open()) is.null(version_needed) || rstudio_version() >= version_needed
            else available(version_needed, ...)
        },
        toolsEnv = function() if (ui_is_open()) rstudio else tools())
    for (name in names(ours)) {
        unlockBinding(name, namespace)
        assign(name, ours[[name]], envir = namespace)
        lockBinding(name, namespace)
    }
}
