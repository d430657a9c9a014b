"""`harness improve`, carried out: who is asked, what it costs, what is said in the end, the file that is written."""
