# HTML: tags, documents of package htmltools, widgets.

forms_of_html <- function(x, classes) {
    if (!"text/html" %in% wanted())
        return(NULL)
    if (inherits(x, c("shiny.tag", "shiny.tag.list", "html")))
        list("text/html" = tags_html(x))
    else if (inherits(x, "knitr_kable"))
        kable_form(x)
    else if (inherits(x, "knit_asis"))
        as_is(x)
}

kable_form <- function(x) {
    text <- one_string(x)
    switch(attr(x, "format"), html = list("text/html" = text), latex = list("text/latex" = text),
           markdown = , pipe = , simple = list("text/markdown" = text))
}

tags_html <- function(x) {
    if (inherits(x, "html") && is.character(x) && is.null(attr(x, "html_dependencies")))
        return(one_string(x))
    one_string(htmltools::renderTags(x)$html)
}
text_of_html <- function(x) one_string(x)
page_with <- function(text, dependencies) text
