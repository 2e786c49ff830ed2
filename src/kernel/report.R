# What this R is and what it sees, written to `file`, a line an entry: kind, name, value. Name and value are in
# hexadecimal, so that no locale and no control character changes them on the way. `carrack doctor` runs this in R as its own
# front end starts it and in a session, and compares (report.c).

hex <- function(s) vapply(s, function(x) paste(as.character(charToRaw(x)), collapse = ""), "")

locale <- c("LC_CTYPE", "LC_COLLATE", "LC_TIME", "LC_MONETARY", "LC_MESSAGES")
locale <- vapply(locale, Sys.getlocale, "")
if (length(unique(locale)) > 1)
    locale <- paste(names(locale), locale, sep = "=", collapse = " ")

facts <- c(
    "R home" = R.home(),
    version = R.version.string,
    "library paths" = paste(.libPaths(), collapse = ":"),
    BLAS = extSoftVersion()[["BLAS"]],
    LAPACK = La_library(),
    locale = locale[[1]],
    "UTF-8" = paste(l10n_info()[["UTF-8"]]),
    LC_NUMERIC = Sys.getlocale("LC_NUMERIC"),
    cairo = paste(capabilities("cairo")),
    "search path" = paste(search(), collapse = " "),
    "stack size" = paste(Cstack_info()[["size"]]),
    "working directory" = getwd(),
    "command arguments" = paste(commandArgs(TRUE), collapse = " ")
)
env <- Sys.getenv()
lines <- c(paste("fact", hex(names(facts)), hex(facts)), paste("variable", hex(names(env)), hex(env)))

# Under another name until it is whole: R may be ended in the middle.
part <- paste0(file, ".part")
writeLines(lines, part)
invisible(file.rename(part, file))
