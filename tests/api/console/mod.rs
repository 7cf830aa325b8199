//! The console, as a browser gets it: its files, their headers, and the session in a cookie.

mod files;
mod info;
mod many_keys;
mod session;
