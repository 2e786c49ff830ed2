# Addresses on this machine: of applications (shiny, plumber, httpuv) and of R's help server. Described in docs/display.md.
#
# A browser that shows the notebook may be on another machine. Under JupyterHub, and wherever options(carrack.proxy=) says so,
# addresses are made to go through jupyter-server-proxy: <proxy>/<port>/<path>.

local_url <- "^http://(127\\.0\\.0\\.1|localhost|0\\.0\\.0\\.0|\\[::1?\\]):([0-9]+)(/.*)?$"

is_local_url <- function(url) grepl(local_url, url)

proxy_prefix <- function() {
    prefix <- getOption("carrack.proxy")
    if (is_one_string(prefix))
        return(if (endsWith(prefix, "/")) prefix else paste0(prefix, "/"))
    prefix <- Sys.getenv("JUPYTERHUB_SERVICE_PREFIX")
    if (nzchar(prefix)) paste0(sub("/$", "", prefix), "/proxy/")
}

# The address that the user's browser needs.
address <- function(url) {
    prefix <- if (is_local_url(url)) proxy_prefix()
    if (is.null(prefix))
        return(sub("^http://0\\.0\\.0\\.0:", "http://127.0.0.1:", url))
    path <- sub(local_url, "\\3", url)
    paste0(prefix, sub(local_url, "\\2", url), if (nzchar(path)) path else "/")
}

attribute_text <- function(url) gsub("\"", "%22", escape_html(url), fixed = TRUE)

link_to <- function(url, text = url)
    sprintf("<a href=\"%s\" target=\"_blank\" rel=\"noopener\">%s</a>", attribute_text(url), escape_html(text))

# A link, and with options(carrack.viewer = "iframe") the application below it.
app_forms <- function(url) {
    to <- address(url)
    html <- link_to(to, url)
    if (identical(getOption("carrack.viewer"), "iframe"))
        html <- sprintf("<div>%s</div>\n<iframe src=\"%s\" style=\"display:block;width:100%%;height:480px;border:1px solid #ccc\"></iframe>",
                        html, attribute_text(to))
    list("text/plain" = if (identical(to, url)) url else paste0(url, " (", to, ")"), "text/html" = html)
}

show_app <- function(url, ...) {
    url <- one_string(url)
    if (!ui_event("show_url", url = url))
        display_data(app_forms(url))
    invisible()
}

# A server that httpuv runs beside the cells.
forms_of_server <- function(x) {
    if (!isTRUE(tryCatch(x$isRunning(), error = function(e) FALSE)))
        return(NULL)
    host <- x$getHost()
    url <- sprintf("http://%s:%d/", if (grepl(":", host, fixed = TRUE)) paste0("[", host, "]") else host, as.integer(x$getPort()))
    forms <- app_forms(url)
    forms["text/html"]
}
