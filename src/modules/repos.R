# Where packages come from, as the kernel was told (docs/link.md, CONFIG). A choice of the user's profile goes before it.

set_repos <- function(kind, value) {
    now <- getOption("repos")
    chosen <- names(now)[is.na(match(now, "@CRAN@"))]
    if (identical(kind, "none") || "CRAN" %in% chosen)
        return(invisible())
    repos <- switch(kind,
        auto = if (nzchar(file <- repos_conf())) read_repos_conf(file) else c(CRAN = "https://cloud.r-project.org"),
        rstudio = c(CRAN = "https://cran.rstudio.com/"),
        "posit-ppm" = c(CRAN = package_manager("https://packagemanager.posit.co/cran/latest")),
        "conf-file" = read_repos_conf(value),
        "ppm-url" = c(CRAN = package_manager(value)),
        "cran-url" = c(CRAN = value))
    if (length(repos) == 0L)
        return(invisible())
    repos <- c(repos, now[setdiff(chosen, names(repos))])
    attr(repos, "IDE") <- TRUE # tells renv that nobody typed this
    options(repos = repos)
}

# The first repos.conf of the user, then of the system (XDG base directories).
repos_conf <- function() {
    home <- Sys.getenv("XDG_CONFIG_HOME", file.path(Sys.getenv("HOME"), ".config"))
    system <- strsplit(Sys.getenv("XDG_CONFIG_DIRS", "/etc/xdg"), ":", fixed = TRUE)[[1L]]
    files <- c(outer(c("rstudio", "ark"), c(home, system), function(name, dir) file.path(dir, name, "repos.conf")),
               "/etc/rstudio/repos.conf")
    c(files[file.exists(files)], "")[1L]
}

# Lines `name=url`; `;` and `#` begin comments.
read_repos_conf <- function(file) {
    lines <- trimws(readLines(file, warn = FALSE, encoding = "UTF-8"))
    lines <- grep("^[^#;=]+=.", lines, value = TRUE)
    repos <- trimws(sub("^[^=]*=", "", lines))
    names(repos) <- trimws(sub("=.*", "", lines))
    repos
}

# Binary packages for Linux lie beside the sources, under the name of the distribution: …/cran/__linux__/bookworm/latest.
package_manager <- function(url) {
    codename <- tryCatch({
        lines <- readLines("/etc/os-release", warn = FALSE)
        gsub("\"", "", sub("^VERSION_CODENAME=", "", grep("^VERSION_CODENAME=", lines, value = TRUE)))
    }, error = function(e) character(), warning = function(w) character())
    if (length(codename) != 1L || !nzchar(codename) || grepl("/__linux__/", url, fixed = TRUE))
        return(url)
    sub("/([^/]+)/([^/]+)/?$", paste0("/\\1/__linux__/", codename, "/\\2"), url)
}
