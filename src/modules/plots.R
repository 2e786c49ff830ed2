# The session's graphics device and its pictures. session/plot.c watches the device and says when a picture is due.
#
# Sizes are in inches (repr.plot.width, repr.plot.height) at repr.plot.res dots an inch. The picture is shown at half as many CSS
# pixels, so that it is sharp on screens with two dots a pixel; its text keeps its size whatever the resolution. A client that says
# how many dots a pixel its screen has gets as many, and 96 pixels an inch.

plot_defaults <- list(repr.plot.width = 7, repr.plot.height = 7, repr.plot.res = 120, repr.plot.pointsize = 12,
                      repr.plot.bg = "white", repr.plot.antialias = "gray", repr.plot.family = "sans",
                      repr.plot.quality = 90, jupyter.plot_mimetypes = "image/png", jupyter.plot_renderer = "ragg")

css_dpi <- 96
max_dots <- 32000  # of a side: what Cairo can do
max_area <- 1e8    # of a picture: 400 MB

plot_formats <- c(png = "image/png", retina = "image/png", jpeg = "image/jpeg", jpg = "image/jpeg", svg = "image/svg+xml",
                  pdf = "application/pdf", tiff = "image/tiff")

# What a cell says in its `#|` lines goes before the options; and what its client says about the place for its output.
cell <- new.env(parent = emptyenv())

set_cell <- function(width, height, dpi, format, warning, message, output_width, output_ratio) {
    cell$width <- width
    cell$height <- height
    cell$dpi <- dpi
    cell$retina <- identical(format, "retina")
    cell$type <- if (nzchar(format)) plot_formats[[format]]
    cell$output_width <- output_width
    cell$output_ratio <- output_ratio
    cell$quiet <- c(if (!warning) "warning", if (!message) "message")
}

# Dots an inch that the document as a whole wants (quarto.R); its user's repr.plot.res goes before.
plot_document <- new.env(parent = emptyenv())

plot_setting <- function(name) {
    value <- getOption(name)
    default <- plot_defaults[[name]]
    if (is.null(value)) return(default)
    if (!length(value) || anyNA(value) || is.character(value) != is.character(default) ||
            !(is.character(value) || is.numeric(value)))
        stop(simpleError(sprintf("the option %s must be a %s", name, if (is.character(default)) "string" else "number")))
    if (name == "jupyter.plot_mimetypes") value else value[[1L]]
}

plot_types <- function() {
    types <- intersect(plot_setting("jupyter.plot_mimetypes"), setdiff(plot_formats, "image/tiff"))
    if (length(types)) types else "image/png"
}

check_plot_size <- function(size, dots) {
    text <- sprintf("%g x %g inches at %g dots an inch", size[[1L]], size[[2L]], dots)
    if (!all(is.finite(c(size, dots))) || any(size <= 0) || dots <= 0)
        stop(simpleError(paste0("a plot cannot have the size ", text)))
    if (any(size * dots < 1))
        stop(simpleError(paste0("a plot of ", text, " would be smaller than a dot")))
    if (any(size * dots > max_dots) || prod(size * dots) > max_area)
        stop(simpleError(paste0("a plot of ", text, " is too large: there are at most ", max_dots, " dots a side and ",
                                format(max_area, scientific = FALSE, big.mark = ","), " in all")))
}

# What is fixed for as long as a device is open: R's graphics systems have read it.
plot_lasting <- function()
    tryCatch(paste(plot_setting("repr.plot.pointsize"), plot_setting("repr.plot.bg"), plot_setting("repr.plot.family"),
                   plot_setting("repr.plot.antialias"), plot_setting("jupyter.plot_renderer")),
             error = function(e) "")

