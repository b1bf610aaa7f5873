"""One module a format, found by `ingest.parse.registry`: a new file here is a new format.

Each holds `NAME`, as people call the format; `RANK`, for of several formats that recognise a file
the one of the lowest rank reads it; `recognises(data, name)`; and `parse(data, name)`, which
returns a ParsedDocument or raises an IngestError. Names only decide between kinds of text.
"""
