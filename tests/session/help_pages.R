# Compares help pages as the session makes them with what tools makes of them: compare_pages(package, every) prints what differs and
# the number of pages. The session needs CARRACK_TEST=1.

# tools puts a colon behind each line of a label that is broken over lines.
squeezed <- function(x) gsub(",:", ",", gsub("\\s+", " ", trimws(x)), fixed = TRUE)

by_tools <- function(how, rd, package, ...) {
    file <- tempfile()
    on.exit(unlink(file))
    how(rd, out = file, package = package, stages = character(), outputEncoding = "UTF-8", ...)
    paste(readLines(file, encoding = "UTF-8", warn = FALSE), collapse = "\n")
}

entities <- list(c("&nbsp;", " "), c("&lt;", "<"), c("&gt;", ">"), c("&quot;", "\""), c("&rsquo;", "\u2019"), c("&lsquo;", "\u2018"),
                 c("&ldquo;", "\u201c"), c("&rdquo;", "\u201d"), c("&ndash;", "\u2013"), c("&mdash;", "\u2014"), c("&#8288;", ""),
                 c("&hellip;", "..."), c("&amp;", "&"))

# What is read: formulas without the signs around them, and blanks do not count, as tags stand for some of them.
text_of <- function(html) {
    html <- gsub("<[^>]*>", "", html)
    for (e in entities)
        html <- gsub(e[1L], e[2L], html, fixed = TRUE)
    html <- gsub("\u2014", "---", gsub("\u2013", "--", html, fixed = TRUE), fixed = TRUE) # tools leaves them in tables
    gsub("\\\\[][()]|\\s", "", html)
}

# What a page is made of: its headings, how many of each kind of element it has, and its links to the web.
structure_of <- function(html) {
    count <- function(pattern) lengths(regmatches(html, gregexpr(pattern, html, perl = TRUE)))
    found <- function(pattern) regmatches(html, gregexpr(pattern, html, perl = TRUE))[[1L]]
    elements <- c("pre", "tr", "td", "li", "dt", "dd", "em", "strong", "var", "dfn", "cite", "kbd")
    c(text_of(found("(?s)<h[2-6]>.*?</h[2-6]>")),
      sprintf("%s %d", elements, vapply(elements, function(e) count(sprintf("<%s[ >]", e)), 0L)),
      sort(sub("href=", "", found("href=\"(https?|mailto):[^\"]*\""))))
}

body <- function(html) {
    html <- gsub("(?s)<script.*?</script>|<p>\\s*</p>", "", sub("(?s)^.*?<body>", "", html, perl = TRUE), perl = TRUE)
    html <- gsub("(?s)<tr>\\s*<td[^>]*>\\s*(</td>)?\\s*</tr>", "", html, perl = TRUE) # behind the last row
    html <- sub("(?s)<table style=\"width: 100%;\">.*?</table>", "", html, perl = TRUE) # the head of the page
    sub("(?s)<div style=\"opacity.*?</div>", "", sub("(?s)<hr /><div.*$", "", html, perl = TRUE), perl = TRUE)
}

differences <- function(rd, package) {
    ours <- .carrack_internal(test_help(rd, package))
    if (is.null(ours))
        return("is not known")
    text <- by_tools(tools::Rd2txt, rd, package)
    html <- body(by_tools(tools::Rd2HTML, rd, package, dynamic = FALSE))
    c(if (squeezed(ours[1L]) != squeezed(text)) "text",
      if (text_of(body(ours[2L])) != text_of(html)) "HTML",
      setdiff(structure_of(ours[2L]), structure_of(html)),
      if (!validUTF8(ours[3L]) || !startsWith(ours[3L], "# ")) "Markdown")
}

runs_code <- function(rd) {
    flag <- attr(rd, "dynamicFlag")
    !is.null(flag) && flag %/% 16L %% 2L > 0L
}

compare_pages <- function(package, every = 1L) {
    options <- tools::Rd2txt_options(underline_titles = FALSE)
    on.exit(tools::Rd2txt_options(options))
    pages <- tools:::fetchRdDB(file.path(system.file("help", package = package), package))
    pages <- pages[order(names(pages))][seq(1L, length(pages), by = every)]
    for (name in names(pages)) {
        rd <- pages[[name]]
        if (runs_code(rd))
            rd <- tools:::prepare_Rd(rd, stages = "render")
        if (length(d <- differences(rd, package)))
            cat(package, name, paste(d, collapse = "; "), "\n")
    }
    cat(package, length(pages), "pages\n")
}
