# What a package that is not loaded would export, from its own files: the namespace's digest and the indices of its code and data.
package_names <- local({
    read <- new.env(parent = emptyenv())
    index <- function(file) names(readRDS(file)$variables)
    from_files <- function(path, internal) {
        code <- file.path(path, "R", paste0(basename(path), ".rdx"))
        data <- file.path(path, "data", "Rdata.rdx")
        all <- if (file.exists(code)) index(code) else character()
        if (!internal) {
            info <- readRDS(file.path(path, "Meta", "nsInfo.rds"))
            all <- unique(c(info$exports, unlist(lapply(info$exportPatterns, grep, all, value = TRUE))))
        }
        all <- all[!startsWith(all, ".__")]
        list(as.character(all), if (!internal && file.exists(data)) index(data) else character())
    }
    function(path, internal) {
        key <- paste(path, internal, file.mtime(file.path(path, "DESCRIPTION")))
        if (is.null(read[[key]]))
            assign(key, tryCatch(from_files(path, internal), error = function(e) list(character(), character())), read)
        read[[key]]
    }
})
