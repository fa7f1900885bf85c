"""Values made into something to look at: a form as a PDF, an evidence pack's summary as HTML.

Pure: values in, bytes or text out, and the same ones for the same values. Nothing here reads a
file, asks the time or decides; the flows do that and write what is made. What needs a package
that is not part of the core is imported by the flow that wants it, and by nobody else.
"""
