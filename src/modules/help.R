# Help pages: where they are, and how they look in a cell and beside code. They are rendered in C (session/rd.h); what that does not know,
# tools renders.

help_files <- new.env(parent = emptyenv())
help_shown <- new.env(parent = emptyenv())

# `read` of each file, if it exists, read again when it has changed. A list along `files`, NULL for those that are not there.
read_once <- function(files, read = readRDS) {
    changed <- unclass(file.mtime(files))
    lapply(seq_along(files), function(i) {
        if (is.na(changed[i]))
            return(NULL)
        known <- help_files[[files[i]]]
        if (is.null(known) || known$changed != changed[i])
            assign(files[i], known <- list(changed = changed[i], value = read(files[i])), help_files)
        known$value
    })
}

# The pages of a topic in installed packages, as utils:::index.search() finds them, which reads the indexes of all of them each time.
topic_pages <- function(topic, directories) {
    indexes <- read_once(file.path(directories, "help", "aliases.rds"))
    pages <- vapply(indexes, function(index) if (is.null(index)) NA_character_ else index[topic][[1L]], "")
    unique(file.path(directories, "help", pages)[!is.na(pages)])
}

# Where packages are that are loaded, in the order in which help() looks.
loaded_directories <- function(packages = loadedNamespaces())
    vapply(packages, function(p) if (p == "base") system.file() else .getNamespaceInfo(asNamespace(p), "path"), "", USE.NAMES = FALSE)

# What ?topic and help("topic") are; NULL if there is no such page, or if help() has more to say.
quick_help <- function(topic, sign) tryCatch({
    type <- getOption("help_type")
    type <- if (length(type)) tolower(type) else "text"
    pages <- if (length(type) == 1L && type %in% c("text", "html")) topic_pages(topic, loaded_directories())
    if (length(pages))
        structure(pages, call = as.call(c(quote(help), topic = topic, if (sign) list(package = NULL))), topic = topic,
                  tried_all_packages = FALSE, type = type, class = "help_files_with_topic")
}, error = function(e) NULL)

# The parsed page of a file as help() names it: <package>/help/<page>. It is one of a data base for all pages of its package.
parsed_page <- function(path) {
    base <- file.path(dirname(path), basename(dirname(dirname(path))))
    index <- read_once(paste0(base, ".rdx"))[[1L]]
    entry <- index$variables[[basename(path)]]
    if (is.null(entry))
        return(utils:::.getHelpFile(path)) # says what is wrong
    lazyLoadDBfetch(entry, paste0(base, ".rdb"), index$compressed, function(name) new.env(parent = emptyenv()))
}

# c(text, HTML, Markdown) of a page, as far as they are asked for with "t", "h" and "m". `brief`: what is wanted beside code; nothing is run.
page_forms <- function(path, forms, brief = FALSE) {
    rd <- parsed_page(path)
    package <- basename(dirname(dirname(path)))
    if (!brief && attr_or(rd, "dynamicFlag", 0L) %/% 16L %% 2L > 0L) # \Sexpr of the time when a page is read
        rd <- tools:::prepare_Rd(rd, stages = "render")
    page <- .Call(native$rd_page, rd, package, brief, help_width(), forms)
    if (is.null(page))
        return(page_by_tools(rd, package))
    if (grepl("src=\"figures/", page[2L], fixed = TRUE))
        page[2L] <- inline_files(page[2L], dirname(path))
    page
}

attr_or <- function(x, name, default) {
    value <- attr(x, name, exact = TRUE)
    if (is.null(value)) default else value
}

help_width <- function() as.integer(tools::Rd2txt_options()$width)

# Without \Sexpr in what is shown: there it is left as it is.
page_by_tools <- function(rd, package) {
    file <- tempfile("help")
    options <- tools::Rd2txt_options(underline_titles = FALSE)
    on.exit({
        unlink(file)
        tools::Rd2txt_options(options)
    })
    read <- function(how, ...) {
        how(rd, out = file, package = package, stages = character(), outputEncoding = "UTF-8", ...)
        one_string(readLines(file, encoding = "UTF-8", warn = FALSE))
    }
    text <- read(tools::Rd2txt)
    html <- gsub("(?s)<a href=\"(?!https?:)[^\"]*\">(.*?)</a>", "\\1", body_of(read(tools::Rd2HTML, dynamic = FALSE)), perl = TRUE)
    c(text, html, paste0("```\n", text, "\n```"))
}

# For inspection: the forms of the page of a topic of a package, NULL if there is none. Who looks at a page looks at it again, with every
# argument that is typed: some are kept.
help_page <- function(topic, package) tryCatch(suppressWarnings({
    directory <- if (isNamespaceLoaded(package)) loaded_directories(package) else system.file(package = package)
    pages <- topic_pages(topic, directory)
    if (length(pages)) {
        key <- paste(pages[1L], unclass(file.mtime(file.path(directory, "help", "aliases.rds"))))
        if (is.null(help_shown[[key]])) {
            if (length(help_shown) > 50L) rm(list = ls(help_shown), envir = help_shown)
            assign(key, page_forms(pages[1L], "thm", brief = TRUE), help_shown)
        }
        help_shown[[key]]
    }
}), error = function(e) NULL)

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
