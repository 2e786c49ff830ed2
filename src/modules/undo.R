# carrack.undo(): back to before the last cell.
#
# A copy of the session was parked before that cell (or a moment after the one before it). undo() ends the running process, and the
# copy goes on in its place, so that everything in R's memory is as it was then. Files, databases and other processes are not.
# Returns only by an error, if there is no copy. Reached as carrack.undo after attach(.carrack_internal(tools())), see docs/reliability.md.
undo <- function() stop(.Call(native$undo), call. = FALSE)
