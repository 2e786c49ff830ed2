# What R would show in a pager, a browser or a window is shown in the cell: help pages, files, lists of data sets and vignettes, URLs.
# R has an option for each of these (pager, browser); one that a user or a profile has set stays.

set_page_options <- function() {
    if (identical(getOption("pager"), file.path(R.home("bin"), "pager")))
        options(pager = show_files)
    if (identical(getOption("browser"), Sys.getenv("R_BROWSER")))
        options(browser = show_url)
}

# Text for typewriters: underlined and bold by overstriking.
without_overstrikes <- function(text) gsub(".\b", "", text, perl = TRUE)

escape_html <- function(text)
    gsub(">", "&gt;", gsub("<", "&lt;", gsub("&", "&amp;", text, fixed = TRUE), fixed = TRUE), fixed = TRUE)

# The arguments are those of options(pager=), see ?file.show.
show_files <- function(files, header = "", title = "", delete.file = FALSE) {
    text <- character()
    header <- rep_len(if (length(header)) header else "", length(files))
    for (i in seq_along(files)) {
        lines <- tryCatch(readLines(files[i], warn = FALSE, encoding = "UTF-8"),
                          error = function(e) sprintf("cannot read %s: %s", files[i], conditionMessage(e)))
        text <- c(text, if (nzchar(header[i])) c(header[i], ""), without_overstrikes(enc2utf8(lines)), if (i < length(files)) "")
    }
    if (delete.file) unlink(files)
    display_data(list("text/plain" = paste(text, collapse = "\n")))
}

show_url <- function(url) {
    url <- one_string(url)
    display_data(list("text/plain" = url,
                      "text/html" = sprintf("<a href=\"%s\" target=\"_blank\" rel=\"noopener\">%s</a>",
                                            gsub("\"", "%22", escape_html(url), fixed = TRUE), escape_html(url))))
}

# A help page as help() found it. Several pages, and none, are print()'s business: it asks which, or says so.
help_forms <- function(x) {
    path <- as.character(x)
    if (length(path) != 1L || isTRUE(attr(x, "tried_all_packages")))
        return(NULL)
    package <- basename(dirname(dirname(path)))
    rd <- utils::getFromNamespace(".getHelpFile", "utils")(path)
    page <- function(how, ...) {
        file <- tempfile("help")
        on.exit(unlink(file))
        how(rd, out = file, package = package, outputEncoding = "UTF-8", ...)
        readLines(file, encoding = "UTF-8", warn = FALSE)
    }
    options <- tools::Rd2txt_options(underline_titles = FALSE)
    on.exit(tools::Rd2txt_options(options))
    text <- without_overstrikes(page(tools::Rd2txt))
    html <- paste(page(tools::Rd2HTML, dynamic = FALSE), collapse = "\n")
    body <- sub("(?s)^.*?<body>", "", sub("(?s)</body>.*$", "", html, perl = TRUE), perl = TRUE)
    # Links to other pages lead nowhere from a notebook.
    body <- gsub("(?s)<a href=\"(?!https?:)[^\"]*\">(.*?)</a>", "\\1", body, perl = TRUE)
    list("text/plain" = paste(text, collapse = "\n"), "text/html" = body)
}

# View(): R hands over the columns, formatted, and a title; the data itself is looked up again to be shown as tables are.
show_view <- function(columns, title) {
    names <- setdiff(names(columns), "row.names")
    frame <- columns[names]
    class(frame) <- "data.frame"
    attr(frame, "row.names") <- if (is.null(columns[["row.names"]])) seq_along(columns[[1L]]) else columns[["row.names"]]
    data <- list("text/html" = .Call(native$view_table, frame))
    head <- utils::head(frame, 60L)
    text <- c(one_string(title), utils::capture.output(print(head)),
              if (nrow(head) < nrow(frame)) sprintf("[%d of %d rows]", nrow(head), nrow(frame)))
    data[["text/plain"]] <- paste(text, collapse = "\n")
    if (!is.null(data[["text/html"]]))
        data[["text/html"]] <- paste0("<div><b>", escape_html(one_string(title)), "</b></div>\n", data[["text/html"]])
    display_data(data)
}
