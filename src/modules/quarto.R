# Quarto runs a document's cells through Jupyter, without their `#|` lines, which it reads itself. What the document as a whole says of figures it
# puts into the kernel's environment (QUARTO_FIG_WIDTH …), and, as a kernel may serve several documents, into a comm that it opens before
# the first cell: target quarto_kernel_setup, {"options": {"fig_width", "fig_height", "fig_dpi", "fig_format", …}} (notebook.py of quarto-cli).
# Figures are shown at 96 CSS pixels an inch then, whatever their dots.

quarto_setup <- function(comm, data) {
    told <- data$options
    dpi <- quarto_number(told$fig_dpi)
    retina <- identical(told$fig_format, "retina")
    quarto_figures(told$fig_width, told$fig_height, if (retina && !is.null(dpi)) 2 * dpi else dpi, told$fig_format)
    comm$close() # the next document opens one with the same id
}

# The dots are twice as many for `retina` here.
quarto_environment <- function() {
    value <- function(name) Sys.getenv(paste0("QUARTO_FIG_", name))
    number <- function(name) suppressWarnings(as.numeric(value(name)))
    quarto_figures(number("WIDTH"), number("HEIGHT"), number("DPI"), value("FORMAT"))
}

quarto_number <- function(x) if (is.numeric(x) && length(x) == 1L && is.finite(x) && x > 0) x

quarto_figures <- function(width, height, dots, format) {
    type <- if (is_one_string(format)) plot_formats[format]
    if (!length(type) || is.na(type) || type == "image/tiff") type <- NULL
    set <- Filter(Negate(is.null), list(repr.plot.width = quarto_number(width), repr.plot.height = quarto_number(height),
                                        jupyter.plot_mimetypes = unname(type)))
    options(set)
    plot_document$dots <- quarto_number(dots)
}
