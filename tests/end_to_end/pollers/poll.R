# Polls by an R library: `poll.R LIBRARY URL...`.
arguments <- commandArgs(trailingOnly = TRUE)
for (url in arguments[-1]) {
  outcome <- tryCatch({
    if (arguments[1] == "curl") {
      as.character(curl::curl_fetch_memory(url)$status_code)
    } else {
      # The warning has the reason, the error only that the file could not be fetched.
      if (utils::download.file(url, tempfile(), method = "libcurl", quiet = TRUE) == 0) "200" else "failed"
    }
  }, condition = conditionMessage)
  cat(gsub("\n", " ", outcome), "\n", sep = "")
}
