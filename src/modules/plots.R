# The session's graphics device and its pictures. session/plot.c watches the device and says when a picture is due.
#
# Sizes are in inches (repr.plot.width, repr.plot.height) at repr.plot.res dots an inch. The picture is shown at half as many CSS
# pixels, so that it is sharp on screens with two dots a pixel; its text keeps its size whatever the resolution.

plot_defaults <- list(repr.plot.width = 7, repr.plot.height = 7, repr.plot.res = 120, repr.plot.pointsize = 12,
                      repr.plot.bg = "white", repr.plot.antialias = "gray", repr.plot.family = "sans",
                      repr.plot.quality = 90, jupyter.plot_mimetypes = "image/png")

# What a cell says in its `#|` lines goes before the options.
cell <- new.env(parent = emptyenv())

set_cell <- function(width, height, dpi, format, warning, message) {
    formats <- c(png = "image/png", retina = "image/png", svg = "image/svg+xml", jpeg = "image/jpeg", jpg = "image/jpeg",
                 pdf = "application/pdf")
    cell$repr.plot.width <- width
    cell$repr.plot.height <- height
    cell$repr.plot.res <- if (identical(format, "retina")) 2 * (if (is.null(dpi)) 96 else dpi) else dpi
    cell$shown_dpi <- if (!is.null(dpi) || identical(format, "retina")) 96
    cell$jupyter.plot_mimetypes <- if (nzchar(format)) formats[[format]]
    cell$quiet <- c(if (!warning) "warning", if (!message) "message")
}

plot_setting <- function(name) {
    value <- cell[[name]]
    if (is.null(value)) value <- getOption(name)
    default <- plot_defaults[[name]]
    ok <- !is.null(value) && length(value) > 0L && !anyNA(value) && is.character(value) == is.character(default) &&
        (is.character(value) || (is.numeric(value) && value[1L] > 0))
    if (!ok) default else if (name == "jupyter.plot_mimetypes") value else value[[1L]]
}

# R's own choice gives way, a device that the user or a profile has chosen does not.
set_plot_options <- function() {
    device <- getOption("device")
    own <- is.null(device) || is.character(device) ||
        (is.function(device) && isNamespaceLoaded("grDevices") && identical(environment(device), asNamespace("grDevices")))
    if (own && isNamespaceLoaded("grDevices"))
        options(device = plot_device)
}

plot_device <- function(width = plot_setting("repr.plot.width"), height = plot_setting("repr.plot.height"), ...) {
    file <- tempfile("carrack-plot-", fileext = ".png")
    open_bitmap(grDevices::png, file, width, height)
    if (!.Call(native$plot_watch, grDevices::dev.cur()))
        warning("too many plot devices are open for their plots to be shown; close some with dev.off()", call. = FALSE)
    invisible()
}

# The cairo types need neither an X server nor fonts of its own.
open_bitmap <- function(open, file, width, height, ...)
    open(file, width = width, height = height, units = "in", res = plot_setting("repr.plot.res"),
         pointsize = plot_setting("repr.plot.pointsize"), bg = plot_setting("repr.plot.bg"), type = "cairo",
         antialias = plot_setting("repr.plot.antialias"), family = plot_setting("repr.plot.family"), ...)

renderers <- list(
    "image/png" = function(file, width, height) open_bitmap(grDevices::png, file, width, height),
    "image/jpeg" = function(file, width, height)
        open_bitmap(grDevices::jpeg, file, width, height, quality = plot_setting("repr.plot.quality")),
    "image/svg+xml" = function(file, width, height)
        grDevices::svg(file, width, height, pointsize = plot_setting("repr.plot.pointsize"), bg = plot_setting("repr.plot.bg"),
                       family = plot_setting("repr.plot.family")),
    "application/pdf" = function(file, width, height)
        grDevices::cairo_pdf(file, width, height, pointsize = plot_setting("repr.plot.pointsize"),
                             bg = plot_setting("repr.plot.bg"), family = plot_setting("repr.plot.family")))

# The bytes of a picture; text of those formats that are text.
render <- function(snapshot, mime, width, height) {
    before <- grDevices::dev.cur()
    file <- tempfile("carrack-picture-")
    on.exit({
        if (before > 1L) grDevices::dev.set(before)
        unlink(file)
    })
    renderers[[mime]](file, width, height)
    ours <- grDevices::dev.cur()
    tryCatch(.Call(native$plot_replay, snapshot), finally = grDevices::dev.off(ours))
    if (mime == "image/svg+xml") paste(readLines(file, encoding = "UTF-8"), collapse = "\n")
    else readBin(file, "raw", file.size(file))
}

# Display ids name pages of this process: not drawn from the user's random numbers.
plot_id_prefix <- function() paste0("plot-", Sys.getpid(), "-", format(unclass(Sys.time()), digits = 16), "-")

show_plot <- function(snapshot, page, update) {
    width <- plot_setting("repr.plot.width")
    height <- plot_setting("repr.plot.height")
    types <- intersect(plot_setting("jupyter.plot_mimetypes"), names(renderers))
    if (!length(types)) types <- "image/png"
    data <- lapply(stats_names(types), render, snapshot = snapshot, width = width, height = height)
    shown <- c(width = width, height = height) *
        (if (is.null(cell$shown_dpi)) plot_setting("repr.plot.res") / 2 else cell$shown_dpi)
    metadata <- lapply(data, function(x) as.list(round(shown)))
    if (!is.null(metadata[["image/svg+xml"]])) metadata[["image/svg+xml"]]$isolated <- TRUE
    data[["text/plain"]] <- sprintf("[plot of %g x %g inches]", width, height)
    if (is.null(plot_state$prefix)) plot_state$prefix <- plot_id_prefix()
    display_data(data, metadata, display_id = paste0(plot_state$prefix, page), update = update)
}

plot_state <- new.env(parent = emptyenv())
stats_names <- function(x) { names(x) <- x; x }
