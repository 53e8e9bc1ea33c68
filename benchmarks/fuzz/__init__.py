"""Files of every input form, made sound in code and then damaged, and what a load has to make of each."""
