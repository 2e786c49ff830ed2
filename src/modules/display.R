# Rich forms of values that are made in R, and the functions through which R code publishes (package IRdisplay finds them in options).

mime_generics <- c(
    "text/plain" = "repr_text", "text/html" = "repr_html", "text/markdown" = "repr_markdown", "text/latex" = "repr_latex",
    "application/json" = "repr_json", "application/javascript" = "repr_javascript", "application/geo+json" = "repr_geojson",
    "application/vdom.v1+json" = "repr_vdom1", "application/vnd.plotly.v1+json" = "repr_plotly1",
    "application/vnd.vegalite.v2+json" = "repr_vegalite2", "application/vnd.vegalite.v3+json" = "repr_vegalite3",
    "application/vnd.vegalite.v4+json" = "repr_vegalite4", "application/vnd.vega.v4+json" = "repr_vega4",
    "application/vnd.vega.v5+json" = "repr_vega5", "application/pdf" = "repr_pdf", "image/png" = "repr_png",
    "image/jpeg" = "repr_jpg", "image/svg+xml" = "repr_svg")

# One rich form is enough for most documents: Markdown and LaTeX are made when somebody adds them to this option.
display_options <- function() {
    irdisplay <- if (isNamespaceLoaded("IRdisplay")) asNamespace("IRdisplay")[["irdisplay_option_defaults"]]
    repr <- if (isNamespaceLoaded("repr")) asNamespace("repr")[["repr_option_defaults"]]
    ours <- list(jupyter.rich_display = !identical(as.logical(Sys.getenv("JUPYTER_RICH_DISPLAY", "TRUE")), FALSE),
                 jupyter.display_mimetypes = setdiff(names(mime_generics), c("text/markdown", "text/latex")),
                 repr.html.deduplicate = TRUE) # repr sets it to FALSE when it is loaded, if it is not set by then
    for (name in names(ours))
        if (is.null(getOption(name)) || identical(getOption(name), c(irdisplay, repr)[[name]]))
            options(ours[name])
    options(jupyter.base_display_func = display_data, jupyter.clear_output_func = clear_output,
            jupyter.update_display_func = update_display)
    if (is.null(getOption("viewer")))
        options(viewer = view_page)
}

# ---- publishing ----

# `display_id` and `update` may also come as metadata: that is where the dots of IRdisplay::display() go.
display_data <- function(data, metadata = NULL, display_id = metadata$display_id, update = isTRUE(metadata$update),
                         transient = NULL, ...) {
    force(display_id)
    force(update)
    metadata <- metadata[setdiff(names(metadata), c("display_id", "update"))]
    if (!is.null(display_id))
        transient$display_id <- one_string(display_id)
    if (update && is.null(transient$display_id))
        stop("a display that is to be updated needs a `display_id`")
    .Call(native$display_publish, update, as.list(data), metadata, transient)
    invisible(TRUE)
}

update_display <- function(data, metadata = NULL, display_id = metadata$display_id, ...)
    display_data(data, metadata, display_id, TRUE, ...)

clear_output <- function(wait = TRUE) invisible(.Call(native$display_clear, wait))

display_log <- function(what, e) {
    .Call(native$display_log, paste0(what, ": ", one_string(conditionMessage(e))))
    NULL
}

# ---- methods of packages and of the user ----

wanted <- function() {
    types <- getOption("jupyter.display_mimetypes")
    if (is.character(types)) types else c("text/plain", "text/html")
}

# What packages have to say about repr is registered only when repr is there.
load_repr <- function() {
    if (!isNamespaceLoaded("repr") && length(getHook(packageEvent("repr", "onLoad"))))
        tryCatch(loadNamespace("repr"), error = function(e) NULL)
}

# The first class that has a method: the user's, or that of a package. The ones that repr itself brings for R's own classes, and
# for what is shown here in another way, do not count.
method_class <- function(generic, classes, package) {
    registered <- if (isNamespaceLoaded(package)) asNamespace(package)[[".__S3MethodsTable__."]]
    for (class in classes) {
        name <- paste0(generic, ".", class)
        method <- get0(name, globalenv(), mode = "function")
        if (is.null(method) && !is.null(registered))
            method <- get0(name, registered, mode = "function", inherits = FALSE)
        if (!is.null(method) && !(class %in% known_classes && from_package(method, package)))
            return(class)
    }
    NULL
}

known_classes <- c("data.frame", "data.table", "function", "help_files_with_topic", "htmlwidget", "packageIQR", "shiny.tag",
                   "shiny.tag.list", "ts", "factor", "Date", "list", "matrix", "ggplot", "plotly", "recordedplot", "default")

from_package <- function(method, package) identical(topenv(environment(method)), asNamespace(package))

# The generic finds the method as it does for the user: from the global environment.
call_generic <- function(generic, x, package) {
    f <- if (isNamespaceLoaded(package)) getExportedValue(package, generic)
         else eval(bquote(function(obj, ...) UseMethod(.(generic))))
    do.call(f, list(x), quote = TRUE, envir = globalenv())
}

