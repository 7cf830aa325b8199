//! Tests of the whole way of a call, without a server and with one.