# inches, dots an inch, CSS pixels an inch of a picture in the output of a cell
output_size <- function(own) {
    first <- function(...) for (x in list(...)) if (!is.null(x) && !is.na(x)) return(x)
    fitted <- !is.null(cell$output_width) && is.null(cell$width) && is.null(cell$height)
    of_client <- !is.null(cell$output_width) || !is.null(cell$output_ratio)
    size <- if (fitted) cell$output_width / css_dpi * c(1, 0.75) else c(NA, NA)
    width <- first(own[[1L]], cell$width, size[[1L]], if (of_client) 7, plot_setting("repr.plot.width"))
    height <- first(own[[2L]], cell$height, size[[2L]], if (of_client) 5, plot_setting("repr.plot.height"))
    of_document <- if (is.null(getOption("repr.plot.res"))) plot_document$dots
    dots <- if (isTRUE(cell$retina)) 2 * first(cell$dpi, css_dpi)
            else first(cell$dpi, if (of_client) css_dpi * first(cell$output_ratio, 1), of_document, plot_setting("repr.plot.res"))
    shown <- if (of_client || isTRUE(cell$retina) || !is.null(cell$dpi) || !is.null(of_document)) css_dpi else dots / 2
    c(width, height, dots, shown)
}

# What a page that begins now is to be: its size, the types of its pictures, what tells one kind of device from another, what lasts, and
# whether more is wanted than the device itself makes, its type, in a client's pane the size that the user wants, and the point size.
# Text: why it cannot be. `own`: the size that the user has opened the device with.
plot_page <- function(own) tryCatch({
    pane <- .Call(native$plot_pane)
    wanted <- output_size(own)
    intrinsic <- NULL
    if (is.null(pane)) {
        numbers <- wanted
        types <- if (is.null(cell$type)) plot_types() else cell$type
    } else {
        numbers <- pane_page(pane[[1L]])
        types <- plot_formats[[pane[[2L]]]]
        said <- c(own[!is.na(own)], cell$width, cell$height, getOption("repr.plot.width"), getOption("repr.plot.height"))
        if (length(said)) intrinsic <- wanted[1:2]
    }
    check_plot_size(numbers[1:2], numbers[[3L]])
    type <- if (identical(types[[1L]], "image/jpeg")) types[[1L]] else "image/png"
    list(numbers, types, paste(c(numbers[1:3], type), collapse = " "), plot_lasting(), !identical(types, type), type,
         intrinsic, plot_setting("repr.plot.pointsize"))
}, error = function(e) conditionMessage(e))

# ---- devices ----

# R's own choice gives way, a device that the user or a profile has chosen does not.
set_plot_options <- function() {
    if (nzchar(Sys.getenv("QUARTO_FIG_WIDTH")))
        quarto_environment()
    device <- getOption("device")
    own <- is.null(device) || is.character(device) ||
        (is.function(device) && isNamespaceLoaded("grDevices") && identical(environment(device), asNamespace("grDevices")))
    if (own && isNamespaceLoaded("grDevices"))
        options(device = plot_device)
}

plot_device <- function(width = NA_real_, height = NA_real_, ...) {
    own <- as.double(c(width, height))
    page <- plot_page(own)
    if (is.character(page)) stop(page, call. = FALSE)
    surface <- open_surface(page)
    if (!.Call(native$plot_watch, surface, page, own))
        warning("too many plot devices are open for their plots to be shown; close some with dev.off()", call. = FALSE)
    invisible()
}

# The device that draws; the name of its files without their numbers, "" if it shows its dots.
open_surface <- function(page) {
    ragg <- plot_renderer()
    if (!is.null(ragg) && page[[6L]] == "image/png") {
        numbers <- page[[1L]]
        seed <- get0(".Random.seed", globalenv(), inherits = FALSE) # some versions draw the device's name from it
        on.exit(if (is.null(seed)) suppressWarnings(rm(".Random.seed", envir = globalenv()))
                else assign(".Random.seed", seed, globalenv()))
        ragg$agg_capture(numbers[[1L]], numbers[[2L]], "in", page[[8L]], plot_setting("repr.plot.bg"), numbers[[3L]])
        return(c("", ""))
    }
    stem <- tempfile("carrack-plot-")
    type <- page[[6L]]
    end <- if (type == "image/png") ".png" else ".jpg"
    open_picture(type, paste0(gsub("%", "%%", stem, fixed = TRUE), "%d", end), page[[1L]], plot_setting("repr.plot.bg"), page[[8L]])
    c(stem, end)
}

# ragg draws text with all that fonts can do. What it cannot do, and where it is not installed: Cairo.
plot_renderer <- function() {
    fits <- plot_setting("jupyter.plot_renderer") == "ragg" && plot_setting("repr.plot.family") == plot_defaults$repr.plot.family &&
        plot_setting("repr.plot.antialias") == plot_defaults$repr.plot.antialias
    if (fits && (isNamespaceLoaded("ragg") || nzchar(system.file(package = "ragg"))))
        tryCatch(asNamespace("ragg"), error = function(e) display_log("ragg cannot be loaded", e))
}

