//! A network of namespaces on one machine.