classes_of <- function(x) if (isS4(x)) methods::is(x) else class(x)

# Each form that a method makes; one that fails is left out.
forms_by_repr <- function(x, classes) {
    load_repr()
    types <- intersect(c("text/plain", wanted()), names(mime_generics))
    data <- list()
    for (type in types) {
        generic <- mime_generics[[type]]
        if (is.null(method_class(generic, classes, "repr")))
            next
        form <- tryCatch(call_generic(generic, x, "repr"),
                         error = function(e) display_log(sprintf("%s() of a value of class %s", generic, classes[1L]), e))
        if (length(form))
            data[[type]] <- form
    }
    if (length(data)) data
}

# knitr's way; classes behind that of a data frame's are data frames, which are tables.
forms_by_knitr <- function(x, classes) {
    if (!isNamespaceLoaded("knitr"))
        return(NULL)
    before <- match(c("data.frame", "data.table", "tbl_df", "grouped_df", "rowwise_df"), classes, nomatch = length(classes) + 1L)
    classes <- classes[seq_len(min(before) - 1L)]
    if (is.null(method_class("knit_print", setdiff(classes, "default"), "knitr")))
        return(NULL)
    shown <- tryCatch(call_generic("knit_print", x, "knitr"),
                      error = function(e) display_log(sprintf("knit_print() of a value of class %s", classes[1L]), e))
    if (is.character(shown) && inherits(shown, "knit_asis")) as_is(shown)
}

# Text for a document: HTML as such, anything else is Markdown.
as_is <- function(text) {
    dependencies <- Filter(function(d) inherits(d, "html_dependency"), attr(text, "knit_meta"))
    text <- one_string(text)
    if (length(dependencies))
        return(list("text/html" = page_with(text, dependencies)))
    structure(list(text), names = if (looks_like_html(text)) "text/html" else "text/markdown")
}

looks_like_html <- function(text) grepl("^\\s*<[A-Za-z!]", text) && grepl(">\\s*$", text)

# ---- what the session asks for ----

with_metadata <- function(data) {
    html <- data[["text/html"]]
    isolated <- is.character(html) && !startsWith(html[1L], "<iframe") && any(grepl("<html[ >]", html, ignore.case = TRUE))
    list(data, if (isolated) list("text/html" = list(isolated = TRUE)))
}

# list(data, metadata), or NULL: for values that R has printed; and for those whose print method would open a browser, which are shown
# instead of being printed. Never an error of the user's cell.
forms <- function(x) tryCatch(forms_beside_text(x), error = function(e) display_log("rich forms", e))
forms_unprinted <- function(x) tryCatch(forms_without_print(x), error = function(e) display_log("rich forms", e))

forms_beside_text <- function(x) {
    classes <- classes_of(x)
    data <- forms_by_repr(x, classes)
    if (is.null(data))
        data <- tryCatch(forms_of_html(x, classes), error = function(e) display_log(classes[1L], e))
    if (is.null(data))
        data <- forms_by_knitr(x, classes)
    if (is.null(data) && inherits(x, "WebServer"))
        data <- forms_of_server(x)
    if (length(data)) with_metadata(data)
}

forms_without_print <- function(x) {
    if (inherits(x, "help_files_with_topic") || inherits(x, "vignette")) {
        page <- if (!"text/html" %in% wanted()) NULL else if (inherits(x, "vignette")) vignette_forms(x) else help_forms(x)
        return(if (!is.null(page)) with_metadata(page))
    }
    if (inherits(x, "shiny.appobj"))
        return(if (length(app <- forms_of_shiny(x))) with_metadata(app))
    browsable <- inherits(x, c("shiny.tag", "shiny.tag.list", "html")) && isTRUE(attr(x, "browsable_html"))
    if (!browsable && !inherits(x, "htmlwidget") || !"text/html" %in% wanted())
        return(NULL)
    classes <- classes_of(x)
    data <- forms_by_repr(x, classes)
    if (is.null(data[["text/html"]]))
        data <- c(data, forms_of_html(x, classes))
    if (is.null(data[["text/plain"]]))
        data <- c(list("text/plain" = text_of_html(x)), data)
    with_metadata(data)
}

# The value of a user expression in the middle of a line of text, which is what Quarto and MyST ask for: beside R's print the forms above, and
# vectors as Markdown. Text is escaped unless it is I(…) or knitr's asis_output(). NULL: print alone.
inline_forms <- function(x) tryCatch({
    data <- if (is.object(x)) forms_beside_text(x)[[1L]]
    if (is.null(data) && is.atomic(x) && is.null(dim(x)) && length(x) >= 1L && length(x) <= 1000L)
        data <- list("text/markdown" = inline_markdown(x))
    data[setdiff(names(data), "text/plain")]
}, error = function(e) display_log("inline forms", e))

