"""Turn dead letters into records that are sent again. Used by the command line; HTTP can use it as well."""
