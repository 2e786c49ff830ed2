# Recordings of the plots in a client's pane (comms/plot.c), from which they are drawn again in any size.
#
# The last ones are kept: jupyter.plot_recordings of them, and jupyter.plot_recordings_mb megabytes. The newest is kept whatever its size.

recordings <- new.env(parent = emptyenv())
recordings$list <- list()

recording_limit <- function(name, default) {
    value <- getOption(name, default)
    if (is.numeric(value) && length(value) == 1L && !is.na(value)) value else default
}

# What is shown of a plot at first: list(bytes, kind).
take_plot <- function(number, snapshot, bytes, page, canvas, numbers, format) {
    kept <- list(snapshot = snapshot, canvas = canvas, page = page, bytes = as.double(utils::object.size(snapshot)))
    recordings$list[[as.character(number)]] <- NULL # the newest is the last
    recordings$list[[as.character(number)]] <- kept
    forget_old_plots()
    type <- plot_formats[[format]]
    same <- !is.null(bytes) && type == page[[6L]] && identical(page[[1L]], pane_page(numbers))
    list(if (same) bytes else draw_recording(kept, type, pane_page(numbers)), plot_kind(snapshot))
}

# Margins are in inches: what is drawn into less than this has no room left and is an error in R. Such a picture is drawn larger and
# shown smaller.
least_inches <- 2.4

pane_page <- function(numbers) {
    size <- numbers[1:2] / css_dpi
    scale <- max(1, least_inches / size)
    c(size * scale, css_dpi / scale * numbers[[3L]], css_dpi / scale)
}

draw_recording <- function(kept, type, numbers) {
    for (scale in c(1, 1.5, 2.5, 4)) {
        page <- c(numbers[1:2] * scale, numbers[3:4] / scale)
        bytes <- tryCatch(render(type, kept$snapshot, page, kept$canvas, kept$page[[8L]]), error = identity)
        if (is.raw(bytes)) return(bytes)
    }
    stop(bytes)
}

forget_plot <- function(number) recordings$list[[as.character(number)]] <- NULL

forget_old_plots <- function() {
    n <- length(recordings$list)
    newer <- rev(cumsum(rev(vapply(recordings$list, function(kept) kept$bytes, 0))))
    keep <- rev(seq_len(n)) <= max(1, recording_limit("jupyter.plot_recordings", 100)) &
        newer <= 2^20 * recording_limit("jupyter.plot_recordings_mb", 256)
    keep[[n]] <- TRUE
    recordings$list <- recordings$list[keep]
}

# list(bytes, c(width, height, ratio)), or text: why not. `numbers` is such a vector, or the ratio alone: in its own size, and then fine
# enough to be printed.
render_plot <- function(number, numbers, format) {
    kept <- recordings$list[[as.character(number)]]
    if (is.null(kept))
        return("the recording of this plot is not kept any more (jupyter.plot_recordings, jupyter.plot_recordings_mb); run its code again")
    if (length(numbers) == 1L) {
        own <- kept$page[[7L]]
        numbers <- c((if (is.null(own)) kept$page[[1L]][1:2] else own) * css_dpi, max(numbers, 2))
    }
    page <- pane_page(numbers)
    problem <- tryCatch(check_plot_size(page[1:2], page[[3L]]), error = conditionMessage)
    if (is.character(problem)) problem else list(draw_recording(kept, plot_formats[[format]], page), as.double(numbers))
}

# In inches; NULL if nobody has said one.
intrinsic_size <- function(number) recordings$list[[as.character(number)]]$page[[7L]]

# What a plot is called. Base graphics: by the calls in the recording. Of grid's graphics the value says more.
base_kinds <- c(C_persp = "persp", C_filledcontour = "filled.contour", C_contour = "contour", C_image = "image", C_dend = "dendrogram",
                C_symbols = "symbols", C_rect = "bars", C_plot_new = "plot")
grid_kinds <- c(patchwork = "patchwork", ggplot = "ggplot2", trellis = "lattice")
plot_kind <- function(snapshot) {
    calls <- character()
    for (entry in as.list(snapshot[[1L]])) {
        symbol <- tryCatch(entry[[2L]][[1L]]$name, error = function(e) NULL)
        if (is.character(symbol)) calls <- c(calls, symbol)
        if (length(calls) > 100L) break
    }
    kinds <- base_kinds[names(base_kinds) %in% calls]
    if (!length(kinds)) kinds <- grid_kinds[names(grid_kinds) %in% class(get0(".Last.value", baseenv()))]
    if (length(kinds)) kinds[[1L]] else "grid"
}
