# What R would show in a pager, a browser, an editor or a window is shown in the cell: help pages, files, lists of data sets and
# vignettes, URLs. R has an option for each of these (pager, browser, editor); one that a user or a profile has set stays. A front end
# that has opened positron.ui or positron.help (ui.R) shows URLs, pages of help and files to be edited itself.

set_page_options <- function() {
    if (identical(getOption("pager"), file.path(R.home("bin"), "pager")))
        options(pager = show_files)
    if (identical(getOption("browser"), Sys.getenv("R_BROWSER")))
        options(browser = show_url)
    if (identical(getOption("editor"), Sys.getenv("EDITOR")))
        options(editor = show_editor)
    if (is.null(getOption("shiny.launch.browser")))
        options(shiny.launch.browser = show_app)
    if (is.null(getOption("plumber.docs.callback")))
        options(plumber.docs.callback = show_app)
}

# Text for typewriters: underlined and bold by overstriking.
without_overstrikes <- function(text) gsub(".\b", "", text, perl = TRUE)

escape_html <- function(text)
    gsub(">", "&gt;", gsub("<", "&lt;", gsub("&", "&amp;", text, fixed = TRUE), fixed = TRUE), fixed = TRUE)

# Consoles have a pager of their own, and get the page when the cell is over (session/payload.c). The others, and front ends with
# positron.ui, which do not know payloads, see it in the cell.
show_page <- function(text) {
    page <- list("text/plain" = one_string(paste(text, collapse = "\n")))
    if (ui_is_open() || !.Call(native$payload, list(source = "page", data = page, start = 0L)))
        display_data(page)
    invisible()
}

read_text <- function(file)
    tryCatch(enc2utf8(readLines(file, warn = FALSE, encoding = "UTF-8")),
             error = function(e) sprintf("cannot read %s: %s", file, conditionMessage(e)),
             warning = function(w) sprintf("cannot read %s: %s", file, conditionMessage(w)))

# The arguments are those of options(pager=), see ?file.show.
show_files <- function(files, header = "", title = "", delete.file = FALSE) {
    text <- character()
    header <- rep_len(if (length(header)) header else "", length(files))
    for (i in seq_along(files))
        text <- c(text, if (nzchar(header[i])) c(header[i], ""), without_overstrikes(read_text(files[i])), if (i < length(files)) "")
    if (delete.file) unlink(files)
    show_page(text)
}

# ---- URLs ----

show_url <- function(url) {
    url <- one_string(url)
    path <- help_path(url)
    file <- if (startsWith(url, "file://")) utils::URLdecode(sub("^file://", "", url)) else url
    if (!is.null(path))
        show_help_url(path)
    else if (!grepl("^[A-Za-z][A-Za-z0-9+.-]*:", file) && file.exists(file))
        show_file(normalizePath(file))
    else if (is_local_url(url))
        show_app(url)
    else if (!ui_event("show_url", url = url))
        display_data(list("text/plain" = url, "text/html" = link_to(url)))
    invisible()
}

# A file that a browser would show.
show_file <- function(path) {
    type <- media_types[[tolower(sub(".*\\.", "", basename(path)))]]
    if (ui_is_open() && identical(type, "text/html"))
        ui_event("show_html_file", path = path, title = basename(path), destination = "viewer", height = 0L)
    else if (ui_is_open())
        ui_event("open_with_system", path = path)
    else
        display_data(c(list("text/plain" = path), forms_of_file(path)))
}

max_file <- 20e6 # bytes of what is put into an output

forms_of_file <- function(path, height = 480) {
    extension <- tolower(sub(".*\\.", "", basename(path)))
    if (dir.exists(path) || file.size(path) > max_file)
        return(NULL)
    bytes <- function() readBin(path, "raw", file.size(path))
    switch(extension,
           html = , htm = list("text/html" = frame(inline_files(one_string(read_text(path)), dirname(path)), height)),
           pdf = list("application/pdf" = bytes()),
           png = list("image/png" = bytes()), jpg = , jpeg = list("image/jpeg" = bytes()), svg = list("image/svg+xml" = read_text(path)),
           md = list("text/markdown" = read_text(path)))
}

