//! Language models that follow a script: see the module documentation to come.
