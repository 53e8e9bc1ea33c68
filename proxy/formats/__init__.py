"""The formats that loads read and downloads write. Pure: imports neither Azure nor HTTP."""
