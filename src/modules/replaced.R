# What is put where R's own things are, and why. Everything else that comes with the session is in its sealed environment.
#
# base::.carrack_internal   added. A name must be somewhere on the way from the global environment to base to be found by its name
#                           alone. An attached environment would be seen in search(), and would be in the way of packages that are
#                           attached later by position; so it stands in base, with a dot, where R itself keeps .Traceback,
#                           last.warning and .Last.value of its running. No function of base is replaced.

# Evaluates a call of one of the internal tools (internal.R), arguments as seen by the caller: .carrack_internal(c_backtrace()).
.carrack_internal <- function(call) eval(substitute(call), internal_tools, parent.frame())
