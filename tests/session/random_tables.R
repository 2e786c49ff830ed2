# Random data frames and matrices, each printed by R and by the session's own code for them: `check_tables(n, seed)` says what is different.

native <- environment(getOption("jupyter.base_display_func"))$native

pick <- function(x, n = 1L) x[sample.int(length(x), n, replace = TRUE)]
some <- function(p) runif(1) < p

odd_text <- c("", "a", "plain text", " padded ", "tab\there", "line\nbreak", "back\\slash", "\"quoted\"", "it's `so`", "\u00e9t\u00e9", "\u4e2d\u6587", "\u65e5\u672c\u8a9e text",
              "\U1F600", "\U1F468\u200d\U1F469\u200d\U1F467", "e\u0301", "\u0301", "\u200b", "\a\b\f\v\r", "\001\033[31m", "\u00a0", "\ufeff", "\u05e9\u05dc\u05d5\u05dd",
              "<NA>", "NA", "NULL", strrep("long ", 30), "\U10FFFF", "\u00ad", "iconv", "\x7f", "\u2028")
latin <- "caf\xe9"; Encoding(latin) <- "latin1"
broken <- "br\xffken"; Encoding(broken) <- "UTF-8"
octets <- "by\xc3\xa9"; Encoding(octets) <- "bytes"
text_of <- function(n) {
    pool <- if (some(0.5)) pick(odd_text, 3L) else c("a", "bb", "some words", "x.y_z")
    if (some(0.1)) pool <- c(pool, latin)
    if (some(0.03)) pool <- c(pool, broken)
    if (some(0.03)) pool <- c(pool, octets)
    pick(c(pool, if (some(0.5)) NA), n)
}

numbers_of <- function(n) {
    x <- switch(sample.int(11L, 1L), rnorm(n), rnorm(n) * 10^sample(-300:300, n, TRUE), round(rnorm(n), 2), 10^sample(-18:18, n, TRUE),
                pick(c(0, -0, 1, 0.1, 1/3, 2/3, 1e5, 1e15, 1e-5, 123456.7, 99999.5, 0.99999999, 9.9999999e99, 1e100, 5e-324, 1.7976931348623157e308), n),
                seq_len(n) / 7, rep(1e-310, n), sample(1e9, n, TRUE) + 0.5, cumprod(rep(10, n)), rnorm(n) * 1e5, rep(NA_real_, n))
    if (some(0.4)) x[sample.int(n, 1L)] <- pick(c(NA, NaN, Inf, -Inf, -0))
    x
}

column_of <- function(n) {
    x <- switch(sample.int(16L, 1L), numbers_of(n), numbers_of(n), numbers_of(n), text_of(n), text_of(n), tryCatch(factor(text_of(n)), error = function(e) factor(rep("bytes", n))),
                pick(c(TRUE, FALSE, if (some(0.5)) NA), n), sample.int(10^sample(1:9, 1L), n, TRUE) * pick(c(1L, -1L), n),
                pick(c(NA, 0L, -1L, .Machine$integer.max, -.Machine$integer.max), n), seq_len(n),
                structure(pick(c(NA, 0, 19000.7, -354285, -1, 2932896, if (some(0.1)) c(Inf, 1e7)), n), class = "Date"),
                structure(sample.int(20000L, n, TRUE), class = "Date"), ordered(pick(c("lo", "hi", NA), n), levels = c("lo", "mid", "hi"), exclude = if (some(0.5)) NULL else NA),
                .POSIXct(pick(c(NA, 0, 1.7e9, 1.7e9 + 0.25), n), tz = pick(c("UTC", "Europe/Berlin", ""))),
                structure(pick(c(1, NA, 1234.5), n), class = "difftime", units = pick(c("secs", "days"))),
                switch(sample.int(8L, 1L), as.list(seq_len(n)), lapply(seq_len(n), function(i) pick(list(1:3, "a", NULL, list(1, "b"), NA))), I(text_of(n)), I(numbers_of(n)), complex(n, 1, -1),
                       as.raw(sample(0:255, n, TRUE)), as.POSIXlt("2024-01-01") + seq_len(n), structure(numbers_of(n), class = "strange")))
    if (some(0.05)) names(x) <- make.unique(rep("n", n))
    x
}