inline_markdown <- function(x) {
    text <- if (is.numeric(x) && !is.object(x)) vapply(x, function(one) format(one), "") else as.character(x)
    if (is.object(x) && !inherits(x, c("AsIs", "knit_asis", "factor", "glue", "noquote"))) text <- trimws(format(x))
    if ((is.character(x) || is.factor(x)) && !inherits(x, c("AsIs", "knit_asis")))
        text <- gsub("([\\\\`*_{}\\[\\]()<>#+.!|~$^@-])", "\\\\\\1", text, perl = TRUE)
    one_string(paste(text, collapse = ", "))
}

# A table that print() would cut at options(max.print), as R is delivered, is cut where its HTML is. Everything that R would
# show in full, and every max.print that somebody has set, is left alone. NULL: print it.
print_cut <- function(x) {
    frame <- identical(class(x), "data.frame")
    max <- getOption("max.print")
    if (is.object(x) && !frame) # its own print method knows
        return(NULL)
    if (length(dim(x)) != 2L || prod(dim(x)) <= 99999 || !identical(as.integer(max), 99999L))
        return(NULL)
    rows <- getOption("repr.matrix.max.rows")
    rows <- min(if (is.numeric(rows) && isTRUE(rows > 0)) rows else 60, nrow(x), 99999 %/% ncol(x))
    if (rows < 1)
        return(NULL)
    if (frame) {
        old <- options(max.print = rows * ncol(x))
        on.exit(options(old))
        print(x)
    } else {
        # print() would look at every row for the widths.
        print(x[seq_len(rows), , drop = FALSE])
        cat(sprintf(" [ reached getOption(\"max.print\") -- omitted %.0f rows ]\n", nrow(x) - rows))
    }
    TRUE
}

# ---- for the C code ----

# print() of these and what session/print.h makes of them are the same, unless R has changed its ways.
print_sample <- function() structure(
    list(c(1L, NA, -20L), c(1234.5678, NA, -1e-3), c("a", NA, "b\\\n"), structure(c(19000, NA, 0.5), class = "Date"), c(TRUE, NA, FALSE),
         structure(c(2L, NA, 1L), levels = c("u", "v w"), class = "factor"),
         structure(c(1e9, NA, 0), class = c("POSIXct", "POSIXt"), tzone = "UTC"), c(1e10, NaN, -Inf), list(1:2, "b", NULL)),
    names = c("i", "x", "s", "d", "l", "f", "t", "y", "i"), row.names = c(NA, -3L), class = "data.frame")

print_is_same <- function() tryCatch({
    frame <- print_sample()
    matrix <- matrix(c(1.5, NA, 1e5, 1e-20, -Inf, 0), 2L, dimnames = list(NULL, c("a", "b", NA)))
    for (x in list(frame, structure(frame, row.names = c("a", "b", "c")), matrix)) {
        ours <- utils::capture.output(done <- .Call(native$print_sample, x))
        if (done && !identical(ours, utils::capture.output(print(x))))
            stop("this version of R writes tables in another way: print() is used")
    }
    TRUE
}, error = function(e) display_log("tables", e))

# As print.data.frame() calls it, through format.data.frame().
format_column <- function(x, n)
    format(if (n < length(x)) x[seq_len(n)] else x, digits = NULL, na.encode = FALSE, justify = "none")

encode_cells <- function(x) {
    text <- encodeString(x)
    Encoding(text) <- "UTF-8"
    list(text, nchar(text, "width"))
}

count_elements <- function(x) as.double(NROW(x))

json_time <- function(x) {
    text <- if (inherits(x, "POSIXt")) format(x, "%Y-%m-%dT%H:%M:%OS") else format(x)
    text[is.na(x)] <- NA
    text
}

# The text of elements i of a vector; no more of it is looked at.
format_cells <- function(x, i) tryCatch(suppressWarnings({
    x <- if (is.object(x)) x[i] else .subset(x, i)
    text <- if (is.list(x) && !is.object(x)) vapply(x, list_cell, "") else format(x)
    if (length(text) != length(i))
        text <- vapply(as.list(x), list_cell, "")
    text <- enc2utf8(as.character(text))
    if (is.character(x)) text else trimws(text)
}), error = function(e) display_log(sprintf("format() of a column of class %s", class(x)[1L]), e))

list_cell <- function(x) {
    if (is.null(x))
        return("NULL")
    if (is.atomic(x) && is.null(dim(x)) && length(x) && length(x) <= 6L)
        return(paste(trimws(format(x)), collapse = ", "))
    if (is.atomic(x) && is.null(dim(x)) && !is.object(x) && length(x))
        return(paste0(paste(trimws(format(x[1:6])), collapse = ", "), ", \u2026"))
    size <- if (is.null(dim(x))) length(x) else paste(dim(x), collapse = " \u00d7 ")
    sprintf("<%s[%s]>", class(x)[1L], size)
}
