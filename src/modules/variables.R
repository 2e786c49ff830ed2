# The variables comm (src/comms/variables.c): what needs R's own functions. Everything here may fail; the caller deals with it.

# Methods of others: NULL if one fails, or wants to leave for the top level.
safely <- function(expr) withRestarts(tryCatch(suppressWarnings(suppressMessages(expr)), error = function(e) NULL), abort = function() NULL)

# ---- shown values

# format() of a few elements: `x` is a copy of them, with the attributes.
format_part <- function(x) {
    text <- safely(as.character(format(x)))
    if (is.null(text)) NULL else trimws(enc2utf8(text))
}

# The environment in which the debugger asks: that of the innermost function, or the workspace.
browser_environment <- function() {
    frames <- sys.frames()
    n <- length(frames) - 1L # the last is this function's own
    if (n < 1L) globalenv() else frames[[n]]
}

# ---- methods of packages
#
# The names and arguments are those that packages define for Positron: ark_positron_variable_display_value(x, ..., width),
# …_display_type(x, ..., include_length), …_kind(x, ...), …_has_children(x, ...), …_get_children(x, ...), …_get_child_at(x, ..., index, name),
# …_has_viewer(x, ...), …_view(x, ...). They are registered for a class, and looked up along class(x).

variable_methods <- new.env()

register_variable_method <- function(generic, class, method) {
    name <- sub("^ark_positron_variable_", "", generic)
    known <- c("display_value", "display_type", "kind", "has_children", "get_children", "get_child_at", "has_viewer", "view")
    if (!name %in% known)
        stop("there is no method '", generic, "' for variables")
    assign(paste(name, class), match.fun(method), envir = variable_methods)
    invisible()
}

variable_method <- function(what, x, index, name) {
    for (class in if (isS4(x)) methods::is(x) else class(x)) {
        method <- variable_methods[[paste(what, class)]]
        if (is.null(method))
            next
        args <- switch(what, display_value = list(x, width = 100L), display_type = list(x, include_length = TRUE),
                       get_child_at = list(x, index = index, name = name), list(x))
        value <- safely(do.call(method, args, quote = TRUE))
        if (!is.null(value))
            return(if (what %in% c("display_value", "display_type", "kind")) one_string(value) else if (what == "get_children") as.list(value) else value)
    }
    NULL
}

# ---- requests

clear_variables <- function(env, hidden)
    rm(list = setdiff(ls(env, all.names = hidden, sorted = FALSE), ".Random.seed"), envir = env)

delete_variables <- function(env, names) {
    names <- intersect(names, ls(env, all.names = TRUE, sorted = FALSE))
    rm(list = names, envir = env)
    names
}

part_of <- function(x, i, column) if (column) x[, i] else x[i]

clipboard_text <- function(x, html, max) {
    if (is.data.frame(x) || is.matrix(x)) {
        if (prod(dim(x)) > max / 4)
            stop("the table is too large for the clipboard")
        if (html)
            return(html_table(x))
        lines <- utils::capture.output(utils::write.table(x, sep = "\t", row.names = !is.data.frame(x) && !is.null(rownames(x)), col.names = TRUE,
                                                          quote = FALSE))
    } else if (is.function(x) || is.language(x)) {
        lines <- deparse(x)
    } else if (is.atomic(x) && !is.null(x)) {
        if (length(x) > max / 4)
            stop("the vector is too long for the clipboard")
        lines <- paste(if (is.character(x)) x else trimws(format(x)), collapse = " ")
    } else {
        lines <- utils::capture.output(utils::str(x, max.level = 3L, list.len = 100L))
    }
    text <- paste(enc2utf8(lines), collapse = "\n")
    if (nchar(text, "bytes") > max)
        stop("the value is too large for the clipboard")
    if (html) paste0("<pre>", escape_html(text), "</pre>") else text
}

escape_html <- function(x) gsub(">", "&gt;", gsub("<", "&lt;", gsub("&", "&amp;", x, fixed = TRUE), fixed = TRUE), fixed = TRUE)

html_table <- function(x) {
    cells <- vapply(seq_len(ncol(x)), function(j) escape_html(trimws(as.character(format(x[, j, drop = TRUE])))), character(nrow(x)))
    dim(cells) <- dim(x)
    head <- colnames(x)
    if (is.null(head))
        head <- paste0("[, ", seq_len(ncol(x)), "]")
    row <- function(cells, tag) paste0("<tr>", paste0("<", tag, ">", cells, "</", tag, ">", collapse = ""), "</tr>")
    enc2utf8(paste0("<table>\n", paste(c(row(escape_html(head), "th"), apply(cells, 1L, row, "td")), collapse = "\n"), "\n</table>"))
}

# ---- table summaries: the schema of each column and, if asked for, some statistics

table_summary <- function(x, profiles) {
    columns <- if (is.data.frame(x)) unclass(x) else lapply(seq_len(ncol(x)), function(j) x[, j])
    names <- colnames(x)
    if (is.null(names))
        names <- paste0("[, ", seq_len(ncol(x)), "]")
    kinds <- lapply(columns, column_kind)
    schemas <- lapply(seq_along(columns), function(i) list(column_name = names[i], column_index = i - 1L, type_name = class(columns[[i]])[1L],
                                                           type_display = kinds[[i]]))
    stats <- if (profiles)
        lapply(seq_along(columns), function(i) list(column_name = names[i], type_display = kinds[[i]],
                                                    summary_stats = column_stats(columns[[i]], kinds[[i]])))
    list(schemas, as.list(stats))
}

column_kind <- function(x) {
    if (is.logical(x)) "boolean"
    else if (is.factor(x) || is.character(x)) "string"
    else if (inherits(x, "Date")) "date"
    else if (inherits(x, "POSIXt")) "datetime"
    else if (inherits(x, "difftime")) "interval"
    else if (is.numeric(x)) "number"
    else if (is.list(x)) "array"
    else "unknown"
}

column_stats <- function(x, kind) {
    ok <- !is.na(x)
    values <- if (is.list(x)) x else x[ok]
    text <- function(x) trimws(format(x, digits = 7L))
    some <- length(values) > 0L
    stats <- switch(kind,
        number = list(number_stats = if (some) list(min_value = text(min(values)), max_value = text(max(values)), mean = text(mean(values)),
                                                    median = text(stats::median(values)),
                                                    stdev = if (length(values) > 1L) text(stats::sd(values))) else named_list()),
        boolean = list(boolean_stats = list(true_count = sum(values), false_count = sum(!values))),
        string = list(string_stats = list(num_empty = sum(!nzchar(as.character(values))), num_unique = length(unique(values)))),
        date = list(date_stats = moments(values)),
        datetime = list(datetime_stats = c(moments(values), list(timezone = c(attr(x, "tzone"), "")[1L]))),
        named_list())
    c(list(type_display = kind), stats)
}

moments <- function(x) {
    if (!length(x))
        return(list(num_unique = 0L))
    list(num_unique = length(unique(x)), min_date = format(min(x)), mean_date = format(mean(x)), median_date = format(stats::median(x)),
         max_date = format(max(x)))
}

named_list <- function() structure(list(), names = character())