# Cairo's types need neither an X server nor fonts of its own.
open_picture <- function(type, file, numbers, bg, pointsize) {
    width <- numbers[[1L]]
    height <- numbers[[2L]]
    family <- plot_setting("repr.plot.family")
    vector <- c("image/svg+xml" = "svg", "application/pdf" = "cairo_pdf")
    if (type %in% names(vector))
        return(getExportedValue("grDevices", vector[[type]])(file, width, height, pointsize = pointsize, bg = bg, family = family))
    if (type == "image/jpeg" && bg == "transparent") bg <- "white"
    ragg <- plot_renderer()
    name <- sub("image/", "", type, fixed = TRUE)
    args <- list(file, width = width, height = height, units = "in", res = numbers[[3L]], pointsize = pointsize)
    args <- c(args, if (is.null(ragg)) list(bg = bg, type = "cairo", antialias = plot_setting("repr.plot.antialias"), family = family)
                    else list(background = bg))
    if (name == "jpeg") args$quality <- plot_setting("repr.plot.quality")
    if (name == "tiff") args$compression <- "lzw"
    do.call(if (is.null(ragg)) getExportedValue("grDevices", name) else ragg[[paste0("agg_", name)]], args)
}

# ---- pictures ----

# The bytes of a picture that is drawn from a recording.
render <- function(type, snapshot, numbers, canvas, pointsize) {
    before <- grDevices::dev.cur()
    file <- tempfile("carrack-picture-")
    on.exit({
        if (before > 1L) grDevices::dev.set(before)
        unlink(file)
    })
    open_picture(type, gsub("%", "%%", file, fixed = TRUE), numbers, canvas, pointsize)
    ours <- grDevices::dev.cur()
    tryCatch(.Call(native$plot_replay, snapshot), finally = grDevices::dev.off(ours))
    readBin(file, "raw", file.size(file))
}

# Display ids name pages of this process: not drawn from the user's random numbers.
plot_id_prefix <- function() paste0("plot-", Sys.getpid(), "-", format(unclass(Sys.time()), digits = 16), "-")

# Without `<?xml … encoding=…?>`, which is untrue of text in a message: nbconvert fails on it. And of the size that it is to have on the page:
# not every client looks into the metadata for it. What was drawn is in its viewBox.
svg_text <- function(bytes, shown) {
    text <- sub("^<\\?xml[^>]*\\?>\\s*", "", as_utf8(rawToChar(bytes)))
    sub("^(<svg[^>]*) width=\"[^\"]*\" height=\"[^\"]*\"", sprintf("\\1 width=\"%.0f\" height=\"%.0f\"", shown[[1L]], shown[[2L]]), text)
}

show_plot <- function(snapshot, bytes, page, canvas, number, update) {
    numbers <- page[[1L]]
    types <- page[[2L]]
    data <- lapply(stats_names(types), function(type)
        if (type == page[[6L]] && !is.null(bytes)) bytes else render(type, snapshot, numbers, canvas, page[[8L]]))
    shown <- round(numbers[1:2] * numbers[[4L]])
    if (!is.null(data[["image/svg+xml"]]))
        data[["image/svg+xml"]] <- svg_text(data[["image/svg+xml"]], shown)
    metadata <- lapply(data, function(x) list(width = shown[[1L]], height = shown[[2L]]))
    if (!is.null(metadata[["image/svg+xml"]])) metadata[["image/svg+xml"]]$isolated <- TRUE
    data[["text/plain"]] <- sprintf("[plot of %g x %g inches; dev.print(pdf, \"plot.pdf\") saves it]", numbers[[1L]], numbers[[2L]])
    if (is.null(plot_state$prefix)) plot_state$prefix <- plot_id_prefix()
    display_data(data, metadata, display_id = paste0(plot_state$prefix, number), update = update)
}

plot_state <- new.env(parent = emptyenv())
stats_names <- function(x) { names(x) <- x; x }
as_utf8 <- function(x) { Encoding(x) <- "UTF-8"; x }
