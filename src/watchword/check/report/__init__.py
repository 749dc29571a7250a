"""How a report is written: one file a format, each with `write(report, to)`."""
