# What fuzz_session.c looks at: variables of many kinds, some of them broken, and comm targets with R code behind them.
# Evaluated again whenever an input has removed variables.
rm(list = ls(.GlobalEnv, all.names = TRUE), envir = .GlobalEnv)
one <- 1L
many <- 1:3000
text <- c(a = "A", b = NA, "caf\u00e9", strrep("long ", 300))
odd <- c("\xe9\xff", "NA", "")
Encoding(odd) <- c("bytes", "unknown", "UTF-8")
latin <- "\xe9"
Encoding(latin) <- "latin1"
numbers <- c(1.5, NA, NaN, Inf, -0, 1e300)
complexes <- complex(real = 1:2, imaginary = NA)
raws <- as.raw(0:255)
nothing <- NULL
factors <- factor(c("x", NA, "y"))
broken_factor <- structure(c(0L, 9L, NA), levels = "a", class = "factor")
dates <- as.Date(c("2020-02-29", NA)) + 0:1
times <- as.POSIXct(1e9, origin = "1970-01-01", tz = "UTC")
data <- data.frame(x = 1:3, `a b` = letters[1:3], check.names = FALSE)
data$nested <- list(1, "two", NULL -> none)
broken_data <- structure(list(x = 1:3, y = "a"), class = "data.frame", row.names = c(NA, -9L))
no_names <- structure(list(1, 2), class = "data.frame")
matrix <- matrix(1:6, 2, dimnames = list(c("r", NA), NULL))
array <- array(1:24, 2:4)
empty_matrix <- matrix(0, 0, 3)
list <- list(a = 1, 2, list(b = list(c = list(d = quote(x + y)))), f = function(x, ...) x)
pairs <- pairlist(a = 1, 2)
call <- quote(f(x, y = 2)[[1]])
formula <- y ~ x | z
f <- function(alpha, beta = 2, ..., .gamma) NULL
environment <- new.env()
environment$self <- environment
environment$`strange name` <- 1
methods_class <- structure(list(1), class = c("a", NA, ""))
delayedAssign("promise", stop("forced"))
makeActiveBinding("active", function(value) stop("run"), environment())
`strange $ name` <- `\\` <- 1
.hidden <- 2
deep <- Reduce(function(x, i) list(x), 1:300, 0)
wide <- as.list(1:1200)

comms <- getOption("jupyter.comm_manager")()
comms$register_target("echo", function(comm, data, metadata, buffers) {
    comm$on_msg(function(data, metadata, buffers) comm$send(data, metadata, buffers))
    comm$on_close(function(data) comm$send(data))
    comm$send(data, metadata, buffers)
})
comms$register_target("fails", function(comm, data) {
    if (is.list(data) && is.null(data$stay)) stop(data$why)
    comm$on_msg(function(data) stop(data))
    comm$on_close(function() stop("closing"))
})
comms$register_target("restless", function(comm, data) {
    comm$on_msg(function(data) {
        other <- comms$new_comm("other", paste0("other ", data$id))
        other$open(data)
        other$close(data)
        comm$close(data)
        comm$send(data)
    })
})
