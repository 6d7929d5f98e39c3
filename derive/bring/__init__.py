"""Models from where users are: read from a file of another program, written as a spec.

    file ──► onnx_file, keras_file, torch_file ──► Traced ──► rules/ ──► text of a spec

What is read becomes one list of operations, `Traced`, whose words are those of ATen; an operation
is a row of a table in `rules/`, which writes it in the language of specs. No code of a file is run.
"""
