# unit tests of src/io
