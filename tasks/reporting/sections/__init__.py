"""The report's sections, one a file: results in, paragraphs, figures and tables out."""