# A page of R's help server. Where no client has a place for help its content is shown in the cell; its links lead to the server,
# which answers while no cell runs.
show_help_url <- function(path) {
    if (help_is_open() && help_show(path))
        return()
    base <- address(sprintf("http://127.0.0.1:%d/", help_server()))
    url <- paste0(sub("/$", "", base), path)
    page <- tryCatch(help_content(path, sub("/$", "", base)), error = function(e) display_log(path, e))
    html <- paste0("<div>", link_to(url), "</div>\n", page)
    display_data(list("text/plain" = one_string(c(url, if (!is.null(page)) c("", html_text(page)))), "text/html" = html))
}

# What the server would answer, without asking it: it is this process.
help_content <- function(path, base) {
    query <- if (grepl("?", path, fixed = TRUE)) query_of(sub("^[^?]*\\?", "", path))
    path <- sub("[?#].*", "", path)
    answer <- tools:::httpd(path, query)
    html <- if (is.list(answer) && is.character(answer$payload)) answer$payload
            else if (is.list(answer) && is.character(answer$file) && grepl("\\.html?$", answer$file)) read_text(answer$file)
    if (is.null(html))
        return(NULL)
    links_from(body_of(one_string(html)), base, dirname(path))
}

query_of <- function(text) {
    parts <- strsplit(strsplit(text, "&", fixed = TRUE)[[1L]], "=", fixed = TRUE)
    values <- vapply(parts, function(p) utils::URLdecode(gsub("+", " ", paste(p[-1L], collapse = "="), fixed = TRUE)), "")
    names(values) <- vapply(parts, function(p) utils::URLdecode(p[1L]), "")
    values
}

body_of <- function(html) {
    html <- sub("(?s)^.*?<body[^>]*>", "", sub("(?s)</body>.*$", "", html, perl = TRUE), perl = TRUE)
    gsub("(?s)<script.*?</script>|<img [^>]*>", "", html, perl = TRUE)
}

# Links of a page in `directory` of the server at `base`.
links_from <- function(html, base, directory) {
    html <- gsub("(?s)<a href=\"#[^\"]*\">(.*?)</a>", "\\1", html, perl = TRUE)
    html <- gsub("(<a href=\")/", paste0("\\1", base, "/"), html, perl = TRUE)
    html <- gsub("(<a href=\")(?![a-z]+:|/)", paste0("\\1", base, sub("/$", "", directory), "/"), html, perl = TRUE)
    gsub("<a href=", "<a target=\"_blank\" rel=\"noopener\" href=", html, fixed = TRUE)
}

html_text <- function(html) {
    text <- gsub("(?s)<(style|script)[^>]*>.*?</\\1>|<[^>]*>", "", gsub("(?i)<(br|/p|/tr|/h[1-6]|/dt|/dd|/li)[ >]", "\n<\\1>", html, perl = TRUE), perl = TRUE)
    for (entity in list(c("&nbsp;", " "), c("&lt;", "<"), c("&gt;", ">"), c("&quot;", "\""), c("&rsquo;", "\u2019"),
                        c("&lsquo;", "\u2018"), c("&ldquo;", "\u201c"), c("&rdquo;", "\u201d"), c("&ndash;", "\u2013"), c("&amp;", "&")))
        text <- gsub(entity[1L], entity[2L], text, fixed = TRUE)
    trimws(gsub("[ \t]*\n\\s*\n\\s*", "\n\n", text))
}

# ---- editors ----

# options(editor=): file.edit() and edit(file=) name files, edit(x) and fix(x) give an object.
show_editor <- function(name = NULL, file = "", title = NULL, ...) {
    if (!is.null(name)) {
        show_object(name, title)
        stays_as_it_is()
        return(invisible(name))
    }
    file <- as.character(file)
    for (path in file[nzchar(file)])
        edit_file(normalizePath(path, mustWork = FALSE))
    if (!any(nzchar(file)))
        message("There is nothing to be edited: neither an object nor a file was named.")
    invisible()
}

