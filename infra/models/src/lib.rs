//! Language models of several vendors behind one port.