names_of <- function(n) {
    if (!n) return(character())
    x <- paste0(pick(c("a", "long.column.name", "\u00e9", "\u4e2d", "x y", "b\\c", "row.names", "check.names", "stringsAsFactors", "check.rows"), n),
                if (some(0.8)) seq_len(n) else pick(1:2, n))
    if (some(0.1)) x <- rep("same", n)
    if (some(0.2)) x[1L] <- pick(c("row.names", "check.names", "stringsAsFactors", "", NA, strrep("w", 300L), strrep("w", 200L), latin, "fix.empty.names"))
    x
}

frame_of <- function() {
    rows <- pick(c(0L, 1L, 2L, 9L, 10L, 35L, 99L, 101L))
    cols <- pick(c(0L, 1L, 1L, 2L, 3L, 5L, 8L, 20L))
    x <- lapply(seq_len(cols), function(j) if (rows) column_of(rows) else pick(list(character(), 1[0], factor(), Sys.Date()[0])))
    if (cols && some(0.03)) x[[1L]] <- matrix(1, rows, 2L)
    if (cols && some(0.03)) x[[1L]] <- I(data.frame(p = rep(1, rows)))
    row_names <- if (some(0.6)) c(NA, -rows) else if (some(0.4)) rev(seq_len(rows)) + pick(c(0L, 99L)) else make.unique(rep_len(as.character(pick(c(odd_text, latin), 4L)), rows))
    if (rows && some(0.02)) row_names <- rep("twice", rows)
    structure(x, names = names_of(cols), row.names = row_names, class = "data.frame")
}

matrix_of <- function() {
    rows <- pick(c(1L, 2L, 9L, 10L, 30L))
    cols <- pick(c(1L, 3L, 12L, 40L))
    x <- switch(sample.int(4L, 1L), replicate(cols, numbers_of(rows)), matrix(sample(c(1:9, NA, -100000L), rows * cols, TRUE), rows), matrix(sample(c(TRUE, FALSE, NA), rows * cols, TRUE), rows),
                matrix(numbers_of(rows * cols), rows))
    dim(x) <- c(rows, cols)
    if (some(0.5)) dimnames(x) <- list(if (some(0.5)) pick(c(odd_text, latin, NA), rows), if (some(0.7)) pick(c(odd_text, letters, latin, NA), cols))
    if (some(0.05)) x <- x[, integer(), drop = FALSE]
    if (some(0.05) && !is.null(dimnames(x))) names(dimnames(x)) <- c("r", "c")
    if (some(0.05)) attr(x, "note") <- "more"
    x
}

options_of <- function() list(width = pick(c(10L, 40L, 80L, 80L, 200L, 10000L)), digits = pick(c(7L, 7L, 1L, 3L, 12L, 15L, 16L, 22L)), scipen = pick(c(0L, 0L, -5L, 5L, 100L, -100L)),
                              OutDec = pick(c(".", ".", ".", ",")), max.print = pick(c(99999L, 99999L, 1000L, 100L, 50L, 7L, 1L)), digits.secs = pick(list(NULL, NULL, 3L))[[1L]])

captured <- function(code) {
    done <- TRUE
    text <- tryCatch(utils::capture.output(done <- withCallingHandlers(code(), warning = function(w) invokeRestart("muffleWarning"))), error = function(e) paste("error:", conditionMessage(e)))
    list(text = text, done = done)
}

check_tables <- function(n, seed) {
    old <- options("width", "digits", "scipen", "OutDec", "max.print", "digits.secs")
    on.exit(options(old))
    suppressWarnings(set.seed(seed))
    made <- 0L
    for (i in seq_len(n)) {
        options(old)
        x <- if (some(0.8)) frame_of() else matrix_of()
        set <- options_of()
        options(set)
        ours <- captured(function() .Call(native$print_sample, x))
        if (isTRUE(ours$done) && !startsWith(c(ours$text, "")[1L], "error:")) {
            made <- made + 1L
            theirs <- captured(function() { print(x); TRUE })
            if (!identical(ours$text, theirs$text)) {
                options(old)
                cat("case", i, "of seed", seed, "\n", deparse(set), "\n")
                line <- which(c(ours$text, rep(NA, 1e5))[seq_along(theirs$text)] != theirs$text | seq_along(theirs$text) > length(ours$text))[1L]
                cat("ours:  ", encodeString(ours$text[line]), "\ntheirs:", encodeString(theirs$text[line]), "\n", length(ours$text), length(theirs$text), "lines\n")
                try(dput(x))
                return(invisible(FALSE))
            }
        }
    }
    cat("the same:", made, "of", n, "\n")
}
