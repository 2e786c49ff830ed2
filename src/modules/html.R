# HTML: tags, documents of package htmltools, widgets.
#
# Whatever brings scripts or style sheets is shown in a document of its own, in a frame: there it cannot get in the way of the
# page's scripts, nor of another version of its own. Everything is in the output; nothing is loaded from a server unless the package
# itself says so. Libraries are large and stand in a notebook once: the first output that needs one carries it, as inert
# text, and later frames take it from there (options(repr.html.deduplicate = FALSE): each has its own). A library is carried again
# when the cell that carried it has been run again, and by a cell that is run again while that one is not.

forms_of_html <- function(x, classes) {
    if (inherits(x, "knitr_kable"))
        return(kable_form(x))
    if (!"text/html" %in% wanted())
        return(NULL)
    if (inherits(x, "htmlwidget"))
        list("text/html" = widget_html(x))
    else if (inherits(x, c("shiny.tag", "shiny.tag.list", "html")))
        list("text/html" = tags_html(x))
}

kable_form <- function(x) {
    text <- one_string(x)
    switch(attr(x, "format"), html = list("text/html" = text), latex = list("text/latex" = text),
           markdown = , pipe = , simple = list("text/markdown" = text))
}

text_of_html <- function(x)
    if (inherits(x, "htmlwidget")) sprintf("<%s widget>", class(x)[1L]) else one_string(x)

tags_html <- function(x) {
    if (is.character(x) && is.null(attr(x, "html_dependencies")))
        return(one_string(x))
    rendered <- htmltools::renderTags(x)
    if (length(rendered$dependencies) || nzchar(one_string(rendered$head)))
        framed(rendered)
    else
        one_string(rendered$html)
}

page_with <- function(text, dependencies) framed(list(head = "", html = text, dependencies = dependencies))

# A widget is as high as its author, or its package's sizing policy, wants it to be.
widget_html <- function(x) {
    policy <- x$sizingPolicy
    height <- pixels(first_of(x$height, policy$knitr$defaultHeight, policy$defaultHeight, 480))
    x$width <- first_of(x$width, "100%")
    x$height <- if (is.null(height)) first_of(x$height, "auto") else height
    framed(htmltools::renderTags(htmltools::as.tags(x, standalone = FALSE)), height)
}

first_of <- function(...) {
    for (x in list(...))
        if (length(x) == 1L)
            return(x)
}

# NULL: as high as the content.
pixels <- function(height) {
    if (is.numeric(height))
        return(height)
    if (grepl("^[0-9.]+(px)?$", height)) as.numeric(sub("px", "", height)) else if (height != "auto") 480
}

# ---- a document in a frame ----

framed <- function(rendered, height = NULL) {
    libraries <- lapply(htmltools::resolveDependencies(rendered$dependencies), library_of)
    names(libraries) <- vapply(libraries, function(l) l$id, "")
    body <- paste0(one_string(rendered$head), "</head><body style=\"margin:0;background:white\">", one_string(rendered$html),
                   if (is.null(height)) fit_script, "</body></html>")
    if (isFALSE(getOption("repr.html.deduplicate"))) {
        document <- paste0(html_begin, paste(vapply(libraries, encoded, "", "tags", library_tags), collapse = "\n"), body)
        return(frame(document, height))
    }
    fresh <- Filter(function(l) !stands(l$id), libraries)
    run <- .Call(native$cell_now)
    for (l in fresh)
        assign(l$id, run, envir = carried)
    loader <- paste0("<!DOCTYPE html><meta charset=\"utf-8\"><body><script>", loader_script, "(", json_text(names(libraries), list = TRUE), ",",
                     json_text(html_begin), ",", json_text(body), ")</script></body>")
    paste0(paste(vapply(fresh, carry, ""), collapse = ""), frame(loader, height))
}

# Style sheets of libraries come later and win.
html_begin <- paste0("<!DOCTYPE html><html><head><meta charset=\"utf-8\">",
                     "<style>body{font:14px system-ui,\"Helvetica Neue\",Arial,sans-serif}</style>")

