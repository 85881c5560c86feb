# unit tests of src/log
