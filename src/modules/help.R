# Help pages for inspection. Nothing in a page is run: \Sexpr is left out. A page is rendered once.
help_page <- local({
    cache <- new.env(parent = emptyenv())
    shown <- c("\\title", "\\name", "\\description", "\\usage", "\\arguments", "\\details", "\\value")

    without_code <- function(x) {
        if (!is.list(x)) return(x)
        keep <- !vapply(x, function(e) identical(attr(e, "Rd_tag"), "\\Sexpr"), NA)
        out <- lapply(x[keep], without_code)
        attributes(out) <- attributes(x)[setdiff(names(attributes(x)), "names")]
        out
    }

    tag_of <- function(e) if (is.null(attr(e, "Rd_tag"))) "" else attr(e, "Rd_tag")

    # The parts that are shown, in the order in which a reader wants them.
    parts <- function(rd) {
        tags <- vapply(rd, tag_of, "")
        out <- without_code(rd[order(match(tags, shown), na.last = NA)])
        attributes(out) <- attributes(rd)
        out
    }

    rendered <- function(how, rd, package, ...) {
        file <- tempfile("help")
        on.exit(unlink(file))
        how(rd, out = file, package = package, stages = character(), outputEncoding = "UTF-8", ...)
        readLines(file, encoding = "UTF-8", warn = FALSE)
    }

    as_text <- function(rd, package) {
        options <- tools::Rd2txt_options(underline_titles = FALSE)
        on.exit(tools::Rd2txt_options(options))
        gsub("_\b", "", rendered(tools::Rd2txt, rd, package, fragment = FALSE))
    }

    as_html <- function(rd, package) {
        lines <- rendered(tools::Rd2HTML, rd, package, dynamic = FALSE)
        text <- paste(lines, collapse = "\n")
        text <- sub("(?s)^.*?<body>(<div class=\"container\">)?", "", text, perl = TRUE)
        text <- sub("(?s)(</div>\\s*)?</body>.*$", "", text, perl = TRUE)
        # The head of the page, and the anchors of files that are not there.
        text <- sub("(?s)<table style=\"width: 100%;\">.*?</table>", "", text, perl = TRUE)
        text <- sub("(?s)<table width=\"100%\".*?</table>", "", text, perl = TRUE)
        gsub("(?s)<a href=\"(?!https?:)[^\"]*\">(.*?)</a>", "\\1", text, perl = TRUE)
    }

    # Rd as Markdown: enough of it for a tooltip.
    inline <- function(x) {
        if (is.character(x)) return(paste(x, collapse = ""))
        inner <- function() paste(vapply(x, md, ""), collapse = "")
        inner()
    }
    code <- function(x) {
        text <- gsub("\n", " ", plain(x))
        if (grepl("`", text, fixed = TRUE)) paste("``", text, "``") else paste0("`", text, "`")
    }
    plain <- function(x) {
        if (is.character(x)) return(paste(x, collapse = ""))
        tag <- tag_of(x)
        if (tag %in% c("COMMENT")) return("")
        if (tag %in% c("\\dots", "\\ldots")) return("...")
        if (tag == "\\R") return("R")
        if (tag %in% c("\\method", "\\S3method", "\\S4method") && length(x) == 2L)
            return(paste0("## S3 method for class '", plain(x[[2L]]), "'\n", plain(x[[1L]])))
        paste(vapply(x, plain, ""), collapse = "")
    }
    md <- function(x) {
        tag <- tag_of(x)
        switch(tag,
            COMMENT = "",
            TEXT = , RCODE = , VERB = paste(x, collapse = ""),
            "\\code" = , "\\command" = , "\\env" = , "\\option" = , "\\pkg" = , "\\file" = , "\\samp" = , "\\kbd" = ,
            "\\verb" = code(x),
            "\\emph" = , "\\var" = , "\\dfn" = , "\\cite" = paste0("*", inline(x), "*"),
            "\\strong" = , "\\bold" = paste0("**", inline(x), "**"),
            "\\link" = , "\\linkS4class" = inline(x),
            "\\url" = paste0("<", plain(x), ">"),
            "\\href" = paste0("[", inline(x[[2L]]), "](", plain(x[[1L]]), ")"),
            "\\email" = plain(x),
            "\\dots" = , "\\ldots" = "...",
            "\\R" = "R",
            "\\sQuote" = paste0("\u2018", inline(x), "\u2019"),
            "\\dQuote" = paste0("\u201c", inline(x), "\u201d"),
            "\\cr" = "  \n",
            "\\eqn" = paste0("$", plain(x[[1L]]), "$"),
            "\\deqn" = paste0("\n\n$$", plain(x[[1L]]), "$$\n\n"),
            "\\preformatted" = paste0("\n\n```\n", plain(x), "\n```\n\n"),
            "\\itemize" = , "\\enumerate" = paste0("\n", items(x), "\n"),
            "\\describe" = , "\\arguments" = , "\\value" = described(x),
            "\\tabular" = paste0("\n\n", inline(x[[2L]]), "\n\n"),
            "\\tab" = " ",
            "\\if" = , "\\ifelse" = , "\\out" = , "\\figure" = , "#ifdef" = , "#ifndef" = "",
            "\\enc" = inline(x[[1L]]),
            inline(x))
    }
    items <- function(x) {
        text <- vapply(x, function(e) if (tag_of(e) == "\\item") "\n- " else gsub("\n\\s*", " ", md(e)), "")
        paste(text, collapse = "")
    }
    described <- function(x) {
        text <- vapply(x, function(e) {
            if (tag_of(e) == "\\item" && length(e) == 2L)
                paste0("\n- `", trimws(plain(e[[1L]])), "`: ", gsub("\n\\s*", " ", trimws(inline(e[[2L]]))))
            else md(e)
        }, "")
        paste(text, collapse = "")
    }
    squeeze <- function(text) gsub("\n[ \t]*(\n[ \t]*)+", "\n\n", trimws(text))
    as_markdown <- function(rd) {
        out <- character()
        for (part in rd) {
            tag <- tag_of(part)
            out <- c(out, switch(tag,
                "\\title" = paste("#", squeeze(inline(part))),
                "\\usage" = paste0("```r\n", trimws(plain(part)), "\n```"),
                "\\description" = squeeze(md(part)),
                "\\arguments" = paste0("## Arguments\n\n", squeeze(described(part))),
                "\\details" = paste0("## Details\n\n", squeeze(md(part))),
                "\\value" = paste0("## Value\n\n", squeeze(md(part)))))
        }
        paste(out, collapse = "\n\n")
    }

    # The file of a topic as help() finds it: `package` "" means all that are attached.
    topic_file <- function(topic, package) {
        where <- if (nzchar(package)) system.file(package = package) else setdiff(.packages(), ".GlobalEnv")
        paths <- if (nzchar(package)) where else vapply(where, function(p) system.file(package = p), "")
        for (path in paths[nzchar(paths)]) {
            index <- file.path(path, "help", "aliases.rds")
            if (!file.exists(index)) next
            page <- aliases(index)[topic]
            if (!is.na(page)) return(file.path(path, "help", page[[1L]]))
        }
        NULL
    }
    aliases <- function(file) {
        key <- paste(file, file.mtime(file))
        if (is.null(cache[[key]])) assign(key, readRDS(file), cache)
        cache[[key]]
    }

    render <- function(file) {
        rd <- parts(utils:::.getHelpFile(file))
        package <- basename(dirname(dirname(file)))
        c(paste(as_text(rd, package), collapse = "\n"), as_html(rd, package), as_markdown(rd))
    }

    # c(text, html, markdown) or NULL
    function(topic, package) tryCatch(suppressWarnings({
        file <- topic_file(topic, package)
        if (is.null(file)) return(NULL)
        key <- paste("page", file)
        if (is.null(cache[[key]])) {
            if (length(ls(cache)) > 500L) rm(list = ls(cache), envir = cache)
            assign(key, render(file), cache)
        }
        cache[[key]]
    }), error = function(e) NULL)
})

# How a function is called, and its source: as it was written if that is known.
function_usage <- function(f, name) {
    head <- args(f)
    if (is.null(head)) return(name)
    lines <- deparse(head, width.cutoff = 70L)
    lines <- lines[-length(lines)]
    lines[1L] <- sub("^function *", name, lines[1L])
    sub(" +$", "", one_string(paste(lines, collapse = "\n")))
}
function_source <- function(f, max = 2000L) {
    ref <- attr(f, "srcref", exact = TRUE)
    lines <- if (inherits(ref, "srcref")) tryCatch(as.character(ref, useSource = TRUE), error = function(e) NULL)
    if (is.null(lines)) lines <- deparse(f, width.cutoff = 80L)
    if (length(lines) > max) lines <- c(lines[seq_len(max)], "\u2026")
    one_string(paste(lines, collapse = "\n"))
}