frame <- function(document, height) {
    document <- gsub("\"", "&quot;", gsub("&", "&amp;", document, fixed = TRUE), fixed = TRUE)
    sprintf(paste0("<iframe srcdoc=\"%s\" style=\"display:block;width:100%%;height:%.0fpx;border:0\" ",
                   "allowfullscreen></iframe>"), document, if (is.null(height)) 150 else height)
}

# The frame follows its content.
fit_script <- paste0("<script>(function(){function fit(){var f=window.frameElement,",
    "h=Math.ceil(document.documentElement.getBoundingClientRect().height);if(f&&h>0)f.style.height=h+'px'}",
    "if(window.ResizeObserver)new ResizeObserver(fit).observe(document.documentElement);window.addEventListener('load',fit);fit()",
    "})()</script>")

# In the frame: waits for the libraries in the page around it, then becomes the document.
loader_script <- paste0("(function(ids,begin,rest){var tries=0;(function go(){var head='',missing='',i,j,e,parts;",
    "for(i=0;i<ids.length;i++){e=null;try{e=parent.document.getElementById(ids[i])}catch(x){}",
    "if(!e){missing=ids[i];break}parts=JSON.parse(e.textContent);for(j=0;j<parts.length;j++)head+=parts[j]}",
    "if(!missing){document.open();document.write(begin+head+rest);document.close()}",
    "else{if(++tries==50)document.body.textContent=",
    "'Library '+missing+' was in an output that is not in this page any longer. Run this cell again.';",
    "setTimeout(go,tries<50?100:1000)}})()})")

# ---- libraries: each a few tags for the head of a document ----

carried <- new.env() # which run of which cell carries a library

stands <- function(id) {
    run <- carried[[id]]
    !is.null(run) && .Call(native$cell_stands, run)
}

carry <- function(l) encoded(l, "carried", function(l)
    sprintf("<script type=\"application/json\" id=\"%s\">%s</script>\n", l$id, json_text(library_tags(l), list = TRUE)))

# A library's text is made once, for as long as the files that went into it stay what they are.
texts <- new.env()
reading <- new.env() # $paths: the files that are read for a library, while its text is made
max_texts <- 3e7     # bytes, of all together

encoded <- function(l, what, make) {
    name <- paste(what, l$id)
    known <- texts[[name]]
    if (is.null(known) || !identical(known$dependency, l$dependency) || !identical(known$stamps, stamps(known$paths))) {
        reading$paths <- character()
        on.exit(reading$paths <- NULL)
        text <- make(l)
        known <- list(dependency = l$dependency, paths = reading$paths, stamps = stamps(reading$paths), text = text)
        size <- sum(nchar(text, "bytes"), vapply(as.list(texts), function(t) nchar(t$text, "bytes"), 1))
        if (size > max_texts)
            rm(list = ls(texts), envir = texts)
        if (nchar(text, "bytes") <= max_texts)
            assign(name, known, envir = texts)
    }
    known$text
}

stamps <- function(paths) {
    info <- file.info(paths, extra_cols = FALSE)
    list(info$size, info$mtime)
}

library_of <- function(d) {
    id <- paste0("carrack-", gsub("[^A-Za-z0-9_.-]", "-", paste(d$name, d$version, sep = "-")))
    list(id = id, dependency = d)
}

library_tags <- function(l) {
    d <- l$dependency
    meta <- if (length(d$meta)) sprintf("<meta name=\"%s\" content=\"%s\">", names(d$meta), unlist(d$meta))
    styles <- lapply(d$stylesheet, function(f) library_tag(d, f, "text/css", "<link rel=\"stylesheet\" href=\"%s\"%s>"))
    scripts <- lapply(d$script, function(f) library_tag(d, f, "text/javascript", "<script src=\"%s\"%s></script>"))
    attachments <- Map(function(f, i) library_tag(d, f, NULL, paste0("<link id=\"", d$name, "-", i,
                       "-attachment\" rel=\"attachment\" href=\"%s\"%s>")), d$attachment, seq_along(d$attachment))
    paste(c(meta, unlist(styles), unlist(scripts), unlist(attachments), d$head), collapse = "\n")
}