stays_as_it_is <- function()
    message("Objects cannot be edited from here: it stays as it is. Assign to it, or use file.edit().")

# An editor that is a program, for vi(), emacs(), edit(editor = ), file.edit(editor = ): R calls this from its C code, where the name of the
# program is a variable of the function that asks. One that needs a terminal would wait for keys for ever, one that needs a window and has
# none fails; their files are shown. A program of any other name is run as R would run it. Objects are in temporary files, and stay as they are.
terminal_editors <- c("vi", "vim", "nvim", "view", "nano", "pico", "joe", "jed", "mcedit", "micro", "hx", "helix", "kak", "ne", "ed", "ex", "red")
window_editors <- c("emacs", "xemacs", "emacsclient", "xedit", "gvim", "nedit", "gedit", "kate", "mousepad")

run_editor <- function(file) {
    named <- Filter(is.character, lapply(rev(sys.frames()), function(frame) get0("editor", frame, inherits = FALSE)))
    editor <- if (length(named)) one_string(named[[1L]]) else ""
    program <- basename(sub("\\s.*", "", editor))
    window <- nzchar(Sys.getenv("DISPLAY")) || nzchar(Sys.getenv("WAYLAND_DISPLAY"))
    if (!program %in% terminal_editors && (window || !program %in% window_editors))
        return(system(sprintf("'%s' '%s'", editor, file)))
    path <- normalizePath(file, mustWork = FALSE)
    if (startsWith(path, normalizePath(tempdir()))) {
        if (!file.exists(path)) file.create(path) # R reads it afterwards
        text <- read_text(path)
        if (any(nzchar(text))) show_page(text)
        message(sprintf("%s needs a %s, which there is not here.", program, if (program %in% terminal_editors) "terminal" else "window"))
        stays_as_it_is()
    } else {
        edit_file(path)
    }
    0L
}

# data.entry() and its kin. The columns need not have the same length.
show_entry <- function(columns) {
    frame <- tryCatch(as.data.frame(columns, optional = TRUE), error = function(e) NULL)
    if (length(frame) && nrow(frame)) utils::View(frame, "Data entry") else show_page(utils::capture.output(print(columns)))
    stays_as_it_is()
}

edit_file <- function(path) {
    if (ui_is_open()) {
        if (!file.exists(path))
            file.create(path)
        return(ui_event("open_editor", file = path, line = 1L, column = 1L, kind = "path", pinned = TRUE))
    }
    .Call(native$payload, list(source = "edit_magic", filename = path, line_number = 1L))
    text <- if (file.exists(path)) read_text(path) else "(there is no such file yet)"
    display_data(list("text/plain" = one_string(paste(c(path, "", text), collapse = "\n"))))
    message("A notebook has no editor. This is the file; open it where you edit files: ", path)
}

show_object <- function(x, title) {
    if (is.data.frame(x) || is.matrix(x))
        return(utils::View(x, if (length(title)) one_string(title) else ""))
    text <- if (is.function(x)) function_source(x) else {
        lines <- deparse(x, width.cutoff = 80L, nlines = 2001L)
        if (length(lines) > 2000L) c(lines[1:2000], "\u2026") else lines
    }
    show_page(text)
}

# ---- vignettes ----

# A vignette that print() would give to a browser or a viewer of PDF on the machine where R runs.
vignette_forms <- function(x) {
    path <- file.path(x$Dir, "doc", x$PDF)
    if (!nzchar(x$PDF) || ui_is_open() || help_is_open())
        return(NULL)
    forms <- forms_of_file(path, 600)
    if (!is.null(forms))
        c(list("text/plain" = one_string(c(x$Title, path))), forms)
}

# A help page as help() found it. Several pages, and none, are print()'s business: it asks which, or says so.
help_forms <- function(x) {
    path <- as.character(x)
    if (length(path) != 1L || isTRUE(attr(x, "tried_all_packages")))
        return(NULL)
    if (help_is_open() && identical(attr(x, "type"), "html"))
        return(NULL) # print() has it shown there
    page <- page_forms(path, "th")
    list("text/plain" = page[1L], "text/html" = page[2L])
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