# A file is a name, or a list of attributes with the name as its `src` or `href`.
library_tag <- function(d, file, type, template) {
    attributes <- ""
    if (is.list(file)) {
        more <- file[setdiff(names(file), c("src", "href"))]
        attributes <- paste(sprintf(" %s=\"%s\"", names(more), unlist(more)), collapse = "")
        file <- first_of(file$src, file$href)
    }
    directory <- d$src$file
    if (!is.null(directory) && !is.null(d$package))
        directory <- system.file(directory, package = d$package)
    address <- if (is.null(directory)) paste0(d$src$href, "/", file) else data_uri(file.path(directory, file), type)
    sprintf(template, address, attributes)
}

data_uri <- function(path, type = NULL) {
    if (!is.null(reading$paths))
        reading$paths <- c(reading$paths, path)
    bytes <- readBin(path, "raw", file.size(path))
    if (identical(type, "text/css"))
        bytes <- charToRaw(inline_urls(rawToChar(bytes), dirname(path)))
    if (is.null(type)) {
        type <- media_types[[tolower(sub(".*\\.", "", path))]]
        if (is.null(type))
            type <- "application/octet-stream"
    }
    paste0("data:", type, if (startsWith(type, "text/")) ";charset=utf-8", ";base64,", .Call(native$display_base64, bytes))
}

media_types <- list(png = "image/png", jpg = "image/jpeg", jpeg = "image/jpeg", gif = "image/gif", svg = "image/svg+xml",
                    woff = "font/woff", woff2 = "font/woff2", ttf = "font/ttf", otf = "font/otf", eot = "application/vnd.ms-fontobject",
                    css = "text/css", js = "text/javascript", json = "application/json", html = "text/html", csv = "text/csv")

# Pictures and fonts that a style sheet names by a relative path.
inline_urls <- function(css, directory) {
    Encoding(css) <- "UTF-8"
    places <- gregexpr("url\\([^)]*\\)", css)
    regmatches(css, places) <- list(vapply(regmatches(css, places)[[1L]], function(url) {
        name <- gsub("^url\\(['\" ]*|['\" ]*\\)$", "", url)
        path <- file.path(directory, sub("[?#].*", "", name))
        if (grepl("^(data:|[a-z]+://|//|#|/)", name) || !file.exists(path) || dir.exists(path)) url
        else sprintf("url(\"%s\")", data_uri(path))
    }, "", USE.NAMES = FALSE))
    enc2utf8(css)
}

# JSON that can stand in a <script>.
json_text <- function(x, list = FALSE) {
    text <- vapply(x, function(s) .Call(native$display_json, s), "", USE.NAMES = FALSE)
    text <- gsub("<", "\\u003c", text, fixed = TRUE)
    if (list || length(x) != 1L) paste0("[", paste(text, collapse = ","), "]") else text
}

# ---- options(viewer=): how htmltools and others show a page that they have written to a file ----

view_page <- function(url, height = NULL) {
    path <- sub("^file://", "", url)
    if (grepl("^[a-z]+://", path) || !file.exists(path))
        return(utils::browseURL(url))
    if (!.Call(native$is_notebook) && ui_event("show_html_file", path = normalizePath(path), title = "", destination = "viewer",
                                               height = if (is.numeric(height)) as.integer(height) else if (identical(height, "maximize")) -1L else 0L))
        return(invisible())
    page <- one_string(readLines(path, warn = FALSE, encoding = "UTF-8"))
    if (!is.numeric(height) || height < 0)
        height <- 480
    display_data(list("text/plain" = path, "text/html" = frame(inline_files(page, dirname(path)), height)))
}

# Files that a page names by a relative path.
inline_files <- function(page, directory) {
    places <- gregexpr("(src|href)=\"[^\"]+\"", page)
    regmatches(page, places) <- list(vapply(regmatches(page, places)[[1L]], function(attribute) {
        name <- gsub("^[a-z]+=\"|\"$", "", attribute)
        path <- file.path(directory, utils::URLdecode(sub("[?#].*", "", name)))
        if (grepl("^(data:|[a-z]+:|//|#|/)", name) || !file.exists(path) || dir.exists(path)) attribute
        else sprintf("%s=\"%s\"", sub("=.*", "", attribute), data_uri(path, if (grepl("\\.css$", path)) "text/css"))
    }, "", USE.NAMES = FALSE))
    page
}
